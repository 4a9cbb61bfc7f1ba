"""Days at the desk without a mouse: each stop has a name for a screen reader, each act is in the records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from admin import roster_import
from admin.demo.seed import COMMUNITY_ID
from sync.desk import Actor
from sync.inbox import Given, keep
from sync.people import find_or_create_number, person_at
from sync.placing.wishes import wish_missed
from sync.records.tables import (
    Audit,
    Consent,
    Opinion,
    PlacedCall,
    ProgressUpdate,
    Pronunciation,
    Request,
    RosterImport,
    Staff,
    Topic,
    record_id,
)
from sync.settle import settle_batch
from tests.admin.browser import DESKTOP, NEEDS_CHROMIUM, Seat, browser, served, sit_down
from tests.admin.desk import Desk
from tests.admin.spoken import speak

pytestmark = NEEDS_CHROMIUM
NUMBER, CALLER = "+8613977770001", "+8613977770002"
MOST_STOPS = 90
NAMED = re.compile(r'"\S|: \S')  # a name of its own, or the words in it


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with browser() as one:
        yield one


@pytest.fixture(scope="module")
def base(desk: Desk) -> Iterator[str]:
    with served(desk) as address:
        yield address


@pytest.fixture(scope="module")
def seat(desk: Desk, opened: Browser, base: str) -> Iterator[Seat]:
    one = sit_down(opened, base, desk.account.name, desk.account.password)
    yield one
    assert one.problems == []


def stop(page: Page) -> str:
    """What a screen reader says of the element that has the focus: its role and name."""
    if not page.evaluate("!!document.querySelector(':focus')"):
        return '"the page"'
    focused = page.locator(":focus")
    said = focused.aria_snapshot().splitlines()
    if not said:  # a player is no part of the snapshot
        return f'player "{focused.get_attribute("aria-label")}"'
    return said[0].removeprefix("- ").rstrip(":")


def tab_to(seat: Seat, name: str) -> None:
    """Press Tab until the focus is on something of that name; every stop on the way has a name."""
    for _ in range(MOST_STOPS):
        seat.press("Tab")
        said = stop(seat.page)
        assert NAMED.search(said), f"a stop without a name: {said}"
        if name in said:
            ring = seat.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert ring == "solid", f"nobody sees that the focus is on {said}"
            return
    raise AssertionError(f"{MOST_STOPS} stops, and none is {name}")


def test_a_topic_goes_from_the_sign_in_to_its_decision_without_a_mouse(
    desk: Desk, opened: Browser, base: str
) -> None:
    context = opened.new_context(viewport=DESKTOP)  # type: ignore[arg-type]
    seat = Seat(context.new_page(), base)
    page = seat.page
    seat.go("/desk/sign-in")
    for password in ("a wrong one", desk.account.password):
        page.focus("#name")
        seat.type(desk.account.name)
        seat.press("Tab")
        seat.type(password)
        seat.press("Enter")
        page.wait_for_selector("[role=alert]" if password == "a wrong one" else "nav.around")
    seat.press("Tab")
    assert stop(page) == 'link "跳到内容"'
    seat.press("Enter")
    assert seat.focused() == "content"
    seat.go("/desk/overview")
    for name in ("议题", "写一个新议题"):
        tab_to(seat, f'link "{name}"')
        with page.expect_navigation():
            seat.press("Enter")
    closes = (datetime.now(UTC) + timedelta(days=9)).strftime("%Y-%m-%dT18:00")
    written = {"标题": "井盖要不要换", "全文": "井盖响，夜里吵人。", "谁可以投": "东巷口的住户"}
    for name, words in written.items():
        tab_to(seat, name)
        seat.type(words)
    page.fill("#closes_at", closes)  # what a date picker shows differs with the browser's language
    tab_to(seat, 'button "保存并试听"')
    seat.press("Enter")
    seat.confirmed("草稿存好了")
    for act, said in (("开放讨论", "已开放"), ("暂停", "已暂停"), ("开放讨论", "已开放")):
        tab_to(seat, f'button "{act}"')
        seat.press("Enter")
        seat.confirmed(said)
    tab_to(seat, 'button "结束投票"')
    seat.press("Enter")
    seat.confirmed("投票已结束")
    tab_to(seat, 'link "我们怎样计票"')
    seat.press("Enter")
    page.wait_for_selector("h1:has-text('我们怎样计票')")
    page.go_back()
    tab_to(seat, "决定了什么")
    seat.type("换，下个月动手。")
    seat.press("Tab", "Enter")
    seat.confirmed("决定已公布")
    tab_to(seat, "告诉大家进展")
    seat.press("Enter")
    for name, words in (("阶段", "买井盖"), ("电话里", "新井盖已经买好。")):
        tab_to(seat, name)
        seat.type(words)
    tab_to(seat, 'button "告诉大家进展"')
    seat.press("Enter")
    seat.confirmed("已告诉大家")
    with desk.archive.database.read() as session:
        topic = session.scalars(select(Topic).where(Topic.title == "井盖要不要换")).one()
        told = session.scalars(select(ProgressUpdate.spoken).where(ProgressUpdate.topic_id == topic.id)).all()
        acts = session.scalars(select(Audit.act).where(Audit.subject == topic.id).order_by(Audit.id)).all()
    assert (topic.state, topic.decision, topic.closes_at is not None) == ("decided", "换，下个月动手。", True)
    assert topic.rules["electorate"] == "东巷口的住户"
    assert "新井盖已经买好。" in told
    assert len([act for act in acts if act.startswith("topic.")]) >= 6
    assert seat.problems == []
    context.close()


def test_numbers_of_callers_are_hidden_until_somebody_says_why(desk: Desk, seat: Seat) -> None:
    page, now = seat.page, datetime.now(UTC)
    with desk.archive.database.begin() as session:
        number = find_or_create_number(session, desk.archive, COMMUNITY_ID, CALLER)
        who = person_at(session, desk.archive, COMMUNITY_ID, number).id
        keep(session, Given("test", "wish", COMMUNITY_ID, who, "request", None, {"reason": "person"}, "phone",
                            "caller_id", False, now), now)  # fmt: skip
        for phone, about in ((NUMBER, "test/CA1"), (CALLER, "test/CA2")):
            assert wish_missed(session, desk.archive, COMMUNITY_ID, phone, about, now)
        soon, late = session.scalars(select(PlacedCall).order_by(PlacedCall.about)).all()
        late.next_try_at, late.problem = now + timedelta(hours=9), "quiet"
        ids = (soon.id, late.id)
    settle_batch(desk.archive)
    seat.go("/desk/callbacks")
    assert CALLER not in page.content()
    page.focus("main form button >> nth=0")
    seat.press("Enter")
    page.wait_for_selector(f"a[href='tel:{CALLER}']")
    page.focus("main form[action$='/done'] button")
    seat.press("Enter")
    seat.confirmed("已记下")
    seat.go("/desk/placed")
    assert page.locator("ol.opinions > li").count() == 2
    assert "现在是休息时间" in page.inner_text(f"#{ids[1]}")
    assert NUMBER not in page.content()
    page.focus(f"#{ids[0]} summary")
    seat.press("Enter", "Tab")
    assert stop(page).startswith('textbox "为什么要看号码')
    page.keyboard.insert_text("要上门找他")
    seat.press("Enter")
    page.wait_for_selector(f"a[href='tel:{NUMBER}']")
    for one, act, said in ((ids[1], "hurry", "能打就打"), (ids[0], "withdraw", "不打了")):
        page.focus(f"#{one} form[action$='/{act}'] button")
        seat.press("Enter")
        seat.confirmed(said)
    with desk.archive.database.read() as session:
        assert session.scalars(select(Request.settled_at)).one() is not None
        assert session.get_one(PlacedCall, ids[0]).state == "canceled"
        assert session.get_one(PlacedCall, ids[1]).next_try_at < now + timedelta(hours=1)
        why = session.scalars(select(Audit.reason).where(Audit.act == "number_seen").order_by(Audit.id)).all()
    assert why == ["给居民回电", "要上门找他"]


def test_a_person_sees_their_consent_withdrawn_and_a_matter_gets_its_topic(desk: Desk, seat: Seat) -> None:
    page, lamps = seat.page, record_id("tp", "demo", "lamps")
    this = speak(desk.archive, ["路口", "的", "灯", "坏", "了"], "topicless", None, NUMBER)
    with desk.archive.database.begin() as session:
        person_id = session.get_one(Opinion, this).person_id
        session.add(
            Consent(id="con_walk", source="test", source_id="walk", community_id=COMMUNITY_ID,
                    person_id=person_id, purpose="call_back", answer="pressed", version="1",
                    given_at=datetime.now(UTC))
        )  # fmt: skip
    seat.go(f"/desk/opinions/{this}")
    seat.press("t")
    page.select_option("#topic", lamps)
    seat.press("Tab", "Enter")
    seat.confirmed("议题已改")
    seat.go("/desk/privacy")
    page.focus("#asked")
    seat.type(NUMBER)
    seat.press("Tab")
    seat.type("本人打来问")
    seat.press("Enter")
    page.wait_for_url(re.compile(f"{person_id}$"))
    page.select_option("#purpose", "call_back")
    page.focus("#why-withdraw")
    seat.type("不想再接电话")
    seat.press("Tab", "Enter")
    seat.confirmed("已撤回")
    with desk.archive.database.read() as session:
        assert session.get_one(Opinion, this).topic_id == lamps
        assert session.get_one(Consent, "con_walk").withdrawn_at is not None


def test_a_word_is_said_as_it_is_here_and_a_roster_comes_in_before_ones_eyes(desk: Desk, seat: Seat) -> None:
    page = seat.page
    seat.go("/desk/prompts")
    tab_to(seat, 'link "')
    seat.go("/desk/prompts/pronunciations")
    page.focus("#word")
    seat.type("乐清")
    seat.press("Tab")
    seat.type("yue4 qing1")
    seat.press("Tab", "Enter")
    seat.confirmed("正在重新合成")
    with desk.archive.database.begin() as session:
        assert session.get_one(Pronunciation, (COMMUNITY_ID, "乐清")).pinyin == "yue4 qing1"
        staff_id = session.scalars(select(Staff.id).where(Staff.name == desk.account.name)).one()
        homes = "户,姓名,电话\n" + "".join(f"8-{n},住户{n},\n" for n in range(1, 251))
        who, now = Actor(staff_id, COMMUNITY_ID), datetime.now(UTC)
        draft = roster_import.check(session, desk.archive, who, homes.encode(), now)
        draft_id, draft.state, draft.done = draft.id, "running", 100
    seat.go(f"/desk/roster/imports/{draft_id}")
    page.evaluate("window.stayed = true")
    assert "250 行里好了 100 行" in page.inner_text("main")
    roster_import.run_import(desk.archive, draft_id)
    page.wait_for_selector("text=导入好了")
    assert page.evaluate("window.stayed")  # no page was loaded: the part of it was put in
    assert page.locator("main progress").evaluate("(one) => one.value / one.max") == 1
    with desk.archive.database.read() as session:
        assert session.get_one(RosterImport, draft_id).state == "done"
