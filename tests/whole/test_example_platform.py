"""Phone and an online platform are one record: one person counts once, words reach the desk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Page
from sqlalchemy import select

from admin.staff import add_staff
from sync.desk import Actor, approve, reply
from sync.feed import latest
from sync.links import issue_code
from sync.people import find_number
from sync.platforms import add_platform
from sync.records.tables import Delivery, Endpoint, Opinion, Person
from sync.tally import Tally, tally
from sync.webhooks.addresses import Reach
from sync.webhooks.endpoints import add_endpoint
from tests.conftest import COMMUNITY_NUMBER, found_community
from tests.prompts.rich import enrich
from tests.whole.browser import CHROMIUM, browsing
from tests.whole.caller import PlatformCall
from tests.whole.example_platform import APP, Visitor, running_example
from tests.whole.town import PLATFORM, PLATFORM_TOKEN, Town, free_port, town, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LIFT = "tp_电梯"
NUMBER = "13900000001"
WORDS = "希望电梯装在东边，西边挡光"
ANSWER = "电梯装在东边，下个月开工。"


@dataclass
class Beside:
    """A town, and the example platform beside it."""

    place: Town
    address: str
    key: str
    endpoint_id: str

    def call(self, number: str, *keys: str) -> None:
        """Somebody telephones: a TwiML platform asks web for documents."""
        call = PlatformCall(
            self.place.base,
            PLATFORM,
            PLATFORM_TOKEN,
            f"CA{number}{len(keys)}",
            f"+86{number}",
            COMMUNITY_NUMBER,
        )
        call.begin()
        for key in keys:
            call.press(key)
        call.hang_up()

    def count(self) -> Tally:
        with self.place.archive.database.read() as session:
            return tally(session, LIFT)

    def counts(self, agree: int, disagree: int, **evidence: int) -> None:
        """Wait until it is counted so, here and on the page of anybody."""

        def is_so() -> bool:
            now = self.count()
            return (now.choices["agree"], now.choices["disagree"], dict(now.evidence)) == (
                agree,
                disagree,
                evidence,
            )

        until(is_so, 20, f"{agree} agree, {disagree} disagree, {evidence}: {self.count()}")
        rows = re.compile(r'<th scope="row">(?:同意|不同意)</th>.*?<td class="count">(\d+)</td>', re.S)

        def is_shown() -> bool:
            article = Visitor(self.address).page().split(f'id="{LIFT}"')[1].split("</article>")[0]
            return [int(found) for found in rows.findall(article)] == [agree, disagree]

        until(is_shown, 20, f"the page shows {agree} : {disagree}")

    def opinion(self) -> Opinion | None:
        with self.place.archive.database.read() as session:
            return session.scalar(select(Opinion).where(Opinion.channel == "web"))


def scopes_of_the_readme() -> list[str]:
    """Those that whoever follows the example's README gives it."""
    return re.findall(r"--scope ([a-z:]+)", APP.with_name("README.md").read_text("utf-8"))


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    home, port = tmp_path_factory.mktemp("beside"), free_port()
    with town(home / "town", TINGJIAN_WEBHOOKS_TO="127.0.0.1") as place:
        community = found_community(place.archive)
        enrich(place.archive, community)
        with place.archive.database.begin() as session:
            platform, key = add_platform(session, community.id, "桃源线上", scopes_of_the_readme())
            endpoint, secret = add_endpoint(
                session, place.archive, platform, f"http://127.0.0.1:{port}/hook", (),
                latest(session, community.id), Reach.of("127.0.0.1"), "test", datetime.now(UTC),
            )  # fmt: skip
        for name in ("redis", "web", "worker", "webhooks"):
            place.start(name)
        # it looks once an hour: all that it learns in between, it learns because a webhook told it to look
        with running_example(home / "example", place.base, key, port, secret, look=3600) as address:
            try:
                yield Beside(place, address, key, endpoint.id)
            except BaseException as problem:
                problem.add_note((home / "example" / "example.log").read_text("utf-8")[-3000:])
                raise


