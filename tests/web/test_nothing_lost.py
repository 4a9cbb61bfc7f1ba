"""Repeats, disorder, haste, hang-ups and a broken database: what was given is kept, exactly once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from ivr.calls import Calls, settle_call
from speech.recognize import Recognizer
from sync.archive import Archive
from sync.jobs import open_worker
from sync.queue import WorkQueue
from sync.records.tables import Ballot, Call, CallTurn, Opinion, Recording
from sync.settle import settle_batch
from tests.conftest import found_community
from tests.web.conftest import add_topics, call_of, captures, kept
from tests.web.platform import BASE, NoQueue, Platform, UnhurriedClock, open_app, post
from tests.web.test_whole_calls import Phone, to_ballot, to_beep


def settle(archive: Archive, sid: str) -> None:
    """What the worker does when it is woken for this call."""
    Calls(archive, NoQueue(), lambda turn, manner: "").settle(call_of(archive, sid).id)


def opinions(archive: Archive) -> list[dict[str, object]]:
    return [one.payload for one in captures(archive) if one.kind == "opinion"]


def no_recognizer() -> Recognizer:
    raise AssertionError("nothing is recognised here")


# --- repeats, disorder, haste ---
def test_a_repeated_turn_gets_the_same_document_and_keeps_nothing_twice(
    phone: Phone, archive: Archive
) -> None:
    call = to_ballot(phone())
    address = call._attribute("Gather", "action")
    answers = {call.post(address, Digits="1").data for _ in range(3)}
    assert len(answers) == 1
    assert kept(archive) == [("ballot", "agree")]
    assert call.post(address, Digits="2").data in answers
    assert kept(archive) == [("ballot", "agree")]


def test_a_call_told_of_twice_begins_once(phone: Phone, archive: Archive) -> None:
    call = phone().begin()
    first = call.raw
    call.press("1")
    assert call.begin().raw == first
    assert len(list(_turns(archive))) == 2


def test_turns_out_of_order_change_nothing(phone: Phone, archive: Archive) -> None:
    call = to_ballot(phone())
    latest = call.raw
    far = call.post(f"{BASE}/calls/{call.sid}/turns/9", Digits="1")
    assert far.get_data(as_text=True) == latest
    earlier = call.post(f"{BASE}/calls/{call.sid}/turns/1", Digits="2")
    assert earlier.get_data(as_text=True) == next(turn.answer for turn in _turns(archive) if turn.n == 1)
    assert call_of(archive, call.sid).turn == 2
    assert kept(archive) == []


@pytest.mark.parametrize("at_once", [8])
def test_the_same_turn_many_times_at_once_is_one_turn(phone: Phone, archive: Archive, at_once: int) -> None:
    call = to_ballot(phone())
    address = call._attribute("Gather", "action")

    def knock(_: int) -> str:
        answer = Platform(call.client.application.test_client(), sid=call.sid).post(address, Digits="2")
        return answer.get_data(as_text=True)

    with ThreadPoolExecutor(at_once) as threads:
        answers = set(threads.map(knock, range(at_once)))
    assert len(answers) == 1
    assert kept(archive) == [("ballot", "disagree")]


def test_the_same_knocks_many_times_at_once_are_one_call(any_archive: Archive) -> None:
    add_topics(any_archive, found_community(any_archive).id)
    app = open_app(any_archive)

    def at_once(knock: Callable[[Platform], str]) -> str:
        with ThreadPoolExecutor(8) as threads:
            callers = [Platform(app.test_client(), sid="CAsame") for _ in range(8)]
            (answer,) = set(threads.map(knock, callers))
        return answer

    at_once(lambda caller: caller.begin().raw)
    at_once(lambda caller: caller.post(f"{BASE}/calls/CAsame/turns/1", Digits="1").get_data(as_text=True))
    at_once(lambda caller: caller.post(f"{BASE}/calls/CAsame/turns/2?silence=1").get_data(as_text=True))
    at_once(lambda caller: caller.post(f"{BASE}/calls/CAsame/turns/3", Digits="3").get_data(as_text=True))
    assert [turn.n for turn in _turns(any_archive)] == [0, 1, 2, 3]
    assert kept(any_archive) == [("ballot", "pass")]


def test_many_callers_at_once_are_all_counted(any_archive: Archive) -> None:
    add_topics(any_archive, found_community(any_archive).id)
    app = open_app(any_archive)

    def votes(caller: int) -> None:
        to_ballot(Platform(app.test_client(), caller=f"+86138000{caller:05}")).press("1").end()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(votes, range(24)))
    assert len({one.person_id for one in captures(any_archive)}) == 24
    settle_batch(any_archive)
    with any_archive.database.read() as session:
        assert len(session.scalars(select(Ballot)).all()) == 24


def test_a_double_tap_is_one_press(phone: Phone, archive: Archive, clock: UnhurriedClock) -> None:
    call = phone().begin().press("1")
    step = call_of(archive, call.sid).place["step"]
    clock.step_seconds = 0.4
    call.press("1")
    assert call_of(archive, call.sid).place["step"] == step
    clock.step_seconds = 3.0
    call.press("1")
    assert call_of(archive, call.sid).place["step"] != step


# --- hang-ups ---
def test_hanging_up_after_a_key_loses_nothing(phone: Phone, archive: Archive) -> None:
    call = to_ballot(phone()).press("1")
    assert call.end().status_code == 204
    assert call.end().status_code == 204
    row = call_of(archive, call.sid)
    assert (row.end_status, row.ended_at is not None) == ("completed", True)
    assert kept(archive) == [("ballot", "agree")]


def test_hanging_up_while_speaking_keeps_what_was_said(
    phone: Phone, archive: Archive, queue: NoQueue
) -> None:
    call = to_beep(phone())
    call.speak_and_hang_up_unheard(7)
    call.end()
    assert ("settle_call", {"call_id": call_of(archive, call.sid).id}) in queue.asked
    settle(archive, call.sid)
    settle(archive, call.sid)
    (opinion,) = opinions(archive)
    with archive.database.read() as session:
        recording = session.scalars(select(Recording)).one()
    assert (opinion["recordings"], recording.is_claimed) == ([recording.id], True)


def test_the_workers_job_keeps_it_too(
    phone: Phone, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.jobs._workplace", None)
    call = to_beep(phone())
    call.speak_and_hang_up_unheard(7)
    call.end()
    open_worker(archive, WorkQueue("redis://127.0.0.1:9"), no_recognizer, lambda line: ("", ""))
    settle_call(call_of(archive, call.sid).id)
    settle_batch(archive)
    with archive.database.read() as session:
        opinion = session.scalars(select(Opinion)).one()
    assert (opinion.topic_id, opinion.kind, len(opinion.receipt or "")) == ("tp_road", "opinion", 8)


def test_the_end_may_be_told_before_the_recording(phone: Phone, archive: Archive, queue: NoQueue) -> None:
    call = to_beep(phone())
    call.end()
    settle(archive, call.sid)
    assert opinions(archive) == []
    queue.asked.clear()
    call.speak_and_hang_up_unheard(7)
    assert ("settle_call", {"call_id": call_of(archive, call.sid).id}) in queue.asked
    settle(archive, call.sid)
    assert len(opinions(archive)) == 1


def test_the_action_after_the_hang_up_finds_everything_kept(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone())
    action = call._attribute("Record", "action")
    told = call.speak_and_hang_up_unheard(7)
    call.end()
    settle(archive, call.sid)
    late = call.post(action, **told, Digits="hangup")
    assert b"<Redirect" in late.data
    settle(archive, call.sid)
    assert len(opinions(archive)) == 1


def test_the_action_of_a_hang_up_keeps_at_once(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone())
    action = call._attribute("Record", "action")
    told = call.speak_and_hang_up_unheard(7)
    call.post(action, **told, Digits="hangup")
    call.end()
    settle(archive, call.sid)
    assert len(opinions(archive)) == 1


def test_a_recording_whose_turn_never_came_is_taken_after_a_minute(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone())
    call.speak_and_hang_up_unheard(7)
    settle(archive, call.sid)
    assert opinions(archive) == []
    with archive.database.begin() as session:
        session.execute(update(Recording).values(created_at=datetime.now(UTC) - timedelta(seconds=61)))
    settle(archive, call.sid)
    assert len(opinions(archive)) == 1


def test_a_recording_that_the_call_has_gone_past_is_kept_as_a_message(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone())
    action = call._attribute("Record", "action")
    call.wait()
    call.post(action, **call.recording(8), Digits="#")
    call.end()
    settle(archive, call.sid)
    settle(archive, call.sid)
    (opinion,) = opinions(archive)
    assert opinion["kind"] == "message"


def test_a_second_segment_cut_off_joins_the_first(phone: Phone, archive: Archive) -> None:
    call = to_beep(phone()).speak(150, ended_by="")
    call.speak_and_hang_up_unheard(30)
    call.end()
    settle(archive, call.sid)
    first, second = opinions(archive)
    assert first["opinion_id"] == second["opinion_id"]
    assert len(second["recordings"]) == 2  # type: ignore[arg-type]


# --- the door stays shut ---
@pytest.mark.parametrize(
    "path", ["/calls", "/calls/status", "/calls/C/status", "/calls/C/turns/1", "/calls/C/turns/1/recording"]
)
def test_an_unsigned_knock_is_refused(phone: Phone, archive: Archive, path: str) -> None:
    client = phone().client
    form = {"AccountSid": "AC1", "CallSid": "C", "From": "+8613800001111", "To": "+8657112345678"}
    assert client.post(path, data=form).status_code == 403
    assert post(client, BASE + path, form, "another secret").status_code == 403
    with archive.database.read() as session:
        assert session.scalars(select(Call)).all() == []


def test_another_line_cannot_answer_for_a_call(phone: Phone, archive: Archive) -> None:
    call = to_ballot(phone())
    stranger = Platform(call.client, account="TJexchange", sid=call.sid)
    response = stranger.post(call._attribute("Gather", "action"), Digits="1")
    assert b"/calls</Redirect>" in response.data
    assert stranger.end().status_code == 404
    assert kept(archive) == []


def test_a_turn_of_a_call_nobody_knows_leads_to_the_beginning(phone: Phone) -> None:
    response = phone().post(f"{BASE}/calls/CAnobody/turns/3", Digits="1")
    assert b"<Redirect" in response.data
    assert b"/calls</Redirect>" in response.data


# --- the records do not answer ---
@pytest.fixture
def impatient(archive: Archive, topics: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """The same records, opened by a program that waits for a lock only a moment."""
    monkeypatch.setattr("sync.database.BUSY_SECONDS", 0.1)
    opened = Archive.open(str(archive.database.url), archive.recordings.folder.parent)
    yield opened
    opened.close()


@pytest.fixture
def lock(archive: Archive) -> Iterator[Callable[[bool], None]]:
    """`lock(True)` keeps everybody else from writing."""
    holder = sqlite3.connect(Path(str(archive.database.url.database)), isolation_level=None)

    def hold(is_held: bool) -> None:
        holder.execute("BEGIN EXCLUSIVE" if is_held else "ROLLBACK")

    yield hold
    holder.close()


def test_a_locked_database_is_a_kind_sentence_and_the_key_is_not_lost(
    impatient: Archive, lock: Callable[[bool], None]
) -> None:
    call = to_ballot(Platform(open_app(impatient).test_client()))
    lock(True)
    call.press("2")
    assert [verb.tag for verb in call.document] == ["Say", "Play", "Redirect"]
    call.wait()
    lock(False)
    call.wait()
    assert call.waits == "Gather"
    assert kept(impatient) == [("ballot", "disagree")]


def test_a_recording_announced_to_a_locked_database_is_told_again(
    impatient: Archive, lock: Callable[[bool], None]
) -> None:
    call = to_beep(Platform(open_app(impatient).test_client()))
    callback = call._attribute("Record", "recordingStatusCallback")
    action, told = call._attribute("Record", "action"), call.recording(9)
    lock(True)
    assert call.post(callback, **told).status_code == 503
    call._hear(call.post(action, **told, Digits="#"))
    lock(False)
    assert call.post(callback, **told).status_code == 204
    call.wait()
    assert len(opinions(impatient)) == 1


def test_patience_has_an_end_and_the_end_is_kind(impatient: Archive, lock: Callable[[bool], None]) -> None:
    call = Platform(open_app(impatient).test_client())
    lock(True)
    call.begin().wait(5)
    assert [verb.tag for verb in call.document] == ["Say", "Hangup"]
    lock(False)
    assert Platform(call.client, sid=call.sid).begin().waits == "Gather"


def test_what_goes_wrong_is_logged_with_ids_only(
    impatient: Archive, lock: Callable[[bool], None], caplog: pytest.LogCaptureFixture
) -> None:
    call = Platform(open_app(impatient).test_client())
    lock(True)
    call.begin()
    lock(False)
    assert call.sid in caplog.text
    assert "RecordsUnavailable" in caplog.text
    assert "13800001111" not in caplog.text


def _turns(archive: Archive) -> list[CallTurn]:
    with archive.database.read() as session:
        return list(session.scalars(select(CallTurn).order_by(CallTurn.n)))
