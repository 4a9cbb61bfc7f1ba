"""A desk with something on every page, and the address of each page: for walks through all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import roster_import
from admin.demo.seed import COMMUNITY_ID
from admin.staff import add_staff
from sync import assigning, broadcasting, desk, milestones
from sync.broadcasting import Item, Rule, When
from sync.desk import Actor
from sync.inbox import Given, keep
from sync.milestones import Stage
from sync.placing.wishes import wish_missed
from sync.platforms import add_platform
from sync.records.tables import (
    Airing,
    Call,
    Endpoint,
    Opinion,
    PlacedCall,
    PlacedTry,
    Play,
    Programme,
    Satisfaction,
    Staff,
    new_id,
    record_id,
)
from sync.settle import settle_batch
from tests.admin.desk import Desk
from tests.admin.spoken import speak

LAMPS = record_id("tp", "demo", "lamps")
PASSWORD, CALLER = "a long password", "+8613800000001"
LONG = ["东巷口", "的", "路等?", "坏", "了", "三天", "，", "我", "叫", "王桂兰", "，", "晚上", "出门",
        "看不见", "，", "打", "电话", "给", "吴业?", "也", "不管"]  # fmt: skip
NEAR = ["东巷口", "路灯", "坏", "了", "，", "晚上", "看不见", "，", "物业", "不管"]
# Answers that are no page: files, sounds, states for scripts; the sign-in is walked before signing in.
NO_PAGES = frozenset(
    {
        "desk.static", "desk.sign_in", "desk.sound", "desk.spoken_sound", "desk.polis", "desk.export",
        "desk.audit_file", "desk.broadcast_files", "desk.broadcast_sound", "desk.broadcast_state",
        "desk.broadcast_week", "desk.library", "desk.prompt_sound", "desk.prompt_take", "desk.topic_sound",
    }
)  # fmt: skip


def furnish(desk_: Desk) -> dict[str, str]:
    """Put something on every page; for every placeholder of an address a value that leads somewhere."""
    archive, now = desk_.archive, datetime.now(UTC)
    opinion_id = _opinions(desk_, now)
    with archive.database.begin() as session:
        staff = session.scalars(select(Staff).where(Staff.name == desk_.account.name)).one()
        who = Actor(staff.id, COMMUNITY_ID)
        _stages(session, who, now)
        _placed_calls(session, desk_, now)
        _calls(session, session.get_one(Opinion, opinion_id), now)
        programme_id, airing_id, loudspeaker_id = _broadcasts(session, desk_, who, now)
        draft = roster_import.check(
            session, archive, who, "户,姓名,电话,座次\n9幢101,新来的人,13800000777,1\n".encode(), now
        )
        person_id = session.get_one(Opinion, opinion_id).person_id
        return {
            "opinion_id": opinion_id,
            "topic_id": LAMPS,
            "programme_id": programme_id,
            "airing_id": airing_id,
            "loudspeaker_id": loudspeaker_id,
            "endpoint_id": _endpoint(session, desk_, now),
            "import_id": draft.id,
            "person_id": person_id,
            "what": "opinions",
            "key": "menu.main",
        }


def pages(desk_: Desk, values: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(endpoint, address) of every page that can be opened by a link."""
    for rule in sorted(desk_.app.url_map.iter_rules(), key=lambda rule: rule.rule):
        is_page = rule.endpoint.startswith("desk.") and "GET" in (rule.methods or ())
        if is_page and rule.endpoint not in NO_PAGES:
            built = rule.build({name: values[name] for name in rule.arguments})
            assert built is not None, rule.rule
            yield rule.endpoint, built[1]


def _opinions(desk_: Desk, now: datetime) -> str:
    archive = desk_.archive
    first = speak(archive, LONG, "first", LAMPS, days_ago=2)
    speak(archive, NEAR, "near", LAMPS, "+8613800000002", days_ago=1.5)
    speak(archive, ["厨房", "现在", "漏", "煤气", "，", "快来人"], "urgent", None, "+8613800000003", 0.1)
    speak(archive, [], "listen", None, "+8613800000004", 0.5)
    with archive.database.begin() as session:
        colleague = add_staff(session, COMMUNITY_ID, "小李", PASSWORD, "reviewer")
        who = Actor(colleague.id, COMMUNITY_ID)
        caller = session.get_one(Opinion, first)
        wish = {"reason": "person"}
        keep(session, Given("test", "wish", COMMUNITY_ID, caller.person_id, "request", None, wish, "phone",
                            "caller_id", False, now), now)  # fmt: skip
    settle_batch(archive)
    desk.correct(archive, who, first, "东巷口的路灯坏了三天，我叫王桂兰，打电话给物业也不管", now)
    assigning.assign(archive, who, first, who.id, now.date() + timedelta(days=2), now)
    return first


