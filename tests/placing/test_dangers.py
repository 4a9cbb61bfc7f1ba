"""The duty phone: called at any hour until somebody presses a key, told the kind and the receipt, no more."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import select

from speech.urgency import Danger
from sync.alerts import open_alerts, raise_alert, take_alert
from sync.erase import erase_person, withdraw_opinion
from sync.records.tables import Alert, Audit, Call, Change, Opinion, PlacedCall
from tests.placing.twilio_api import PlacedCall as Ordered
from tests.placing.world import COMMUNITY, ELDER, World
from tests.web.platform import Platform

DUTY = "+8613900139000"
OTHER_DUTY = "+8613900139001"
GAS = Danger("燃气", 0.9, ("煤气漏了",))


def _danger(world: World, duty: str = DUTY, danger: Danger = GAS) -> str:
    """Somebody has told of danger; the opinion's id."""
    world.set(duty_phone=duty)
    opinion_id = world.speaks(may_call="")
    with world.archive.database.begin() as session:
        opinion = session.get_one(Opinion, opinion_id, with_for_update=True)
        raise_alert(session, world.archive, opinion, danger, world.clock())
    return opinion_id


def _receipt(world: World, opinion_id: str) -> str:
    with world.archive.database.read() as session:
        return session.get_one(Opinion, opinion_id).receipt or ""


def _answered(world: World, order: Ordered) -> Platform:
    return world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")


def _alert(world: World, opinion_id: str) -> Alert:
    with world.archive.database.read() as session:
        return session.get_one(Alert, opinion_id)


def test_the_duty_phone_rings_at_night_until_somebody_presses_1(any_world: World) -> None:
    world = any_world
    world.clock.pass_by(hours=16)  # two in the morning there
    opinion_id = _danger(world)
    (order,) = world.look()
    assert order["To"] == DUTY
    said_at = _alert(world, opinion_id).said_at
    assert world.clock() - said_at < timedelta(minutes=2)

    phone = _answered(world, order)
    assert "像是漏煤气了" in phone.heard_first
    assert ELDER[3:] not in phone.said
    while phone.waits == "Gather":
        phone.wait()
    world.api.tell(phone, order, "completed")
    assert world.states() == ["waiting"]  # somebody picked up, nobody took it
    assert world.look() == []
    (again,) = world.look(seconds=61)

    phone = _answered(world, again)
    world.at_leisure(phone, "1")
    assert "这件事您来管" in phone.said
    world.api.tell(phone, again, "completed")
    world.settle()
    taken = _alert(world, opinion_id)
    assert (taken.taken_by, taken.taken_at is not None) == ("phone", True)
    assert world.states() == ["reached"]
    assert world.look(times=10, seconds=61) == []
    with world.archive.database.read() as session:
        kept = json.dumps([call.view for call in session.scalars(select(Call))], ensure_ascii=False)
        acts = session.scalars(select(Audit.act).where(Audit.subject == opinion_id)).all()
    assert "煤气" not in kept
    assert "alert_taken" in acts


def test_nobody_answering_is_tried_every_minute_and_then_less_often_past_every_cap(world: World) -> None:
    world.set(calls_a_number=1, calls_a_day=1, call_tries=1)
    _danger(world)
    placed = []
    for _ in range(60):
        for order in world.look(seconds=30):
            phone = world.api.ring(world.client, order)
            world.api.tell(phone, order, "no-answer")
            placed.append(world.clock())
    pauses = [later - earlier for earlier, later in pairwise(placed)]
    assert len(placed) >= 13
    assert max(pauses[:8]) <= timedelta(seconds=120)
    assert min(pauses[-2:]) >= timedelta(minutes=5)
    assert [one.state for one in world.placed()] == ["waiting"]
    world.clock.pass_by(hours=7)
    assert world.look() == []
    assert world.states() == ["expired"]


@pytest.mark.parametrize("how", ["desk", "withdrawn", "erased", "no duty phone"])
def test_what_is_seen_to_or_gone_calls_nobody(world: World, how: str) -> None:
    opinion_id = _danger(world)
    match how:
        case "desk":
            with world.archive.database.begin() as session:
                assert take_alert(session, opinion_id, "cm_other", "staff_1", world.clock()) is None
                assert take_alert(session, opinion_id, COMMUNITY, "staff_1", world.clock()) is True
                assert take_alert(session, opinion_id, COMMUNITY, "staff_2", world.clock()) is False
            assert _alert(world, opinion_id).taken_by == "staff_1"
        case "withdrawn":
            withdraw_opinion(world.archive, opinion_id, "staff_1")
        case "erased":
            with world.archive.database.read() as session:
                person_id = session.get_one(Opinion, opinion_id).person_id
            erase_person(world.archive, person_id, "staff_1")
        case _:
            world.set(duty_phone="")
    assert world.look(times=3) == []
    assert world.states() == [{"desk": "reached"}.get(how, "canceled")]
    with world.archive.database.read() as session:
        left = [one.opinion_id for one in open_alerts(session, COMMUNITY)]
    assert left == ([opinion_id] if how == "no duty phone" else [])


def test_one_call_tells_of_three_and_whoever_is_on_duty_now_is_called(world: World) -> None:
    first = [_danger(world, danger=Danger(kind, 0.9, ())) for kind in ("燃气", "火情", "自伤", "摔倒")]
    world.set(duty_phone=OTHER_DUTY)
    (order,) = world.look()
    assert order["To"] == OTHER_DUTY
    phone = _answered(world, order)
    heard = phone.heard_first
    assert [word in heard for word in ("漏煤气", "着火", "不想活", "摔倒")] == [True, True, True, False]
    world.at_leisure(phone, "1")
    world.api.tell(phone, order, "completed")
    world.settle()
    with world.archive.database.read() as session:
        assert [one.opinion_id for one in open_alerts(session, COMMUNITY)] == first[3:]
    (rest,) = world.look(times=2)
    assert rest["To"] == OTHER_DUTY
    assert sorted(world.states()) == ["calling", "reached", "reached", "reached"]


def test_without_a_duty_phone_the_desk_and_platforms_are_told(world: World) -> None:
    opinion_id = _danger(world, duty="")
    assert world.placed() == []
    with world.archive.database.begin() as session:
        acts = session.scalars(select(Change.act).where(Change.record_id == opinion_id)).all()
        opinion = session.get_one(Opinion, opinion_id)
        raise_alert(session, world.archive, opinion, GAS, world.clock())  # the job done twice
    assert acts.count("urgent") == 1
    with world.archive.database.read() as session:
        assert session.scalars(select(Change.act).where(Change.record_id == opinion_id)).all() == acts
        assert [one.calls for one in open_alerts(session, COMMUNITY)] == [0]
        assert session.scalars(select(PlacedCall)).all() == []


def test_a_duty_phone_is_a_number_that_a_person_answers(world: World) -> None:
    for wrong in ("110", "hello", "+869001234567", 5):
        with pytest.raises(ValueError, match="telephone number"):
            world.set(duty_phone=wrong)
    world.set(duty_phone="139 0013 9000")
    assert world.look() == []
