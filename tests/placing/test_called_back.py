"""Who rings and hangs up is called back, for free; who must not be called is not."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from sync.errors import RecordsUnavailable
from sync.records.tables import Call, Number, Request
from tests.placing.world import ELDER, TEN, World, says
from tests.web.platform import BASE


def test_who_rings_once_is_called_back_within_a_minute(any_world: World) -> None:
    any_world.set(missed_calls="canceled")
    any_world.rings_once()
    (order,) = any_world.look(times=3)
    assert any_world.api.refusals == []
    assert any_world.tries()[0].tried_at - TEN < timedelta(minutes=1)
    assert (order["To"], order["From"]) == (ELDER, "+8657112345678")
    assert order["MachineDetection"] == "Enable"
    assert order["Url"].startswith(f"{BASE}/calls/placed/pc_")
    phone = any_world.api.play(any_world.client, order, keys="1")
    assert says(phone.heard_first, "placed.called_back")
    assert "修路" in phone.said
    assert any_world.states() == ["reached"]
    assert any_world.look(times=3) == []
    with any_world.archive.database.read() as session:
        call = session.scalars(select(Call)).one()
    assert (call.flow, call.end_status, call.sid) == ("called_back", "completed", order.sid)
    assert call.number_id == any_world.placed()[0].number_id


def test_nobody_is_called_back_where_their_community_has_not_asked_for_it(world: World) -> None:
    phone = world.rings_once()
    assert phone.post(f"{BASE}/calls/status", CallStatus="canceled").status_code == 404
    assert world.look(times=2) == []
    assert world.placed() == []


def test_withheld_foreign_premium_and_our_own_numbers_get_nothing(world: World) -> None:
    world.set(missed_calls="always")
    for number in ("anonymous", "", "+8616812345678", "+12025550123", "+8657112345678"):
        world.rings_once(number)
        phone = world.caller(number).begin()  # whom nobody can call back is answered, as always
        assert phone.waits == "Gather", number
    assert world.placed() == []
    assert world.look() == []


def test_where_everybody_is_called_back_a_call_is_refused_and_so_costs_nothing(world: World) -> None:
    world.set(missed_calls="always")
    phone = world.caller().begin()
    assert phone.raw.endswith('<Response><Reject reason="busy"/></Response>')
    assert phone.begin().waits == "Reject"  # asked again
    assert phone.post(f"{BASE}/calls/status", CallStatus="busy").status_code == 204
    (order,) = world.look()
    world.api.play(world.client, order, keys="1")
    assert world.states() == ["reached"]
    assert world.caller(handset="browser", account="TJexchange").begin().waits == "Gather"  # for practice


def test_our_exchange_is_told_ahead_which_numbers_it_may_refuse_by_itself(any_world: World) -> None:
    world = any_world
    line = world.caller(account="TJexchange", handset="sip")

    def told() -> list[str]:
        answer = line.post(f"{BASE}/calls/unanswered")
        assert answer.status_code == 200
        return list(answer.json["numbers"])

    assert told() == []
    world.set(missed_calls="always")
    assert told() == ["+8657112345678"]
    assert world.caller().post(f"{BASE}/calls/unanswered").status_code == 403  # Twilio is not our exchange
    assert world.client.post(f"{BASE}/calls/unanswered").status_code == 403


def test_who_rang_at_night_while_we_were_away_is_not_called_at_night_when_we_are_back(world: World) -> None:
    world.set(missed_calls="canceled")
    world.clock.pass_by(hours=15)  # one in the morning
    rang = (world.clock() - timedelta(hours=3)).isoformat()
    phone = world.caller(account="TJexchange", handset="sip")
    assert phone.post(f"{BASE}/calls/status", CallStatus="canceled", CalledAt=rang).status_code == 204
    (placed,) = world.placed()
    assert placed.made_at == world.clock() - timedelta(hours=3)
    assert world.look(times=2) == []
    assert world.placed()[0].problem == "quiet"
    other = world.caller("+8613800138001", account="TJexchange", handset="sip")
    later = (world.clock() + timedelta(hours=8)).isoformat()  # no clock of ours: now is the latest
    other.post(f"{BASE}/calls/status", CallStatus="canceled", CalledAt=later)
    assert [one["To"] for one in world.look(times=2)] == ["+8613800138001"]


def test_a_line_that_cannot_dial_out_refuses_nobody(world: World) -> None:
    from tests.web.platform import open_app

    world.set(missed_calls="always")
    world.client = open_app(world.archive, clock=world.clock).test_client()
    assert world.caller().begin().waits == "Gather"


def test_a_call_that_was_begun_but_never_answered_is_a_missed_one(world: World) -> None:
    world.set(missed_calls="canceled")
    phone = world.caller().begin()
    phone.end("no-answer")
    phone.end("no-answer")
    assert [one.reason for one in world.placed()] == ["missed"]
    assert len(world.look()) == 1


def test_ringing_again_and_again_makes_no_more_calls_than_a_day_allows(world: World) -> None:
    world.set(missed_calls="canceled", calls_a_number=2)
    world.rings_once()
    world.rings_once()  # before we could call: the same wish
    assert len(world.placed()) == 1
    (first,) = world.look()
    world.api.play(world.client, first)
    world.rings_once()
    (second,) = world.look()
    world.api.play(world.client, second)
    world.rings_once()
    assert world.look(times=3) == []
    assert len(world.placed()) == 2


def test_who_did_not_answer_and_rings_again_at_night_is_called_at_once(world: World) -> None:
    world.set(missed_calls="canceled")
    world.clock.pass_by(hours=12)
    world.rings_once()
    (order,) = world.look()
    world.api.play(world.client, order, end="busy")
    world.clock.pass_by(minutes=30)
    world.rings_once()
    (again,) = world.look()
    world.api.play(world.client, again, keys="1")
    world.clock.pass_by(hours=12)
    assert world.look(times=2) == []
    assert [(one.state, one.problem) for one in world.placed()] == [
        ("canceled", "rang_again"),
        ("reached", None),
    ]


def test_who_called_again_meanwhile_and_is_on_the_telephone_is_not_rung(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    phone = world.caller().begin()
    assert world.look(times=2) == []
    assert world.placed()[0].problem == "engaged"
    phone.end()
    assert len(world.look(times=6)) == 1


def test_at_night_who_has_just_rung_is_called_and_who_did_not_answer_is_left_in_peace(world: World) -> None:
    world.set(missed_calls="canceled")
    world.clock.pass_by(hours=12)  # ten at night
    world.rings_once()
    (order,) = world.look()
    world.api.play(world.client, order, end="no-answer")
    assert world.look(times=2, seconds=3600) == []
    assert world.states() == ["waiting"]
    world.clock.pass_by(hours=8)  # eight, still the quiet of the night
    assert world.look() == []
    world.clock.pass_by(hours=2)
    (again,) = world.look(times=2, seconds=60)
    world.api.play(world.client, again, end="busy")
    assert world.states() == ["unreached"]


def test_who_found_all_lines_busy_is_called_and_leaves_the_desks_list(world: World) -> None:
    phone = world.caller(account="TJexchange", handset="sip").begin()
    phone.end("busy")
    world.settle()
    (order,) = world.look(times=2)
    assert [(one.reason, one.state) for one in world.placed()] == [("request", "calling")]
    world.api.play(world.client, order, end="no-answer")
    assert not _settled(world)
    (again,) = world.look(times=2, seconds=1000)
    world.api.play(world.client, again, keys="1")
    assert _settled(world)
    assert world.states() == ["reached"]


def test_the_desk_may_keep_those_calls_to_itself_and_whom_it_has_called_is_not_called_again(
    world: World,
) -> None:
    world.set(request_calls=False)
    world.caller(account="TJexchange", handset="sip").begin().end("busy")
    world.settle()
    assert world.look(times=2) == []
    world.set(request_calls=True, quiet_hours=[["09:00", "12:00"]])
    assert world.look() == []
    with world.archive.database.begin() as session:
        session.scalars(select(Request)).one().settled_at = world.clock()
    world.set(quiet_hours=[])
    world.clock.pass_by(hours=2)
    assert world.look() == []
    assert [(one.state, one.problem) for one in world.placed()] == [("canceled", "settled")]


def test_an_answering_machine_hears_nothing_and_is_left_alone_until_tomorrow(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    (order,) = world.look()
    phone = world.api.play(world.client, order, answered_by="machine_start")
    assert phone.raw.endswith("<Response><Hangup/></Response>")
    assert [one.answered_by for one in world.tries()] == ["machine"]
    assert world.look(times=8, seconds=3600) == []
    assert world.states() == ["waiting"]
    with world.archive.database.read() as session:
        assert session.scalars(select(Call)).all() == []


def test_who_may_be_a_mailbox_hears_who_calls_and_is_reached_by_a_key_alone(any_world: World) -> None:
    world = any_world
    world.set(missed_calls="canceled")
    world.rings_once()
    (order,) = world.look()
    phone = world.api.play(world.client, order, answered_by="unknown")  # who says and presses nothing
    assert phone.waits == "Gather"
    gathers = phone.document.findall("Gather")
    assert [one.get("action") for one in gathers] == [order["Url"]] * 2
    assert [one.tag for one in phone.document] == ["Gather", "Gather", "Say", "Hangup"]
    assert says(phone.said, "placed.anybody")
    assert "修路" not in phone.raw
    assert not says(phone.said, "placed.called_back")
    with world.archive.database.read() as session:
        assert session.scalars(select(Call)).all() == []
    assert [(one.state, one.problem, one.tries) for one in world.placed()] == [("waiting", "unknown", 1)]
    (again,) = world.look(times=2, seconds=400)
    phone = world.api.ring(world.client, again).answered(again["Url"], AnsweredBy="unknown")
    world.at_leisure(phone, "1")
    assert says(phone.said, "placed.called_back")
    assert world.states() == ["reached"]
    world.api.tell(phone, again, "completed", AnsweredBy="unknown")
    assert world.states() == ["reached"]


def test_a_call_is_told_by_its_own_line_alone_and_is_one_call(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    (order,) = world.look()
    other = world.caller(account="TJexchange", sid=order.sid)
    assert other.post(order["StatusCallback"], CallStatus="completed").status_code == 404
    assert other.answered(order["Url"]).waits == "Hangup"
    impostor = world.caller(sid="CAother")
    assert impostor.answered(order["Url"]).waits == "Hangup"
    assert world.states() == ["calling"]
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    first = phone.raw
    assert phone.answered(order["Url"], AnsweredBy="human").raw == first
    with world.archive.database.read() as session:
        assert len(session.scalars(select(Call)).all()) == 1
        assert len(session.scalars(select(Number)).all()) == 1


def _settled(world: World) -> bool:
    with world.archive.database.read() as session:
        return session.scalars(select(Request)).one().settled_at is not None


def test_while_the_records_are_away_who_has_answered_waits_and_is_then_spoken_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    (order,) = world.look()

    def away() -> None:
        raise RecordsUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(world.archive.database, "glimpse", away)
        phone = world.caller(order["From"], sid=order.sid).answered(order["Url"], AnsweredBy="human")
        assert phone.post(order["StatusCallback"], CallStatus="in-progress").status_code == 503  # told again
    assert phone.waits == "Redirect"
    assert phone.wait().waits == "Gather"
    assert world.states() == ["reached"]
    assert world.tries()[0].answered_by == "human"
