"""A reply calls those who agreed to it, says nothing of itself unasked, and asks whether it satisfied."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from sync.records.tables import Consent, Opinion, Reply, Satisfaction
from tests.placing.world import World, says


def _stage(world: World, opinion_id: str) -> str:
    with world.archive.database.read() as session:
        return session.get_one(Opinion, opinion_id).stage


def test_a_reply_calls_who_agreed_is_heard_on_asking_and_reopened_when_it_does_not_satisfy(
    any_world: World,
) -> None:
    world = any_world
    world.set(reply_calls=True)
    opinion_id = world.speaks()
    world.replies(opinion_id)
    (order,) = world.look(times=2)
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    assert says(phone.heard_first, "placed.reply")
    assert "路灯下周装好" not in phone.heard_first
    world.at_leisure(phone, "1", "#")
    assert "路灯下周装好" in phone.said
    world.at_leisure(phone, "*")
    assert "路灯下周装好" in phone.said  # once more
    world.at_leisure(phone, "#", "2")
    world.api.tell(phone, order, "completed")
    world.settle()
    assert _stage(world, opinion_id) == "reopened"
    with world.archive.database.read() as session:
        assert session.scalars(select(Satisfaction)).one().channel == "phone"
        assert session.scalars(select(Reply)).one().heard_at is not None
    assert world.states() == ["reached"]
    assert world.look(times=5, seconds=3600) == []


def test_who_was_not_asked_or_did_not_agree_is_not_called(world: World) -> None:
    world.set(reply_calls=True)
    for number, answer in (("+8613800138001", "2"), ("+8613800138002", "")):
        world.replies(world.speaks(number, may_call=answer))
    assert world.look(times=3) == []
    assert world.placed() == []
    with world.archive.database.read() as session:
        answers = session.scalars(select(Consent.answer).where(Consent.purpose == "call_back")).all()
    assert answers == ["refused"]


def test_it_is_asked_only_where_it_can_be_done_and_not_again_soon(world: World) -> None:
    phone = world.caller().begin()
    world.at_leisure(phone, "2", "4").wait_until("Record").speak()
    assert "打电话告诉您" not in world.at_leisure(phone, "1", "1").said  # this community calls nobody
    phone.end()
    world.set(reply_calls=True)
    world.speaks(may_call="2")
    again = world.caller().begin()
    world.at_leisure(again, "2", "4").wait_until("Record").speak()
    assert "打电话告诉您" not in world.at_leisure(again, "1", "1").said
    again.end()
    world.clock.pass_by(days=100)
    later = world.caller().begin()
    world.at_leisure(later, "2", "4").wait_until("Record").speak()
    assert "打电话告诉您" in world.at_leisure(later, "1", "1").said


def test_nothing_pressed_means_left_in_peace_and_nothing_said(world: World) -> None:
    world.set(reply_calls=True)
    world.replies(world.speaks())
    (order,) = world.look(times=2)
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    heard = [phone.said]
    while phone.waits == "Gather":
        heard.append(phone.wait().said)
    assert phone.waits == "Hangup"
    assert "路灯" not in "".join(heard)
    assert "打扰您了" in heard[-1]
    assert len(heard) == 4
    world.api.tell(phone, order, "completed")
    assert world.states() == ["reached"]


def test_where_nobody_can_tell_who_listens_not_even_that_there_is_a_reply_is_said(world: World) -> None:
    world.set(reply_calls=True)
    world.replies(world.speaks())
    (order,) = world.look(times=2)
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="unknown")
    assert says(phone.said, "placed.anybody")
    assert "您提的意见" not in phone.said
    assert "路灯" not in phone.said
    phone.press("1")
    assert says(phone.said, "placed.reply")
    assert world.states() == ["reached"]


def test_a_private_reply_is_read_only_after_the_receipts_last_digits(world: World) -> None:
    world.set(reply_calls=True)
    opinion_id = world.speaks()
    world.replies(opinion_id, "您家的补贴批下来了。", is_private=True)
    (order,) = world.look(times=2)
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    with world.archive.database.read() as session:
        receipt = session.get_one(Opinion, opinion_id).receipt or ""
    wrong = "0000" if receipt[-4:] != "0000" else "1111"
    world.at_leisure(phone, "1", "#", wrong)
    assert "补贴" not in phone.said
    world.at_leisure(phone, receipt[-4:])
    assert "补贴" in phone.said


def test_one_key_and_such_calls_come_no_more(world: World) -> None:
    world.set(reply_calls=True)
    world.replies(world.speaks())
    (order,) = world.look(times=2)
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    assert "以后有回复不打给您了" in world.at_leisure(phone, "8").said
    world.api.tell(phone, order, "completed")
    world.settle()
    world.clock.pass_by(minutes=5)
    world.replies(world.speaks(may_call=""))
    assert world.look(times=3) == []


def test_what_was_heard_taken_back_or_answered_anew_meanwhile_is_not_called_about(world: World) -> None:
    world.set(reply_calls=True, quiet_hours=[["09:00", "12:00"]])
    heard, renewed = world.speaks(), world.speaks(may_call="")
    world.replies(heard)
    world.replies(renewed, "再等等。")
    assert world.look() == []
    with world.archive.database.begin() as session:
        session.scalars(select(Reply).where(Reply.opinion_id == heard)).one().heard_at = world.clock()
    world.replies(renewed, "装好了。")
    world.clock.pass_by(hours=3)
    (order,) = world.look(times=3)
    told = {one.problem for one in world.placed() if one.state == "canceled"}
    assert told == {"heard", "newer_reply"}
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    assert "装好了" in world.at_leisure(phone, "1", "#").said


def test_a_consent_taken_back_before_the_call_stops_it(world: World) -> None:
    world.set(reply_calls=True, quiet_hours=[["09:00", "12:00"]])
    opinion_id = world.speaks()
    with world.archive.database.begin() as session:
        yes = session.scalars(select(Consent).where(Consent.purpose == "call_back")).one()
        earlier = {name: getattr(yes, name) for name in ("source", "community_id", "person_id", "purpose")}
        earlier |= {"answer": "pressed", "version": "1", "given_at": yes.given_at - timedelta(days=9)}
        session.add(
            Consent(id="con_earlier", source_id="earlier", **earlier)
        )  # an older yes is no yes any more
    world.replies(opinion_id)
    assert world.look() == []
    with world.archive.database.begin() as session:
        session.get_one(Consent, yes.id).withdrawn_at = world.clock()
    world.clock.pass_by(hours=3)
    assert world.look() == []
    assert [one.problem for one in world.placed()] == ["consent_withdrawn"]
