"""Reviewing and answering in a real browser, by keyboard: queue, player, corrections, replies, undo."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from admin.demo.seed import COMMUNITY_ID
from admin.parts import open_clips
from admin.staff import add_staff
from ivr.prompts.recorded import keep_recorded
from ivr.prompts.tidy import tidy
from sync.erase import withdraw_opinion
from sync.records.tables import (
    Assignment,
    Audit,
    Ballot,
    Consent,
    Opinion,
    Preview,
    Reply,
    SpokenReply,
    Transcript,
    record_id,
)
from sync.settle import settle_batch
from sync.spoken import transcribe_spoken
from sync.words import transcribe_opinion
from tests.admin.browser import NEEDS_CHROMIUM, Seat, browser, served, sit_down
from tests.admin.desk import Desk
from tests.admin.spoken import Timed, speak, tone

pytestmark = NEEDS_CHROMIUM
LAMPS = record_id("tp", "demo", "lamps")
PASSWORD = "a long password"
BROKEN = ["东巷口", "的", "路灯?", "坏", "了", "三天", "，", "我", "叫", "王桂兰", "，", "吴业?", "不管"]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    voice = tmp_path_factory.mktemp("voice") / "voice.wav"
    voice.write_bytes(tone(3.0))
    with browser(voice) as one:
        yield one


@pytest.fixture(scope="module")
def base(desk: Desk) -> Iterator[str]:
    with desk.archive.database.begin() as session:
        add_staff(session, COMMUNITY_ID, "小李", PASSWORD, "reviewer")
    with served(desk) as address:
        yield address


@pytest.fixture
def seat(desk: Desk, opened: Browser, base: str) -> Iterator[Seat]:
    one = sit_down(opened, base, desk.account.name, desk.account.password)
    yield one
    assert one.problems == []
    one.page.context.close()


def test_the_queue_is_worked_by_keyboard_from_the_first_key_to_the_undo(desk: Desk, seat: Seat) -> None:
    calm = speak(desk.archive, BROKEN, "calm", LAMPS, days_ago=3)
    listen = speak(desk.archive, [], "listen", None, "+8613800000002", days_ago=2)
    urgent = speak(
        desk.archive, ["厨房", "现在", "漏", "煤气", "，", "快来人"], "urgent", None, "+8613800000003"
    )
    seat.go("/desk/")
    links = seat.page.locator("[data-rows] a")
    order = [(links.nth(n).get_attribute("href") or "").rpartition("/")[2] for n in range(3)]
    assert order == [urgent, listen, calm]
    seat.press("j", "j", "j", "Enter")
    seat.page.wait_for_url(f"**/{calm}")
    seat.press("?")
    expect(seat.page.locator("[data-keys-list] dl")).to_be_visible()
    seat.press("e")
    assert seat.focused() == "words"
    seat.type("东巷口的路灯坏了三天，我叫王桂兰，物业不管")
    seat.press("Tab", "Enter")
    seat.confirmed("改正已保存")
    versions = seat.page.locator("[aria-labelledby=versions]")
    assert versions.locator("del").first.inner_text() == "吴"
    assert versions.locator("ins").first.inner_text() == "物"
    assert seat.page.locator("[aria-labelledby=hidden] mark").all_inner_texts() == ["王桂兰"]
    seat.press("a")
    seat.confirmed("已通过")
    seat.press("u")
    seat.confirmed("已撤销")
    seat.press("x")
    assert seat.focused() == "reason"
    seat.page.keyboard.insert_text("说的是邻居的事")
    seat.press("Enter")
    seat.confirmed("已记为未通过")
    seat.press("n")
    seat.page.wait_for_url(f"**/{urgent}")
    with desk.archive.database.read() as session:
        assert session.get_one(Opinion, calm).state == "rejected"
        acts = session.scalars(select(Audit.act).where(Audit.subject == calm).order_by(Audit.id)).all()
    assert [act for act in acts if act.startswith("opinion.")] == [
        "opinion.corrected", "opinion.approved", "opinion.put_back", "opinion.rejected",
    ]  # fmt: skip


def test_words_light_up_while_they_are_heard_and_a_click_plays_one(desk: Desk, seat: Seat) -> None:
    this = speak(desk.archive, BROKEN, "player", LAMPS)
    seat.go(f"/desk/opinions/{this}")
    audio = seat.page.locator("[data-player] audio")
    doubtful = seat.page.locator(".said.doubt")
    assert [word.partition("（")[0].strip() for word in doubtful.all_inner_texts()] == ["路灯", "吴业"]
    audio.evaluate("(one) => { one.muted = true; }")
    doubtful.first.focus()
    seat.press("Enter")  # plays from the third word, which was said after one second
    seat.until("document.querySelector('[data-player] audio').currentTime > 1")
    expect(seat.page.locator(".said.lit")).to_have_count(1)
    seat.press("p")
    assert audio.evaluate("(one) => one.paused")
    seat.press("]", "]")
    assert audio.evaluate("(one) => one.playbackRate") == 1.5
    at = audio.evaluate("(one) => one.currentTime")
    seat.press(".")
    seat.until(f"document.querySelector('audio').currentTime > {at} + 2")
    progress = seat.page.locator("[data-wave] [part=progress]")  # the wave of wavesurfer.js goes along
    assert float((progress.get_attribute("style") or "").partition("width: ")[2].partition("%")[0]) > 0
    assert seat.page.locator("[data-wave] [part~=region]").count() == 1  # what is bleeped
    seat.page.fill("#why-whole", "名字听不清")
    seat.press("Enter")
    seat.page.wait_for_selector("text=原声（您写了原因）")


def test_two_who_edit_the_same_words_never_overwrite_each_other(
    desk: Desk, opened: Browser, base: str, seat: Seat
) -> None:
    this = speak(desk.archive, BROKEN, "twice", LAMPS)
    other = sit_down(opened, base, "小李", PASSWORD)
    for one in (seat, other):
        one.go(f"/desk/opinions/{this}")
    for one, words in ((other, "西巷口的路灯坏了"), (seat, "东巷口的路灯坏了三天")):
        one.press("e")
        one.type(words)
        one.press("Tab", "Enter")
        one.page.wait_for_selector(".notice")
    other.confirmed("改正已保存")
    seat.confirmed("有人刚刚改过")
    assert seat.page.input_value("#words") == "东巷口的路灯坏了三天"
    late = seat.page.locator("[aria-labelledby=late]")
    assert "西" in late.locator("del").all_inner_texts()
    with desk.archive.database.read() as session:
        versions = session.scalars(select(Transcript.version).where(Transcript.opinion_id == this)).all()
    assert list(versions) == [1, 2]
    seat.press("e", "Tab", "Enter")
    seat.confirmed("改正已保存")
    other.page.context.close()


def test_a_matter_is_classified_given_to_a_colleague_and_found_by_them(
    desk: Desk, opened: Browser, base: str, seat: Seat
) -> None:
    this = speak(desk.archive, ["食堂", "的", "菜", "太", "咸", "了"], "given", None)
    alike = speak(desk.archive, ["老年", "食堂", "的", "菜", "太", "咸"], "alike", None, "+8613800000004")
    seat.go(f"/desk/opinions/{this}")
    seat.press("c")
    seat.page.select_option("#category", "养老助餐")
    seat.press("Tab", "Enter")
    seat.confirmed("类别已改")
    seat.press("g")
    seat.page.select_option("#staff", label="小李")
    proposed = seat.page.input_value("#until")
    seat.page.locator("form[action$='/assign'] button").focus()
    seat.press("Enter")
    seat.confirmed("已转办")
    near = seat.page.locator("table", has=seat.page.locator(f"a[href$='{alike}']"))
    assert near.locator("ins").count()
    seat.page.locator(f"form:has(input[value='{alike}']) button").focus()
    seat.press("Enter")
    seat.confirmed("已并在一起")
    other = sit_down(opened, base, "小李", PASSWORD)
    other.go("/desk/?hand=mine")
    assert other.page.locator("[data-rows] a").count() == 1
    assert proposed in other.page.inner_text("[data-rows]")
    other.press("/")
    other.page.keyboard.insert_text("食堂 咸")
    other.press("Enter")
    other.page.wait_for_url("**q=**")
    assert other.page.locator("[data-rows] a").count() == 1  # of those in their hands
    other.page.context.close()
    with desk.archive.database.read() as session:
        assert session.get_one(Assignment, this).due_at.date().isoformat() == proposed


def test_a_reply_is_heard_as_on_the_phone_before_it_is_published(desk: Desk, seat: Seat) -> None:
    this, words = speak(desk.archive, BROKEN, "typed", LAMPS), "周五前把灯修好。"
    seat.go(f"/desk/opinions/{this}")
    seat.press("r")
    seat.page.keyboard.insert_text(words)
    seat.press("Tab", "Space", "Tab", "Enter")
    seat.page.wait_for_selector("#preview")
    lines = seat.page.locator(".phone-lines .words").all_inner_texts()
    assert "四位" in lines[0]  # a private one: whose it is is asked first
    assert lines[1].startswith("给您的回复")
    assert words in lines
    assert lines[-1].startswith("这样办，满意请按1")
    with desk.archive.database.read() as session:
        assert words in session.scalars(select(Preview.text)).all()
    assert seat.page.input_value("#reply") == words
    assert seat.page.is_checked("form[action$='/reply'] [name=is_private]")
    seat.page.locator("form[action$='/reply'] button.good").focus()
    seat.press("Enter")
    seat.confirmed("回复已发出")
    with desk.archive.database.read() as session:
        reply = session.scalars(select(Reply).where(Reply.opinion_id == this)).one()
    assert (reply.spoken, reply.is_private) == (words, True)


def test_a_spoken_reply_is_sealed_put_into_words_and_heard_on_the_phone_in_its_own_voice(
    desk: Desk, seat: Seat
) -> None:
    this, words = speak(desk.archive, BROKEN, "spoken", LAMPS), "师傅明天上午来修灯。"
    seat.go(f"/desk/opinions/{this}")
    seat.press("m")
    expect(seat.page.locator("[data-elapsed]")).to_have_text("2 s", timeout=20_000)
    seat.press("Enter")  # the key that ends it has the focus
    seat.confirmed("正在转成文字")
    with desk.archive.database.read() as session:
        draft = session.scalars(select(SpokenReply).where(SpokenReply.opinion_id == this)).one()
        kept = desk.archive.recordings.get(draft.recording_id)
    assert b"RIFF" not in kept[:64]
    assert transcribe_spoken(desk.archive, draft.id, lambda: Timed(["师傅", "明天", "来", "修", "等"]))
    expect(seat.page.locator(f"#draft-{draft.id}")).to_have_value("师傅明天来修等", timeout=20_000)
    seat.page.locator(f"#draft-{draft.id}").focus()
    seat.type(words)
    seat.press("Tab", "Tab", "Enter")
    seat.confirmed("回复已发出")
    length = seat.page.locator("[aria-labelledby=replies] audio").first.evaluate(
        "(e) => new Promise((done, fail) => { e.onloadedmetadata = () => done(e.duration);"
        " e.onerror = () => fail(e.error.message); e.load(); })"
    )
    assert 1.0 < float(length) < 10.0
    clips = open_clips(desk.settings, desk.archive)
    assert keep_recorded(desk.archive, clips, COMMUNITY_ID) == 1
    name = clips.find(words, "any voice", False, COMMUNITY_ID)
    assert name is not None
    tidy(desk.archive, clips)
    assert clips.has(name)
    withdraw_opinion(desk.archive, this, "speaker")
    tidy(desk.archive, clips)
    assert not clips.has(name)
    with desk.archive.database.read() as session:
        assert not desk.archive.recordings.exists(draft.recording_id)


def test_ballots_and_words_are_typed_in_for_others_and_a_slip_is_voided(desk: Desk, seat: Seat) -> None:
    number = "13800000099"
    seat.go("/desk/behalf")
    seat.page.locator("input[name=choice]").first.focus()
    seat.press("Space")
    seat.page.fill("#ballot-number", number)
    seat.press("Enter")
    seat.confirmed("票已录入")
    settle_batch(desk.archive)
    with desk.archive.database.read() as session:
        ballot = session.scalars(select(Ballot).where(Ballot.channel == "paper")).one()
    seat.page.click("[aria-labelledby=lately] button")
    seat.confirmed("已作废")
    with desk.archive.database.read() as session:
        assert session.get(Ballot, ballot.id) is None
    seat.page.fill("#said-text", "楼道的扶手松了，怕摔着。")
    seat.page.fill("#said-number", number)
    seat.page.select_option("#said-met", "call")
    seat.page.check("[name=told]")
    seat.page.locator("form[action$='/behalf/opinions'] button").focus()
    seat.press("Enter")
    seat.confirmed("回执号")
    settle_batch(desk.archive)
    with desk.archive.database.read() as session:
        entered = session.scalars(select(Audit.subject).where(Audit.act == "behalf.opinion")).one()
        said = select(Consent).where(Consent.source == "desk").order_by(Consent.purpose)
        agreed = [(one.purpose, one.answer, one.version) for one in session.scalars(said)]
    assert agreed == [("neighbours_words", "refused", "1"), ("recording", "told_staff", "1")]
    transcribe_opinion(desk.archive, entered, lambda: Timed([]), lambda: datetime.now(UTC))
    seat.go(f"/desk/opinions/{entered}")
    assert f"由 {desk.account.name} 代录" in seat.page.inner_text("[aria-labelledby=said]")
    assert "扶手松了" in seat.page.inner_text("[aria-labelledby=said]")
