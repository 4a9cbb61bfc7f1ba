"""Whole conversations through the door: real app, real records, real signatures."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from sync.archive import Archive
from sync.people import find_or_create_number
from sync.records.tables import Call, CallTurn, Community, Household, Number, Person, Recording, Resident
from tests.web.conftest import call_of, captures, kept
from tests.web.platform import NoQueue, Platform

Phone = Callable[..., Platform]


def to_ballot(phone: Platform) -> Platform:
    """From the greeting to the first topic's ballot, its background heard to the end."""
    phone.begin().press("1").wait()
    return phone


def to_beep(phone: Platform) -> Platform:
    """From the greeting to the beep of the first topic, the notice agreed to."""
    to_ballot(phone).press("1").press("2").press("1")
    return phone.wait_until("Record", most=2)


def test_a_caller_votes_speaks_and_gets_a_receipt(phone: Phone, archive: Archive, queue: NoQueue) -> None:
    call = to_beep(phone()).speak(12)
    call.press("1").press("1")  # keep it; neighbours may hear the words
    assert kept(archive) == [("ballot", "agree"), ("consent", "pressed"), ("opinion", ""), ("release", "")]
    ballot, consent, opinion, release = captures(archive)
    assert (ballot.topic_id, ballot.channel, ballot.evidence) == ("tp_road", "phone", "caller_id")
    assert consent.payload == {"purpose": "recording", "answer": "pressed", "version": "1"}
    assert opinion.topic_id == "tp_road"
    assert len(opinion.payload["receipt"]) == 8
    wish = {"opinion_id": opinion.payload["opinion_id"], "release": "words", "version": "1"}
    assert release.payload == wish
    with archive.database.read() as session:
        recording = session.scalars(select(Recording)).one()
    assert opinion.payload["recordings"] == [recording.id]
    assert (recording.is_claimed, recording.state, recording.seconds) == (True, "announced", 12.0)
    assert recording.url == f"https://platform.example/{recording.sid}"
    assert ("fetch_recording", {"recording_id": recording.id}) in queue.asked
    assert ("settle", {}) in queue.asked


def test_the_receipt_that_is_said_is_the_receipt_that_is_kept(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone()).speak(12).press("1").press("3")
    receipt = next(one.payload["receipt"] for one in captures(archive) if one.kind == "opinion")
    place = call_of(archive, call.sid).place
    assert place["memory"]["receipt"] == receipt


def test_a_caller_who_never_presses_anything_reaches_the_beep(phone: Phone, archive: Archive) -> None:
    phone().begin().wait_until("Record").speak(9, ended_by="")
    assert [kind for kind, _ in kept(archive)] == ["consent", "opinion"]


def test_a_long_opinion_is_one_opinion_of_several_segments(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone()).speak(150, ended_by="")
    assert call.waits == "Record"
    call.speak(20)
    opinions = [one.payload for one in captures(archive) if one.kind == "opinion"]
    assert [len(payload["recordings"]) for payload in opinions] == [1, 2]
    assert len({payload["opinion_id"] for payload in opinions}) == 1
    assert len({payload["receipt"] for payload in opinions}) == 1


def test_saying_it_again_drops_the_first_version(phone: Phone, archive: Archive) -> None:
    to_beep(phone()).speak(12).press("3").wait_until("Record").speak(14)
    assert [kind for kind, _ in kept(archive)][-3:] == ["opinion", "opinion_dropped", "opinion"]
    first, dropped, second = captures(archive)[-3:]
    assert dropped.payload["opinion_id"] == first.payload["opinion_id"] != second.payload["opinion_id"]


def test_what_was_said_is_played_back_from_a_signed_link(phone: Phone) -> None:
    call = to_beep(phone()).speak(12).press("2")
    links = [play.text or "" for play in call.document.iter("Play")]
    assert any("/media/voice/" in link for link in links)


def test_a_second_voter_at_the_same_number_gets_a_seat(phone: Phone, archive: Archive) -> None:
    to_ballot(phone()).press("1").end()
    second = to_ballot(phone())
    assert captures(archive)[-1].kind == "ballot"
    second.press("2").press("2")  # somebody else; disagree
    first_ballot, second_ballot = captures(archive)
    assert (first_ballot.payload["choice"], second_ballot.payload["choice"]) == ("agree", "disagree")
    assert first_ballot.person_id != second_ballot.person_id
    third = to_ballot(phone())
    third.press("2").press("3")  # the second of both changes their vote
    assert captures(archive)[-1].person_id == second_ballot.person_id
    assert captures(archive)[-1].payload["choice"] == "pass"


def test_the_same_voter_may_change_their_vote(phone: Phone, archive: Archive) -> None:
    to_ballot(phone()).press("1").end()
    to_ballot(phone()).press("1").press("2")
    first_ballot, second_ballot = captures(archive)
    assert first_ballot.person_id == second_ballot.person_id


