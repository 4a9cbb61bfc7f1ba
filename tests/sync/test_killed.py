"""Killed between any two steps, a worker that starts again leaves every voice there, exactly once."""

from __future__ import annotations

import socket

import pytest
from sqlalchemy import select

from sync import jobs, leases, storing
from sync.archive import Archive
from sync.jobs import do_here, open_worker, sweep
from sync.queue import WorkQueue
from sync.records.tables import Change, Community, Opinion, Recording, Transcript
from tests.sync.recording_source import RecordingSource, a_wav, credentials, source
from tests.sync.voices import NOW, Parrot, Said, say
from tests.traps import Killed, Trap

__all__ = ["source"]

STEPS = 200  # more than there are


def set_traps(trap: Trap, archive: Archive, patch: pytest.MonkeyPatch) -> None:
    """A step before and after every transaction, every file, every request, and the recognizer."""
    trap.around_transactions(archive, patch)
    patch.setattr(archive.recordings, "put", trap.around(archive.recordings.put))
    patch.setattr(archive.recordings, "delete", trap.around(archive.recordings.delete))
    patch.setattr(storing, "fetch", trap.around(storing.fetch))
    patch.setattr(storing, "acknowledge", trap.around(storing.acknowledge))
    patch.setattr(Parrot, "transcribe", trap.around(Parrot.transcribe))
    # The next worker sees that this one is gone.
    patch.setattr(leases, "worker_name", lambda: f"{socket.gethostname()}/999999999/1")


def work(archive: Archive) -> None:
    """What one worker does until nothing is due."""
    open_worker(archive, WorkQueue("unix:///nowhere/redis.sock"), Parrot, credentials, clock=lambda: NOW)
    for _ in range(10):
        found = sweep(archive, jobs.workplace().queue, NOW)
        for one in found:
            do_here(one)
        if not found:
            return
    raise AssertionError("it never ends")


def test_killed_at_any_step_the_voice_is_there_once(
    archive: Archive, community: Community, source: RecordingSource
) -> None:
    kills = 0
    for step in range(1, STEPS):
        said = say_twice(archive, community, source, key=str(step))
        trap = Trap(step)
        with pytest.MonkeyPatch.context() as patch:
            set_traps(trap, archive, patch)
            try:
                work(archive)
            except Killed:
                kills += 1
        work(archive)
        check(archive, said, source)
        if trap.left > 0:  # it ended by itself: there are no more steps
            break
    assert 20 < kills == step - 1


def say_twice(archive: Archive, community: Community, source: RecordingSource, key: str) -> Said:
    """An opinion of two segments, of which the second is broken."""
    urls = [source.add(f"RE{key}-0", a_wav(0.2)), source.add(f"RE{key}-1", b"broken")]
    return say(archive, community, urls, key=key)


def check(archive: Archive, said: Said, source: RecordingSource) -> None:
    with archive.database.read() as session:
        opinion = session.get_one(Opinion, said.opinion_id)
        recordings = [session.get_one(Recording, one) for one in said.recordings]
        words = session.scalars(select(Transcript).where(Transcript.opinion_id == opinion.id)).one()
        acts = session.scalars(
            select(Change.act).where(Change.record_id == opinion.id).order_by(Change.id)
        ).all()
    assert (opinion.state, opinion.held_by) == ("review", None)
    assert [(one.state, one.acknowledged_at) for one in recordings] == [("stored", NOW), ("broken", NOW)]
    assert all(archive.recordings.exists(one) for one in said.recordings)
    assert words.redacted == Parrot().text
    assert acts == ["created", "updated"]
    assert source.recordings == {}
