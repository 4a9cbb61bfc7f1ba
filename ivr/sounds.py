"""Recordings as a call announces them: one row each, whoever tells of it first and however often."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ivr.arrivals import Delivered
from ivr.keeping import Speaker
from sync.prepared import Prepared
from sync.records.tables import Recording, record_id
from sync.upsert import is_sqlite

_COLUMNS = (
    "id", "community_id", "person_id", "call_id", "turn", "sid", "line", "url", "seconds", "state",
    "is_claimed", "tries", "created_at",
)  # fmt: skip


def recording_id_of(line: str, recording_sid: str) -> str:
    """Our id of a platform's recording."""
    return record_id("rec", line, recording_sid)


def note_recording(
    session: Session, call_id: str, speaker: Speaker, turn: int, given: Delivered, claims: bool, now: datetime
) -> str:
    """Write the recording made by the Record of document `turn`, or add to it what is new; its id.

    `claims`: a turn takes it into an opinion in this same transaction.
    """
    recording_id = recording_id_of(speaker.line, given.recording_sid)
    row = {
        "id": recording_id,
        "community_id": speaker.community_id,
        "person_id": speaker.person_id,
        "call_id": call_id,
        "turn": turn,
        "sid": given.recording_sid,
        "line": speaker.line,
        "url": given.url,
        "seconds": given.seconds,
        "state": "announced",
        "is_claimed": claims,
        "tries": 0,
        "created_at": now,
    }
    _noting(is_sqlite(session)).run(session.connection(), row)
    return recording_id


@cache
def _noting(on_sqlite: bool) -> Prepared:
    """Insert, or complete what an earlier telling left open. The statement is built once."""
    fresh = (sqlite.insert if on_sqlite else postgresql.insert)(Recording)
    told = fresh.excluded
    merged = fresh.on_conflict_do_update(
        index_elements=["sid"],
        set_={
            "is_claimed": or_(Recording.is_claimed, told.is_claimed),
            "seconds": func.coalesce(Recording.seconds, told.seconds),
            "url": func.coalesce(Recording.url, told.url),
        },
        where=Recording.call_id == told.call_id,
    )
    return Prepared(merged, _COLUMNS)


def unclaimed(session: Session, call_id: str) -> Sequence[Recording]:
    """Finished recordings of a call that no turn has taken, oldest first."""
    rows = select(Recording).where(Recording.call_id == call_id, Recording.is_claimed.is_(False))
    return session.scalars(rows.order_by(Recording.turn, Recording.created_at, Recording.id)).all()