def test_phone_and_page_are_one_person_and_one_record(beside: Beside) -> None:
    until(lambda: "电梯的全称" in Visitor(beside.address).page(), 20, "the topics are copied")
    beside.call(NUMBER, "1", "#", "1")
    beside.counts(agree=1, disagree=0, caller_id=1)

    at_home = Visitor(beside.address)
    at_home.enter(NUMBER)
    assert "投票收到了" in at_home.send(f"/topics/{LIFT}/ballot", choice="disagree")
    beside.counts(agree=0, disagree=1, attested=1)

    neighbour = Visitor(beside.address)
    neighbour.enter("13900000002")
    neighbour.send(f"/topics/{LIFT}/ballot", choice="agree")
    beside.counts(agree=1, disagree=1, attested=2)

    beside.call("13900000002", "1", "#", "1", "1", "2")  # their vote is known; changed to disagree by phone
    beside.counts(agree=0, disagree=2, attested=1, caller_id=1)


def test_a_comment_reaches_the_desk_and_its_answer_the_page(beside: Beside) -> None:
    somebody = Visitor(beside.address)
    somebody.enter("13900000003")
    assert "没放行的话" not in somebody.page()  # approved, but its speaker lets no neighbour hear it
    assert "收好了" in somebody.send(f"/topics/{LIFT}/comment", text=WORDS, released="yes")
    until(lambda: (one := beside.opinion()) is not None and one.state == "review", 20, "it is to be reviewed")
    said = beside.opinion()
    assert said is not None
    assert (said.topic_id, said.evidence) == (LIFT, "attested")
    assert WORDS in at_the_desk(beside)
    until(lambda: "受理号" in somebody.page(), 20, "the receipt is shown")
    assert WORDS not in Visitor(beside.address).page()  # nobody has read it yet
    actor, now = Actor("st_test", said.community_id), datetime.now(UTC)
    approve(beside.place.archive, actor, said.id, now)
    reply(beside.place.archive, actor, said.id, ANSWER, now)
    until(lambda: ANSWER in Visitor(beside.address).page(), 20, "the answer is on the page")
    assert WORDS in Visitor(beside.address).page()
    somebody.send(f"/opinions/{said.id}/reaction", choice="agree")
    until(lambda: "赞同 1" in Visitor(beside.address).page(), 20, "the reaction counts")


def at_the_desk(beside: Beside) -> str:
    """What staff see of the list of voices."""
    with beside.place.archive.database.begin() as session:
        add_staff(session, "cm_test", "小李", "a long password")
    desk = requests.Session()
    form = desk.get(f"{beside.place.base}/desk/sign-in", timeout=60).text
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
    assert token is not None
    fields = {"csrf_token": token[1], "name": "小李", "password": "a long password"}
    assert desk.post(f"{beside.place.base}/desk/sign-in", data=fields, timeout=60).status_code == 200
    return desk.get(f"{beside.place.base}/desk/", timeout=60).text


def test_six_digits_heard_on_the_phone_make_account_and_caller_one(beside: Beside) -> None:
    before = beside.count()
    beside.call("13900000004", "1", "#", "1")
    until(lambda: beside.count().voters == before.voters + 1, 20, "the call counts")
    visitor = Visitor(beside.address)
    visitor.send("/enter", name="老王")
    visitor.send(f"/topics/{LIFT}/ballot", choice="disagree")
    until(
        lambda: beside.count().voters == before.voters + 2,
        20,
        "an account that nobody knows counts by itself",
    )
    assert beside.count().evidence["none"] == 1
    assert "号码不对" in visitor.send("/link", code="000 000")
    with beside.place.archive.database.begin() as session:
        number = find_number(session, beside.place.archive, "cm_test", "+8613900000004")
        assert number is not None
        caller = session.scalars(select(Person).where(Person.number_id == number.id)).one()
        code = issue_code(session, beside.place.archive, caller.id, datetime.now(UTC))
    assert "只算一票" in visitor.send("/link", code=str(code))
    until(lambda: beside.count().voters == before.voters + 1, 20, "they are one voter now")
    visitor.send(f"/topics/{LIFT}/ballot", choice="agree")
    until(lambda: beside.count().evidence.get("linked") == 1, 20, "the evidence says how they are one")
    assert beside.count().voters == before.voters + 1
    assert "已和电话连上" in visitor.page()


