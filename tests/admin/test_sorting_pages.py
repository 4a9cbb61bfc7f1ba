"""How opinions are sorted, at the desk and on the command line: seen with reasons, put right, learnt."""

from __future__ import annotations

from datetime import UTC, datetime

from click.testing import CliRunner, Result

from admin.cli import main
from admin.demo.seed import COMMUNITY_ID
from admin.demo.voices import opinion_id
from sync.community_settings import setting
from sync.records.tables import Learned, Lesson, Opinion, Understanding
from tests.admin.desk import Desk

LAMPS = opinion_id("lamps", 0)
PAGE = f"/desk/opinions/{LAMPS}"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def opinion(desk: Desk) -> Opinion:
    with desk.archive.database.read() as session:
        return session.get_one(Opinion, LAMPS)


def test_what_the_machine_thought_is_shown_with_its_reasons_put_right_and_brought_back(desk: Desk) -> None:
    with desk.archive.database.begin() as session:
        row = session.get_one(Opinion, LAMPS)
        row.purpose, row.purpose_confidence = "投诉", 0.62
        session.merge(
            Understanding(
                opinion_id=LAMPS, about="purpose", label="投诉", confidence=0.62, because=["看不见脚下"],
                model_id=None, made_at=NOW,
            )
        )  # fmt: skip
    browser = desk.signed_in()
    page = browser.get(PAGE).get_data(as_text=True)
    assert "机器有 62% 的把握。 因为：看不见脚下。" in page
    assert '<option value="投诉" selected>' in page
    version = str(opinion(desk).version)
    assert browser.send(PAGE, f"{PAGE}/mean", text="建议", version=version).status_code == 302
    assert browser.send(PAGE, f"{PAGE}/mean", text="求助", version=version).status_code == 409
    assert browser.send(PAGE, f"{PAGE}/mean", text="抱怨", version="").status_code == 422
    assert (opinion(desk).purpose, opinion(desk).purpose_confidence) == ("建议", 1.0)
    page = browser.get(PAGE).get_data(as_text=True)
    assert "机器原来归的是：投诉" in page
    assert "改回投诉" in page
    assert '<span class="tag">建议</span>' in browser.get("/desk/?state=all").get_data(as_text=True)
    assert browser.send(PAGE, f"{PAGE}/mean", text="投诉").status_code == 302
    assert opinion(desk).purpose == "投诉"
    assert browser.send(PAGE, f"{PAGE}/classify", text="没有这一类").status_code == 422
    with desk.archive.database.read() as session:
        lessons = session.query(Lesson).where(Lesson.opinion_id == LAMPS, Lesson.kind == "purpose").all()
        assert [lesson.meant for lesson in lessons] == ["投诉"]


def test_a_community_has_categories_of_its_own(desk: Desk) -> None:
    browser, here = desk.signed_in(), "/desk/settings"
    typed = "电梯加装=off，鸽子=鸽子 喂鸽子"
    assert browser.send(here, f"{here}/categories", value="鸽子=off", before="").status_code == 422
    assert browser.send(here, f"{here}/categories", value=typed, before="").status_code == 302
    with desk.archive.database.read() as session:
        assert setting(session, COMMUNITY_ID, "categories") == {"电梯加装": "off", "鸽子": "鸽子 喂鸽子"}
    assert f'value="{typed}"' in browser.get(here).get_data(as_text=True)
    page = browser.get(PAGE).get_data(as_text=True)
    assert '<option value="鸽子">' in page
    assert '<option value="电梯加装">' not in page
    assert browser.send(PAGE, f"{PAGE}/classify", text="鸽子").status_code == 302
    assert opinion(desk).category == "鸽子"


def test_models_are_seen_with_their_scores_and_one_goes_back(desk: Desk) -> None:
    browser, here = desk.signed_in(), "/desk/settings"
    assert "还没有学" in browser.get(here).get_data(as_text=True)
    with desk.archive.database.begin() as session:
        for n, state in enumerate(("kept", "used", "refused")):
            key_id, sealed = desk.archive.keyring.seal_anew(session, b"weights", f"lm_{n}")
            session.add(
                Learned(
                    id=f"lm_{n}", community_id=COMMUNITY_ID, key_id=key_id, sealed=sealed, state=state,
                    examples=120, held=40, right=36, right_lists=28, right_before=None, chance=0.004,
                    kilobytes=512, made_at=NOW.replace(day=n + 1),
                )
            )  # fmt: skip
    page = browser.get(here).get_data(as_text=True)
    assert "36／40" in page
    assert "28／40" in page
    assert "正在用" in page
    assert browser.send(here, f"{here}/learnt/back", model="lm_0").status_code == 302
    with desk.archive.database.read() as session:
        assert [session.get_one(Learned, f"lm_{n}").state for n in range(2)] == ["used", "kept"]
    assert browser.send(here, f"{here}/learnt/back", model="lm_9").status_code == 422
    assert browser.send(here, f"{here}/learnt/back", model="").status_code == 302
    assert "现在只照词表归类" in browser.get(here).get_data(as_text=True)


def test_the_command_line_lists_learns_shows_and_goes_back(desk: Desk) -> None:
    def type_in(*words: str) -> Result:
        environment = {"TINGJIAN_HOME": str(desk.settings.home)}
        return CliRunner().invoke(main, ["categories", *words], env=environment)

    listed = type_in("list").output.splitlines()
    assert "停车\t城乡建设" in listed
    assert "鸽子\t–" in listed
    assert "too little to learn from" in type_in("learn").output
    assert "right 36 of 40 (28 by the lists; p=0.004), 512 KiB" in type_in("show").output
    assert type_in("back", "lm_1").exit_code == 0
    assert "lm_1 2026-03-02 00:00 used" in type_in("show").output
    assert type_in("back", "lm_9").exit_code == 1
    assert type_in("back").exit_code == 0
    assert " used" not in type_in("show").output