def test_a_withheld_number_is_a_new_person_each_call_and_knows_one_seat(
    phone: Phone, archive: Archive
) -> None:
    for _ in range(2):
        to_ballot(phone(caller="anonymous")).press("1").end()
    ballots = captures(archive)
    assert {one.evidence for one in ballots} == {"none"}
    assert len({one.person_id for one in ballots}) == 2
    again = to_ballot(phone(caller="anonymous")).press("1").press("3").press("1").press("2")
    assert captures(archive)[-1].payload["choice"] == "disagree", again.raw
    assert captures(archive)[-1].person_id == captures(archive)[-2].person_id


def test_calls_of_the_simulated_phones_are_practice(phone: Phone, archive: Archive) -> None:
    to_ballot(phone(account="TJexchange", handset="browser")).press("1")
    to_ballot(phone(account="TJexchange", handset="sip", caller="+8613800002222")).press("1")
    to_ballot(phone(handset="browser", caller="+8613800003333")).press("1")
    assert [one.is_practice for one in captures(archive)] == [True, False, False]
    assert [one.source for one in captures(archive)] == ["exchange", "exchange", "twilio"]


def test_the_pace_is_remembered_for_the_next_call(phone: Phone, archive: Archive) -> None:
    phone().begin().press("*").press("*").end()
    with archive.database.read() as session:
        assert session.scalars(select(Number.is_slow)).one()
    next_call = phone().begin()
    assert call_of(archive, next_call.sid).view["is_slow"]


def test_nobody_at_that_number(phone: Phone, archive: Archive) -> None:
    call = phone(dialled="+8657100000000").begin()
    assert [verb.tag for verb in call.document] == ["Say", "Hangup"]
    with archive.database.read() as session:
        assert session.scalars(select(Call)).all() == []


def test_a_dropped_call_may_resume_within_half_an_hour(phone: Phone, archive: Archive) -> None:
    to_ballot(phone()).end()
    soon = phone().begin()
    assert call_of(archive, soon.sid).view["resume_step"] == "topic.tp_road.ballot"
    assert call_of(archive, soon.sid).place["step"] == "resume"
    soon.end()
    with archive.database.begin() as session:
        session.execute(update(Call).values(turned_at=datetime.now(UTC) - timedelta(minutes=31)))
    late = phone().begin()
    assert call_of(archive, late.sid).view["resume_step"] is None


def test_a_call_that_came_to_its_end_has_nothing_to_resume(phone: Phone, archive: Archive) -> None:
    call = phone().begin().wait_until("Hangup")
    call.end()
    assert call_of(archive, call.sid).end_status == "finished"
    assert call_of(archive, phone().begin().sid).view["resume_step"] is None


def test_a_number_of_the_roster_that_never_called_has_its_home_and_evidence(
    phone: Phone, archive: Archive, community: Community
) -> None:
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, community.id, "+8613800001111")
        session.add(Household(id="hh_1", community_id=community.id, reference="1-2-301"))
        session.flush()
        for seat in (1, 2, 3):
            resident = Resident(
                id=f"rs_{seat}",
                community_id=community.id,
                household_id="hh_1",
                number_id=number.id,
                key_id=archive.keyring.new_key(session),
                sealed_name=b"",
                seat=seat,
            )
            session.add(resident)
    call = to_ballot(phone()).press("1")
    (ballot,) = captures(archive)
    assert ballot.evidence == "roster"
    assert call_of(archive, call.sid).view["seats"] == 3
    with archive.database.read() as session:
        assert session.get_one(Person, ballot.person_id).household_id == "hh_1"


def test_the_stored_turns_hold_no_telephone_numbers(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone()).speak(12)
    with archive.database.read() as session:
        for turn in session.scalars(select(CallTurn)):
            assert "13800001111" not in f"{turn.heard}{turn.answer}"
        row = session.scalars(select(Call).where(Call.sid == call.sid)).one()
        assert "13800001111" not in f"{row.view}{row.place}"


def test_a_receipt_is_known_before_the_merge_and_guessing_is_locked(phone: Phone, archive: Archive) -> None:
    to_beep(phone()).speak(12).end()
    receipt = captures(archive)[-1].payload["receipt"]
    from_home = phone().begin().press("3").press("2").press(receipt)
    assert call_of(archive, from_home.sid).place["memory"]["opinion_id"]
    elsewhere = phone(caller="+8613800009999").begin().press("3").press("2").press(receipt)
    memory = call_of(archive, elsewhere.sid).place["memory"]
    assert (memory["stage"], memory["opinion_id"]) == ("received", "")


@pytest.mark.parametrize("calls", [1, 2])
def test_five_wrong_receipts_lock_the_telephone_not_only_the_call(
    phone: Phone, archive: Archive, calls: int
) -> None:
    for _ in range(calls):
        call = phone().begin().press("3").press("2")
        for _ in range(5):
            if call_of(archive, call.sid).place["step"] != "receipt":
                break
            call.press("00000001")
    last = phone().begin().press("3").press("2").press("00000001")
    assert call_of(archive, last.sid).place["step"] == "news.1"