def test_a_worker_killed_again_and_again_tells_everything(beside: Beside) -> None:
    visitor = Visitor(beside.address)
    visitor.enter("13900000005")
    for step in range(1, 7):
        beside.place.stop("webhooks")
        beside.place.start("webhooks", die_at=step)
        before = times_told(beside)
        visitor.send(f"/topics/{LIFT}/ballot", choice=("agree", "disagree")[step % 2])
        until_told_or_dead(beside, before)
        beside.place.raise_up("webhooks")
        until_told(beside, before)
    assert beside.place.deaths["webhooks"] >= 3
    last = beside.count()
    beside.counts(last.choices["agree"], last.choices["disagree"], **last.evidence)


def times_told(beside: Beside) -> int:
    """How many webhooks the example has taken."""
    with beside.place.archive.database.read() as session:
        return len(session.scalars(select(Delivery.id).where(Delivery.status == 204)).all())


def until_told_or_dead(beside: Beside, before: int) -> None:
    place = beside.place
    until(lambda: not place.is_alive("webhooks") or times_told(beside) > before, 20, "it tells or dies")


def until_told(beside: Beside, before: int) -> None:
    until(lambda: times_told(beside) > before, 20, "it tells after all")


def test_nobody_else_can_hurry_it_or_send_its_forms(beside: Beside) -> None:
    told = requests.post(f"{beside.address}/hook", data=b"{}", headers={"webhook-id": "1"}, timeout=60)
    assert told.status_code == 401
    visitor = Visitor(beside.address)
    visitor.enter("13900000006")
    forged = visitor.session.post(
        f"{beside.address}/topics/{LIFT}/ballot", data={"choice": "agree"}, timeout=10
    )
    assert forged.status_code == 400
    with beside.place.archive.database.read() as session:
        assert session.get_one(Endpoint, beside.endpoint_id).state == "active"


@pytest.mark.skipif(
    CHROMIUM is None, reason="NO CHROMIUM HERE: the example was not looked at (apt install chromium)"
)
def test_in_a_browser_by_labels_and_keyboard_alone(beside: Beside, tmp_path: Path) -> None:
    until(lambda: "电梯的全称" in Visitor(beside.address).page(), 20, "the topics are copied")
    problems: list[str] = []
    with browsing(tmp_path / "nothing.wav") as page:
        page.on("console", lambda said: problems.append(f"{said.type}: {said.text}"))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(beside.address)
        assert page.title() == "桃源线上 · 邻里议事"
        page.get_by_label("手机号", exact=True).fill("13900000007")
        page.keyboard.press("Enter")
        page.get_by_label("验证码", exact=True).fill(page.locator("#shown strong").inner_text())
        page.keyboard.press("Enter")
        told(page, "您好")
        lift = page.get_by_role("article", name="电梯的全称")
        lift.get_by_role("button", name="不同意").press("Enter")
        told(page, "投票收到了")
        assert "您投的是“不同意”" in lift.get_by_role("group").inner_text()
        lift.get_by_label("我也说一句").fill("我在浏览器里说的")
        lift.get_by_role("button", name="说出来").press("Enter")
        told(page, "收好了")
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]),select,textarea,button')]"
            ".filter(e => !(e.labels?.length || e.ariaLabel || e.innerText.trim())).length"
        )
        assert unnamed == 0
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []


def told(page: Page, words: str) -> None:
    """Wait until the page has said so."""
    page.get_by_role("status").filter(has_text=words).wait_for()
