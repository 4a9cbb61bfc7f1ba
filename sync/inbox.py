"""The inbox: one thing given on one channel, kept once under its natural key whatever is repeated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Table, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from sync.errors import RecordsError
from sync.prepared import Prepared
from sync.records.tables import Capture
from sync.records.voices import PENDING
from sync.upsert import is_sqlite

KINDS = frozenset(
    {
        "ballot", "reaction", "opinion", "opinion_dropped", "release", "consent",
        "satisfaction", "heard", "request", "alert_taken",
    }
)  # fmt: skip
CAPTURES: Table = Capture.__table__  # type: ignore[assignment]
COLUMNS = (
    "source", "source_id", "community_id", "person_id", "kind", "topic_id", "subject_id", "payload",
    "channel", "evidence", "is_practice", "cast_at", "received_at", "state",
)  # fmt: skip
EVIDENCE = ("none", "caller_id", "roster", "attested", "linked")


@dataclass(frozen=True)
class Given:
    """What somebody gave. `source` is the platform or line, `source_id` its own id for it.

    `payload` holds ids and choices, never words; by kind: ballot {choice}; reaction {opinion_id, choice};
    opinion {opinion_id, recordings, kind, receipt};
    opinion_dropped {opinion_id}; release {opinion_id, release, version?}; consent {purpose, answer, version};
    satisfaction {opinion_id, is_satisfied}; heard {opinion_id}; request {reason};
    alert_taken {alerts}: the opinions whose alerts are seen to.
    """

    source: str
    source_id: str
    community_id: str
    person_id: str
    kind: str
    topic_id: str | None
    payload: Mapping[str, Any]
    channel: str
    evidence: str
    is_practice: bool
    cast_at: datetime


def keep(session: Session, given: Given, received_at: datetime) -> bool:
    """Put one capture in the inbox, in the caller's transaction. False if its natural key was there."""
    return keep_all(session, [given], received_at) == 1


def keep_all(session: Session, given: Iterable[Given], received_at: datetime) -> int:
    """Put many captures in the inbox at once; how many of them were new."""
    insert, connection = _inserting(is_sqlite(session)), session.connection()
    return sum(len(insert.rows(connection, row_of(one, received_at))) for one in given)


def is_waiting(session: Session) -> bool:
    """Whether any capture waits to be settled; quick however long the history is."""
    return bool(session.scalar(select(exists().where(PENDING).select_from(Capture))))


@cache
def _inserting(on_sqlite: bool) -> Prepared:
    """Insert one unless it was there; its id comes back where it is new. The statement is built once."""
    fresh = (sqlite.insert if on_sqlite else postgresql.insert)(Capture)
    return Prepared(
        fresh.on_conflict_do_nothing(index_elements=["source", "source_id"]).returning(Capture.id), COLUMNS
    )


def row_of(given: Given, received_at: datetime) -> dict[str, Any]:
    """A capture's columns, as they wait in the inbox. Raises RecordsError for a kind there is none of."""
    if given.kind not in KINDS or given.evidence not in EVIDENCE:
        raise RecordsError(f"no capture is of kind {given.kind!r} with evidence {given.evidence!r}")
    return {
        "source": given.source,
        "source_id": given.source_id,
        "community_id": given.community_id,
        "person_id": given.person_id,
        "kind": given.kind,
        "topic_id": given.topic_id,
        "subject_id": given.payload.get("opinion_id"),
        "payload": dict(given.payload),
        "channel": given.channel,
        "evidence": given.evidence,
        "is_practice": given.is_practice,
        "cast_at": given.cast_at,
        "received_at": received_at,
        "state": "pending",
    }
