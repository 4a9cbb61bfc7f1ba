"""Topics at the desk: written, heard, opened, paused, closed, decided; stages."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.staff import add_staff
from ivr.prompts.render import open_renderer, preview_job
from speech.audio import read_audio
from sync.records.tables import Milestone, Preview, ProgressUpdate, Topic
from tests.admin.desk import Browser, Desk
from tests.prompts.tone_synthesizer import ToneSynthesizer

TITLE = "凉亭漏雨了要不要修"
BACKGROUND = "村口的凉亭漏雨。修一修要三千元。"
LONG = "根据上级要求拟对凉亭予以整改并统筹推进" * 7


@pytest.fixture(scope="module")
def browser(desk: Desk) -> Browser:
    return desk.signed_in()


def text(browser: Browser, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, path
    return answer.get_data(as_text=True)


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


def written(browser: Browser, **more: str) -> str:
    """The path of a new draft."""
    fields = {"title": TITLE, "text": BACKGROUND, "spoken_title": TITLE, "spoken_background": BACKGROUND}
    answer = browser.send("/desk/topics/new", "/desk/topics/new", **{**fields, "counts": "persons", **more})
    assert answer.status_code == 302, answer.get_data(as_text=True)
    return answer.headers["Location"]


def found(desk: Desk, path: str) -> Topic:
    with desk.archive.database.read() as session:
        return session.get_one(Topic, path.rpartition("/")[2])


def test_a_topic_goes_from_its_form_to_its_decision(desk: Desk, browser: Browser) -> None:
    path = written(
        browser, label_1="修", label_2="不修", opens_at="2026-11-01T08:00", electorate="全体居民",
        electorate_size="100", quorum="30", counts="households", results="closed",
    )  # fmt: skip
    topic = found(desk, path)
    assert topic.options == [["option_1", "修"], ["option_2", "不修"]]
    assert topic.opens_at is not None
    assert topic.opens_at.isoformat() == "2026-11-01T00:00:00+00:00"  # typed in the community's own time
    assert topic.rules == {
        "counts": "households", "electorate": "全体居民", "electorate_size": 100, "quorum": 30,
        "results": "closed",
    }  # fmt: skip
    page = text(browser, path)
    assert "草稿" in page
    assert "好懂" in page
    assert 'value="2026-11-01T08:00"' in text(browser, f"{path}/edit")
    for act, state in (("open", "open"), ("pause", "paused"), ("open", "open"), ("close", "closed")):
        assert browser.send(path, f"{path}/{act}", version=version(text(browser, path))).status_code == 302
        assert found(desk, path).state == state
    nothing = browser.send(path, f"{path}/decide", version=version(text(browser, path)), decision=" ")
    assert nothing.status_code == 422
    assert "请写清决定了什么" in nothing.get_data(as_text=True)
    browser.send(path, f"{path}/decide", version=version(text(browser, path)), decision="修，下月开工。")
    page = text(browser, path)
    assert "修，下月开工。" in page
    assert "我们怎样计票" in page
    assert path in text(browser, "/desk/topics?state=decided")
    assert path not in text(browser, "/desk/topics?state=open")


def test_what_is_too_long_for_the_phone_is_warned_of_and_what_is_wrong_kept_in_the_form(
    browser: Browser,
) -> None:
    path = written(browser, spoken_title="凉亭" * 12, spoken_background=LONG)
    page = text(browser, path)
    assert "标题有 24 个字，电话里最好不超过 20 个。" in page
    assert f"背景有 {len(LONG)} 个字" in page
    assert "不好懂" in page
    assert "“予以”可以说“给”" in page
    late = browser.send(
        "/desk/topics/new", "/desk/topics/new", title="新题", text="x", opens_at="2026-11-02T08:00",
        closes_at="2026-11-01T08:00",
    )  # fmt: skip
    assert late.status_code == 422
    assert "结束要在开始之后" in late.get_data(as_text=True)
    assert 'value="新题"' in late.get_data(as_text=True)


def test_two_who_write_at_once_do_not_overwrite_each_other(desk: Desk, browser: Browser) -> None:
    path = written(browser)
    before = version(text(browser, f"{path}/edit"))
    fields = {"text": "x", "version": before}
    assert browser.send(f"{path}/edit", f"{path}/edit", title="甲写的", **fields).status_code == 302
    late = browser.send(f"{path}/edit", f"{path}/edit", title="乙写的", **fields)
    assert late.status_code == 409
    assert 'value="乙写的"' in late.get_data(as_text=True)
    assert found(desk, path).title == "甲写的"


def test_it_is_heard_before_residents_hear_it(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    from admin.pages import topic_sound

    path = written(browser, title="听一听这个题", spoken_title="听一听这个题")
    monkeypatch.setattr(topic_sound, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(topic_sound.wait_for, "__defaults__", (0.05,))
    assert browser.get(f"{path}/heard.wav").status_code == 503  # nobody renders here: asked to come again
    with desk.archive.database.read() as session:
        assert "听一听这个题" in session.scalars(select(Preview.text)).all()
    open_renderer(desk.archive, desk.app.extensions["tingjian_clips"], ToneSynthesizer)
    assert preview_job() > 2
    answer = browser.get(f"{path}/heard.wav")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    sound = read_audio(answer.data)
    assert sound.rate == 8000
    assert f"一共 {round(sound.seconds)} 秒" in text(browser, path)


def test_stages_and_progress_are_told_and_late_ones_stand_out(desk: Desk, browser: Browser) -> None:
    path = written(browser)
    browser.send(path, f"{path}/open", version="1")
    stage = {"title": "买瓦", "goal": "两百片瓦到货", "owner": "工程组", "due_on": "2026-01-31"}
    assert browser.send(path, f"{path}/stages", **stage).status_code == 302
    wrong = browser.send(path, f"{path}/stages", **{**stage, "due_on": "2026-02-31"})
    assert wrong.status_code == 422
    page = text(browser, path)
    assert "拖期" in page
    assert "stage-late" in page
    assert "拖期" in text(browser, "/desk/topics")
    with desk.archive.database.read() as session:
        this = session.scalars(select(Milestone).where(Milestone.topic_id == found(desk, path).id)).one()
    done = {**stage, "state": "done", "version": "1"}
    assert browser.send(path, f"/desk/stages/{this.id}", **done).status_code == 302
    assert browser.send(path, f"/desk/stages/{this.id}", **done).status_code == 409
    assert "stage-late" not in text(browser, path)
    assert browser.send(path, f"{path}/progress", stage="买瓦", spoken="瓦已经到了。").status_code == 302
    with desk.archive.database.read() as session:
        told = session.scalars(select(ProgressUpdate).where(ProgressUpdate.topic_id == this.topic_id)).one()
    assert (told.spoken, told.text) == ("瓦已经到了。", "瓦已经到了。")


def test_a_platforms_topic_is_worded_here_and_otherwise_its_own(desk: Desk, browser: Browser) -> None:
    path = written(browser)
    with desk.archive.database.begin() as session:
        topic = session.get_one(Topic, path.rpartition("/")[2])
        topic.owner, topic.state, topic.spoken_title, topic.spoken_background = "pf_x", "open", None, None
    assert "缺口语稿" in text(browser, path)
    assert browser.get(f"{path}/edit").status_code == 403
    assert browser.send(path, f"{path}/close", version="1").status_code == 422
    long = browser.send(path, f"{path}/wording", spoken_title="长" * 21, spoken_background="好")
    assert long.status_code == 422
    browser.send(path, f"{path}/wording", spoken_title="修凉亭", spoken_background="凉亭漏雨。")
    assert found(desk, path).spoken_title == "修凉亭"


def test_a_reviewer_drafts_and_does_not_publish(desk: Desk, browser: Browser) -> None:
    with desk.archive.database.begin() as session:
        add_staff(session, COMMUNITY_ID, "起草人", "a long password", "reviewer")
    reviewer = desk.browser()
    reviewer.sign_in("起草人", "a long password")
    path = written(reviewer)
    assert "开放讨论" not in text(reviewer, path)
    assert reviewer.send(path, f"{path}/open", version="1").status_code == 403
    browser.send(path, f"{path}/open", version="1")
    assert reviewer.get(f"{path}/edit").status_code == 403  # what residents hear is changed by publishers
