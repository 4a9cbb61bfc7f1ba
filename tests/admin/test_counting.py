"""How we counted, at the desk and in the terminal; joining at the desk; who may take what away."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from admin.cli import main
from admin.demo.seed import COMMUNITY_ID
from admin.demo.voices import opinion_id
from admin.staff import add_staff
from sync.ballots import ballot_id
from sync.records.tables import (
    Audit,
    Ballot,
    Capture,
    JoinedOpinion,
    Opinion,
    Person,
    Receipt,
    Topic,
    record_id,
)
from tests.admin.desk import Browser, Desk

LAMPS, OTHER = opinion_id("lamps", 0), opinion_id("lamps", 1)
TOPIC = record_id("tp", "demo", "lamps")


@pytest.fixture(scope="module")
def colleagues(desk: Desk) -> dict[str, Browser]:
    """One signed-in person of each role."""
    found: dict[str, Browser] = {}
    for role in ("reviewer", "publisher", "auditor", "administrator"):
        with desk.archive.database.begin() as session:
            add_staff(session, COMMUNITY_ID, f"同事{role}", "a long password", role)
        found[role] = desk.browser()
        assert found[role].sign_in(f"同事{role}", "a long password").status_code == 302
    return found


def page(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def acts(desk: Desk) -> list[str]:
    with desk.archive.database.read() as session:
        return list(session.scalars(select(Audit.act)))


def type_command(desk: Desk, *words: str) -> Result:
    return CliRunner().invoke(main, list(words), env={"TINGJIAN_HOME": str(desk.settings.home)})


def test_strangers_see_no_account_and_take_nothing_away(desk: Desk) -> None:
    for path in ("counts", f"counts/{TOPIC}", f"counts/{TOPIC}/polis.zip", "export.zip"):
        answer = desk.browser().get(f"/desk/{path}")
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith("/desk/sign-in")


def test_the_page_adds_up_and_names_nobody(desk: Desk, colleagues: dict[str, Browser]) -> None:
    assert TOPIC in page(colleagues["reviewer"], "/desk/counts")
    told = page(colleagues["reviewer"], f"/desk/counts/{TOPIC}")
    with desk.archive.database.read() as session:
        standing = session.scalars(select(Ballot).where(Ballot.topic_id == TOPIC)).all()
        people = session.scalars(select(Person.id)).all()
    assert f'<th scope="row">有效票</th><td>{len(standing)}</td>' in told
    assert "我们怎样计票" in told
    assert "（不记名，不列选项）" in told
    assert not any(person in told for person in people)
    chains = told.partition('aria-labelledby="chains"')[2]
    assert "算数" in chains
    assert not re.search(r"赞成|反对|说不好", chains)


def test_it_reads_in_english_too(desk: Desk) -> None:
    browser = desk.signed_in()
    browser.send("/desk/counts", "/desk/language", language="en", back="/desk/counts")
    told = page(browser, f"/desk/counts/{TOPIC}")
    assert "How we counted" in told
    assert "Voters counted" in told


def test_voting_by_name_shows_who_to_staff_and_leaves_a_trace(
    desk: Desk, colleagues: dict[str, Browser]
) -> None:
    topic_id = _named_topic(desk)
    told = page(colleagues["reviewer"], f"/desk/counts/{topic_id}")
    named = told.partition('aria-labelledby="named"')[2]
    (who,) = re.findall(r'<th scope="row">(.+)</th>\s*<td>赞成', named)
    assert who != "没有号码"  # the name on the roster, or the number's last digits
    assert "voters_seen" in acts(desk)
    assert "谁投了什么" not in page(colleagues["auditor"], f"/desk/counts/{topic_id}")


def test_only_some_roles_take_records_away_and_each_time_is_written_down(
    desk: Desk, colleagues: dict[str, Browser]
) -> None:
    for role in ("reviewer", "publisher"):
        assert colleagues[role].get("/desk/export.zip").status_code == 403
        assert colleagues[role].get(f"/desk/counts/{TOPIC}/polis.zip").status_code == 403
        assert "export.zip" not in page(colleagues[role], "/desk/counts")
    assert "community.exported" not in acts(desk)
    for role in ("auditor", "administrator"):
        assert "export.zip" in page(colleagues[role], "/desk/counts")
        answer = colleagues[role].get("/desk/export.zip")
        assert answer.mimetype == "application/zip"
        names = zipfile.ZipFile(io.BytesIO(answer.get_data())).namelist()
        assert {"feedback.csv", "feedback.json", "topics.csv", "columns.csv"} <= set(names)
    assert acts(desk).count("community.exported") == 2
    answer = colleagues["auditor"].get(f"/desk/counts/{TOPIC}/polis.zip")
    files = zipfile.ZipFile(io.BytesIO(answer.get_data()))
    assert sorted(files.namelist()) == ["comments.csv", "participants-votes.csv", "summary.csv", "votes.csv"]
    assert "topic.exported" in acts(desk)


def test_another_communitys_topic_is_not_there(desk: Desk, colleagues: dict[str, Browser]) -> None:
    for path in ("/desk/counts/tp_nowhere", "/desk/counts/tp_nowhere/polis.zip"):
        assert colleagues["administrator"].get(path).status_code == 404


def test_opinions_are_joined_by_receipt_and_taken_apart_on_their_page(
    desk: Desk, colleagues: dict[str, Browser]
) -> None:
    browser, here = colleagues["reviewer"], f"/desk/opinions/{LAMPS}"
    receipt = _receipt(desk, OTHER)
    assert "没有和别的意见并在一起" in page(browser, here)
    assert browser.send(here, f"{here}/join", text=receipt).status_code == 302
    told = page(browser, here)
    assert "已并在一起" in told
    assert "2 个人说的是这件事" in told
    assert f"/desk/opinions/{OTHER}" in told
    again = browser.send(here, f"{here}/join", text=receipt)
    assert again.status_code == 422
    assert "它们已经是同一件事了" in again.get_data(as_text=True)
    assert colleagues["auditor"].send(here, f"{here}/part", text=LAMPS).status_code == 403
    assert browser.send(here, f"{here}/part", text=LAMPS).status_code == 302
    assert "没有和别的意见并在一起" in page(browser, here)
    with desk.archive.database.read() as session:
        assert session.scalars(select(JoinedOpinion)).all() == []
    assert {"opinion.joined", "opinion.parted"} <= set(acts(desk))


def test_a_wrong_receipt_joins_nothing(desk: Desk, colleagues: dict[str, Browser]) -> None:
    here = f"/desk/opinions/{LAMPS}"
    assert colleagues["reviewer"].send(here, f"{here}/join", text="00000000").status_code == 404


def test_the_terminal_tells_the_same_account(desk: Desk) -> None:
    told = type_command(desk, "explain", TOPIC)
    assert told.exit_code == 0, told.output
    with desk.archive.database.read() as session:
        standing = session.scalars(select(Ballot).where(Ballot.topic_id == TOPIC)).all()
        given = session.scalars(select(Capture.id).where(Capture.topic_id == TOPIC, Capture.kind == "ballot"))
        assert f"收到 {len(given.all())} 张票" in told.output
    assert f"有效票  {len(standing)}" in told.output
    assert "How we counted" in type_command(desk, "explain", TOPIC, "--language", "en").output
    missing = type_command(desk, "explain", "tp_nowhere")
    assert missing.exit_code == 1
    assert "没有这个议题" in missing.output
    assert "Traceback" not in missing.output


def test_the_terminal_writes_the_files(desk: Desk, tmp_path: Path) -> None:
    written = type_command(desk, "export", "polis", TOPIC, "--to", str(tmp_path / "polis"))
    assert written.exit_code == 0, written.output
    with (tmp_path / "polis" / "comments.csv").open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file))[-1] == "comment-body"
    written = type_command(desk, "export", "community", "--to", str(tmp_path / "all.zip"))
    assert written.exit_code == 0, written.output
    assert zipfile.ZipFile(tmp_path / "all.zip").testzip() is None
    assert list(tmp_path.glob(".*")) == []
    missing = type_command(desk, "export", "polis", "tp_nowhere", "--to", str(tmp_path / "none"))
    assert missing.exit_code == 1
    assert "没有这个议题" in missing.output


def _receipt(desk: Desk, opinion: str) -> str:
    with desk.archive.database.begin() as session:
        row = session.get_one(Opinion, opinion)
        if row.receipt is None:
            row.receipt = "20481745"
            session.merge(Receipt(community_id=COMMUNITY_ID, digits=row.receipt))
        return row.receipt


def _named_topic(desk: Desk) -> str:
    """A topic that votes by name, with one ballot of somebody with a number."""
    now = datetime.now(UTC)
    with desk.archive.database.begin() as session:
        session.add(
            Topic(
                id="tp_named", community_id=COMMUNITY_ID, owner="desk", title="选楼长", text="选楼长",
                state="open", rules={"named": True}, created_at=now,
            )
        )  # fmt: skip
        session.flush()
        who = session.scalars(select(Person.id).where(Person.number_id.is_not(None)).limit(1)).one()
        session.add(
            Ballot(
                id=ballot_id("tp_named", who), topic_id="tp_named", community_id=COMMUNITY_ID, voter_id=who,
                person_id=who, choice="agree", cast_at=now, received_at=now, channel="phone",
                evidence="caller_id", source="test", source_id="named",
            )
        )  # fmt: skip
    return "tp_named"
