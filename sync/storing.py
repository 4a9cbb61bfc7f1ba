"""One announced recording brought home: fetched, checked to be sound, sealed, stored, then acknowledged."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from speech.audio import read_audio
from speech.errors import SpeechError
from sync import leases
from sync.archive import Archive
from sync.due import ABSENT_FOR_GOOD
from sync.errors import KeyDestroyed, RecordsUnavailable
from sync.fetching import SHORT_PAUSES, Credentials, FetchError, acknowledge, fetch
from sync.records.tables import Person, Recording

LOG = logging.getLogger("tingjian.storing")
_HOLD_SECONDS = 120.0
_SETTLED = frozenset({"stored", "broken", "erased"})


@dataclass(frozen=True)
class Kept:
    """What is to be written about a fetched recording."""

    state: str
    sha256: str
    seconds: float | None
    problem: str | None


def store_recording(
    archive: Archive,
    recording_id: str,
    credentials: Credentials,
    clock: Callable[[], datetime],
    pauses: Sequence[float] = SHORT_PAUSES,
) -> str | None:
    """Bring one recording home; its new state, or None where nothing came of it. Safe to repeat.

    The source is told to forget its copy only after ours is on the disk and in the records.
    """
    recording = _take(archive, recording_id, clock())
    if recording is None:
        return None
    state = recording.state
    if state == "announced":
        try:
            state = _keep(archive, recording_id, fetch(recording, credentials, pauses))
        except FetchError as error:
            return _put_off(archive, recording_id, error, clock())
        except RecordsUnavailable as error:
            return _put_off(archive, recording_id, FetchError(str(error)), clock())
    if state in _SETTLED and recording.url is not None:
        _acknowledge(archive, recording, credentials, clock())
    return state


def _take(archive: Archive, recording_id: str, now: datetime) -> Recording | None:
    with archive.database.begin() as session:
        recording = session.get(Recording, recording_id, with_for_update=True)
        if recording is None or recording.state == "missing" or not leases.is_due(recording, now):
            return None
        if recording.state != "announced" and recording.acknowledged_at is not None:
            return None
        if recording.url is None and now - recording.created_at < ABSENT_FOR_GOOD:
            return None  # the turn came before the callback that brings the address
        leases.hold(recording, now, _HOLD_SECONDS)
        session.flush()
        session.expunge(recording)
        return recording


def _keep(archive: Archive, recording_id: str, content: bytes) -> str:
    """Seal and store what was fetched, then say so in its row; the state the row has now."""
    kept = _judge(content)
    with archive.database.read() as session:
        key_id = session.get_one(Person, session.get_one(Recording, recording_id).person_id).key_id
        try:
            sealed = archive.keyring.seal(session, key_id, content, recording_id)
        except KeyDestroyed:
            sealed = None
    if sealed is not None:
        archive.recordings.put(recording_id, sealed)
    with archive.database.begin() as session:
        recording = session.get_one(Recording, recording_id, with_for_update=True)
        if recording.state == "announced":
            recording.state = kept.state if sealed is not None else "erased"
            recording.file = recording_id if sealed is not None else None
            recording.sha256, recording.problem = kept.sha256, kept.problem
            recording.seconds, recording.tries = kept.seconds or recording.seconds, 0
        state: str = recording.state
    if state == "erased":  # its person was erased while it travelled
        archive.recordings.delete(recording_id)
    return state


def _judge(content: bytes) -> Kept:
    """Whether it is sound. A broken one is kept too: a person may still save something of it."""
    digest = hashlib.sha256(content).hexdigest()
    try:
        return Kept("stored", digest, read_audio(content).seconds, None)
    except SpeechError as error:
        return Kept("broken", digest, None, str(error))


def _put_off(archive: Archive, recording_id: str, error: FetchError, now: datetime) -> str | None:
    with archive.database.begin() as session:
        recording = session.get_one(Recording, recording_id, with_for_update=True)
        if recording.state != "announced":
            return None
        leases.put_off(recording, now, error.problem)
        if error.is_absent and now - recording.created_at > ABSENT_FOR_GOOD:
            recording.state = "missing"
        LOG.warning("recording %s: %s, try %d", recording_id, error.problem, recording.tries)
        return "missing" if recording.state == "missing" else None


def _acknowledge(archive: Archive, recording: Recording, credentials: Credentials, now: datetime) -> None:
    is_forgotten = acknowledge(recording, credentials)
    with archive.database.begin() as session:
        row = session.get_one(Recording, recording.id, with_for_update=True)
        if is_forgotten:
            row.acknowledged_at = now
            leases.let_go(row)
        else:
            leases.put_off(row, now, row.problem or "")
            row.problem = row.problem or None
