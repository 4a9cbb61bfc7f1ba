"""The worker: everything due is found in the records, done once, with Redis or without, killed or not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from sync import jobs, leases
from sync.archive import Archive
from sync.due import due
from sync.jobs import Workplace, do_here, fetch_recording, open_worker, settle, sweep, transcribe
from sync.queue import WorkQueue
from sync.records.tables import Call, Capture, Community, Opinion, Recording, Transcript
from sync.settle import settle_batch
from sync.storing import store_recording
from sync.words import transcribe_opinion
from tests.sync.recording_source import PASSWORD, USER, RecordingSource, a_wav, credentials, source
from tests.sync.redis_server import RedisServer, redis_server
from tests.sync.voices import NOW, Parrot, Said, opinion_of, say

__all__ = ["redis_server", "source"]

NO_REDIS = "unix:///nowhere/redis.sock"


@pytest.fixture
def here(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """This process as a worker, without Redis, at a moment that tests choose."""
    monkeypatch.setattr(jobs, "_workplace", None)
    parrot = Parrot()
    return open_worker(archive, WorkQueue(NO_REDIS), lambda: parrot, credentials, clock=lambda: NOW)


def names(archive: Archive, now: datetime = NOW) -> list[str]:
    """What is due, as words."""
    with archive.database.read() as session:
        return [" ".join((one.job, *one.arguments.values())) for one in due(session, now)]


def recording_of(archive: Archive, said: Said, n: int = 0) -> Recording:
    with archive.database.read() as session:
        return session.get_one(Recording, said.recordings[n])


def until(is_so: Callable[[], bool], seconds: float = 30.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.05)


def test_what_is_due_follows_a_voice_from_the_inbox_to_review(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    assert names(archive) == ["settle", "fetch_recording rec_1_0"]
    settle()
    assert names(archive) == ["fetch_recording rec_1_0"]
    fetch_recording("rec_1_0")
    assert names(archive) == [f"transcribe {said.opinion_id}"]
    assert source.recordings == {}, "the source was told to forget it"
    transcribe(said.opinion_id)
    assert names(archive) == []
    assert opinion_of(archive, said).state == "review"


def test_every_job_may_be_repeated(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    for _ in range(3):
        settle()
        fetch_recording("rec_1_0")
        transcribe(said.opinion_id)
    with archive.database.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Opinion, Transcript)]
    assert counts == [1, 1]
    assert [method for method, _, _ in source.requests] == ["GET", "DELETE"]


def test_the_recording_in_the_store_opens_only_with_its_persons_key(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    sound = a_wav(2)
    said = say(archive, community, [source.add("RE0", sound)])
    fetch_recording("rec_1_0")
    recording = recording_of(archive, said)
    assert (recording.state, recording.seconds) == ("stored", 2.0)
    sealed = archive.recordings.get("rec_1_0")
    assert sound[100:200] not in sealed
    with archive.database.read() as session:
        from sync.sound import unsealed

        assert unsealed(session, archive, recording) == sound


def test_an_opinion_waits_for_its_last_segment_and_for_the_end_of_the_call(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add(f"RE{n}", a_wav()) for n in (0, 1)], is_over=False)
    settle()
    fetch_recording("rec_1_0")
    assert names(archive) == ["fetch_recording rec_1_1"]
    fetch_recording("rec_1_1")
    assert names(archive) == []
    with archive.database.begin() as session:
        session.get_one(Call, "cl_1").ended_at = NOW
    assert names(archive) == [f"transcribe {said.opinion_id}"]


def test_a_call_whose_end_was_never_told_is_over_after_ten_minutes(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())], is_over=False)
    settle()
    fetch_recording("rec_1_0")
    assert names(archive, NOW + timedelta(minutes=9)) == []
    assert names(archive, NOW + timedelta(minutes=11)) == [f"transcribe {said.opinion_id}"]


def test_a_recording_no_turn_has_taken_wakes_its_call(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    say(archive, community, [source.add("RE0", a_wav())])
    settle()
    fetch_recording("rec_1_0")
    with archive.database.begin() as session:
        session.get_one(Recording, "rec_1_0").is_claimed = False
    assert "settle_call cl_1" in names(archive)


def test_a_source_that_is_away_is_asked_again_later_and_later(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    settle()
    waits, now = [], NOW
    for _ in range(4):
        source.moods = [503]
        store_recording(archive, "rec_1_0", credentials, lambda now=now: now, pauses=())  # type: ignore[misc]
        recording = recording_of(archive, said)
        assert recording.state == "announced"
        assert recording.problem == "the source answered 503"
        assert recording.next_try_at is not None
        waits.append((recording.next_try_at - now).total_seconds())
        assert names(archive, now) == []
        now = recording.next_try_at
    assert waits == [5, 15, 60, 120]
    assert store_recording(archive, "rec_1_0", credentials, lambda: now, pauses=()) == "stored"


def test_a_recording_that_never_appears_is_missing_and_its_opinion_waits_for_an_ear(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [f"{source.base}/recordings/lost.wav"])
    settle()
    late = NOW + timedelta(hours=7)
    assert store_recording(archive, "rec_1_0", credentials, lambda: NOW, pauses=()) is None
    assert store_recording(archive, "rec_1_0", credentials, lambda: late, pauses=()) == "missing"
    assert names(archive, late) == [f"transcribe_later {said.opinion_id}"]
    transcribe(said.opinion_id)
    opinion = opinion_of(archive, said)
    assert (opinion.state, opinion.needs_listening) == ("review", True)


def test_the_source_keeps_its_copy_until_ours_is_safe(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    settle()
    folder, archive.recordings.folder = archive.recordings.folder, Path("/proc/nowhere")
    fetch_recording("rec_1_0")
    assert source.recordings, "a full disk: the source still has it"
    recording = recording_of(archive, said)
    assert recording.state == "announced"
    assert "can't be written" in (recording.problem or "")
    archive.recordings.folder = folder
    soon = NOW + timedelta(seconds=5)
    assert store_recording(archive, "rec_1_0", credentials, lambda: soon) == "stored"
    assert source.recordings == {}


def test_an_acknowledgement_that_failed_is_repeated(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    settle()
    answers = iter([(USER, PASSWORD), ("", "")])  # the second request, DELETE, is refused
    store_recording(archive, "rec_1_0", lambda _: next(answers), lambda: NOW, pauses=())
    assert recording_of(archive, said).acknowledged_at is None
    assert source.recordings
    later = NOW + timedelta(minutes=1)
    assert "fetch_recording rec_1_0" in names(archive, later)
    store_recording(archive, "rec_1_0", credentials, lambda: later, pauses=())
    assert recording_of(archive, said).acknowledged_at == later
    assert source.recordings == {}
    assert [method for method, _, _ in source.requests] == ["GET", "DELETE", "DELETE"]


def test_a_job_that_fails_says_where_with_ids_only(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    said = say(archive, community, [source.add("RE0", a_wav())])
    settle()
    fetch_recording("rec_1_0")
    parrot = here.recognizer()
    assert isinstance(parrot, Parrot)
    parrot.fails = [RuntimeError("幺三九幺二三四五六七八")]
    transcribe(said.opinion_id)
    assert said.opinion_id in caplog.text
    assert "RuntimeError" in caplog.text
    assert "幺三九" not in caplog.text
    assert opinion_of(archive, said).tries == 1


def test_without_redis_the_sweep_hands_the_work_back_to_be_done_here(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    said = say(archive, community, [source.add("RE0", a_wav())])
    for _ in range(3):
        for one in sweep(archive, here.queue, NOW):
            do_here(one)
    assert opinion_of(archive, said).state == "review"


def test_a_hold_ends_when_its_worker_is_gone() -> None:
    ended = subprocess.Popen([sys.executable, "-c", "pass"])
    mine = leases.worker_name()
    host, pid, start = mine.split("/")
    ended.wait()
    assert not leases.is_gone(mine)
    assert leases.is_gone(f"{host}/{ended.pid}/{start}")
    assert leases.is_gone(f"{host}/{pid}/1"), "another process with the same number"
    assert not leases.is_gone("elsewhere/1/1"), "of other hosts nothing is known"


WORKER = """
import sys, time
from pathlib import Path
from datetime import datetime, UTC
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.worker import open_worker, run_worker
from tests.sync.recording_source import credentials
from tests.sync.voices import Parrot