def _calls(session: Session, opinion: Opinion, now: datetime) -> None:
    """A month of calls, half of which came to their end; somebody content with an answer."""
    steps = ("topic.x.ballot", "topic.x.ballot", "topic.x.notice", "topic.x.listen", "other.record", "main")
    for n in range(36):
        began = now - timedelta(hours=13 * n)
        session.add(
            Call(
                id=new_id("cl"), sid=f"walk-{n}", community_id=COMMUNITY_ID, person_id=opinion.person_id,
                line="exchange", handset="sip", is_practice=False, view={}, place={"step": steps[n % 6]},
                began_at=began, turned_at=began, ended_at=began + timedelta(seconds=40 + 7 * n),
                end_status="finished" if n % 2 else "completed",
            )
        )  # fmt: skip
    session.add(
        Satisfaction(
            id=new_id("sat"), opinion_id=opinion.id, person_id=opinion.person_id, is_satisfied=True,
            given_at=now, channel="phone", source="test", source_id="walk",
        )
    )  # fmt: skip


def _placed_calls(session: Session, desk_: Desk, now: datetime) -> None:
    """Two people who rang and hung up: one waits, the other did not answer and waits for a second try."""
    for number, about in (("+8613800138001", "test/CA1"), ("+8613800138002", "test/CA2")):
        assert wish_missed(session, desk_.archive, COMMUNITY_ID, number, about, now)
    tried = session.scalars(select(PlacedCall).where(PlacedCall.about == "test/CA2")).one()
    tried.tries, tried.problem, tried.next_try_at = 1, "no-answer", now + timedelta(minutes=10)
    session.add(
        PlacedTry(placed_id=tried.id, n=1, line="test", status="no-answer", tried_at=now, ended_at=now)
    )


def _stages(session: Session, who: Actor, now: datetime) -> None:
    for title, owner, days in (("看现场", "网格员", -3), ("装灯", "物业工程部", 20)):
        due_on = (now.date() + timedelta(days=days)).isoformat()
        milestones.plan(session, who, LAMPS, Stage(title, "三盏灯晚上都亮", owner, due_on), now)


def _broadcasts(session: Session, desk_: Desk, who: Actor, now: datetime) -> tuple[str, str, str]:
    """A programme with a schedule, a rule, a loudspeaker, and an airing that was played there."""
    items = [Item("chime"), Item("notice", "明天上午九点到十一点停水，请大家先接一桶。"), Item("call")]
    programme_id = broadcasting.compose(session, who, "停水通知", items, now)
    loudspeaker_id, _ = broadcasting.add_loudspeaker(
        session, desk_.archive, who, "东巷口大喇叭", "files", now, place="东巷口电线杆", area="东区"
    )
    evening = When(("18:30",), now.date().isoformat())
    broadcasting.schedule(session, who, programme_id, evening, now)
    broadcasting.add_rule(session, who, "每晚新消息", Rule(), evening, now)
    programme = session.get_one(Programme, programme_id)
    began = now - timedelta(hours=1)
    airing = Airing(
        id=new_id("ai"), natural_key="test", community_id=COMMUNITY_ID, programme_id=programme.id,
        state="done", seconds=21.0, due_at=began, expires_at=began + timedelta(minutes=10), began_at=began,
        ended_at=began + timedelta(seconds=21), made_by=who.id,
    )  # fmt: skip
    session.add(airing)
    session.flush()
    session.add(
        Play(
            id=new_id("pl"), airing_id=airing.id, loudspeaker_id=loudspeaker_id, community_id=COMMUNITY_ID,
            state="failed", volume=60, due_at=began, error="unreachable",
        )
    )  # fmt: skip
    return programme_id, airing.id, loudspeaker_id


def _endpoint(session: Session, desk_: Desk, now: datetime) -> str:
    platform, _ = add_platform(session, COMMUNITY_ID, "街道小程序", ["changes:read"], actor="test")
    endpoint_id = new_id("we")
    key_id, sealed = desk_.archive.keyring.seal_anew(session, b"secret", endpoint_id)
    session.add(
        Endpoint(
            id=endpoint_id, platform_id=platform.id, community_id=COMMUNITY_ID, key_id=key_id,
            url="https://platform.example/hook", sealed_secret=sealed, cursor="", created_at=now,
            state_at=now,
        )
    )  # fmt: skip
    session.flush()
    return endpoint_id