database, home, redis = sys.argv[1:]

class Slow(Parrot):
    def transcribe(self, audio, language="zh", hints=()):
        Path(home, "listening").write_text("")
        while Path(home, "slow").exists():
            time.sleep(0.05)
        return super().transcribe(audio, language, hints)

open_worker(Archive.open(database, Path(home)), WorkQueue(redis), Slow, credentials)
run_worker(sweep_seconds=0.2)
"""


@pytest.fixture
def worker(archive: Archive, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts real worker processes on the archive."""
    started: list[subprocess.Popen[bytes]] = []

    def start(redis_url: str) -> subprocess.Popen[bytes]:
        url = archive.database.url.render_as_string(hide_password=False)
        command = [sys.executable, "-c", WORKER, url, str(tmp_path), redis_url]
        started.append(subprocess.Popen(command, cwd=Path.cwd()))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_worker_takes_a_voice_from_the_inbox_to_review_and_ends_when_asked(
    archive: Archive, community: Community, source: RecordingSource, redis_server: RedisServer,
    worker: Callable[[str], subprocess.Popen[bytes]],
) -> None:  # fmt: skip
    process = worker(redis_server.url)
    said = say(archive, community, [source.add("RE0", a_wav())])
    until(lambda: has_words(archive, said))
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


@pytest.mark.slow
def test_a_worker_outlives_redis(
    archive: Archive, community: Community, source: RecordingSource, redis_server: RedisServer,
    worker: Callable[[str], subprocess.Popen[bytes]],
) -> None:  # fmt: skip
    redis_server.kill()
    process = worker(redis_server.url)
    first = say(archive, community, [source.add("RE0", a_wav())])
    until(lambda: has_words(archive, first))
    redis_server.start()
    queue = WorkQueue(redis_server.url)
    second = say(archive, community, [source.add("RE1", a_wav())], key="2")
    until(lambda: has_words(archive, second))
    redis_server.kill()
    third = say(archive, community, [source.add("RE2", a_wav())], key="3")
    until(lambda: has_words(archive, third))
    redis_server.start()
    until(lambda: queue.put("settle"))
    until(lambda: set((queue.waiting() or {"away": 1}).values()) == {0})
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    assert process.wait(15) == 0


@pytest.mark.slow
def test_a_worker_killed_while_it_listens_is_replaced_at_once(
    archive: Archive, community: Community, source: RecordingSource, redis_server: RedisServer,
    worker: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path,
) -> None:  # fmt: skip
    (tmp_path / "slow").write_text("")
    process = worker(redis_server.url)
    said = say(archive, community, [source.add("RE0", a_wav())])
    until((tmp_path / "listening").exists)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert opinion_of(archive, said).state == "waiting"
    (tmp_path / "slow").unlink()
    worker(redis_server.url)
    until(lambda: has_words(archive, said))
    with archive.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Transcript)) == 1
        assert session.scalar(select(func.count()).where(Capture.state == "pending")) == 0


def has_words(archive: Archive, said: Said) -> bool:
    with archive.database.read() as session:
        opinion = session.get(Opinion, said.opinion_id)
        return opinion is not None and opinion.state == "review"


def test_moments_of_holds_are_utc() -> None:
    work = Recording(tries=0)
    leases.hold(work, datetime.now(UTC), 60)
    assert work.next_try_at is not None
    assert work.next_try_at.tzinfo is UTC


def test_a_recording_waits_for_its_address_without_losing_time(
    here: Workplace, archive: Archive, community: Community, source: RecordingSource
) -> None:
    say(archive, community, [""])
    settle()
    with archive.database.begin() as session:
        session.get_one(Recording, "rec_1_0").url = None
    assert names(archive) == []
    fetch_recording("rec_1_0")
    with archive.database.begin() as session:
        session.get_one(Recording, "rec_1_0").url = source.add("RE0", a_wav())
    assert names(archive) == ["fetch_recording rec_1_0"]
    assert store_recording(archive, "rec_1_0", credentials, lambda: NOW) == "stored"


def test_a_recording_that_never_gets_an_address_is_missing(
    here: Workplace, archive: Archive, community: Community
) -> None:
    say(archive, community, [""])
    settle()
    with archive.database.begin() as session:
        session.get_one(Recording, "rec_1_0").url = None
    late = NOW + timedelta(hours=7)
    assert names(archive, late) == ["fetch_recording rec_1_0"]
    assert store_recording(archive, "rec_1_0", credentials, lambda: late, pauses=()) == "missing"


def test_of_workers_that_take_the_same_work_at_once_one_does_it(
    any_archive: Archive, any_community: Community, source: RecordingSource
) -> None:
    said = say(any_archive, any_community, [source.add("RE0", a_wav())])
    settle_batch(any_archive, now=NOW)
    parrot = Parrot()
    together = Barrier(4)

    def work(_: int) -> tuple[str | None, bool]:
        together.wait()
        state = store_recording(any_archive, "rec_1_0", credentials, lambda: NOW)
        together.wait()
        return state, transcribe_opinion(any_archive, said.opinion_id, lambda: parrot, lambda: NOW)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, range(4)))
    assert sorted(state or "" for state, _ in done) == ["", "", "", "stored"]
    assert [did for _, did in done].count(True) == 1
    assert len(parrot.heard) == 1
    assert [method for method, _, _ in source.requests] == ["GET", "DELETE"]
