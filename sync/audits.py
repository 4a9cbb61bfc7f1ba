"""The audit read: who saw or changed what, and why; newest first, narrowed down, taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from sync.export.cells import BATCH, csv_lines
from sync.records.tables import Audit, Staff

PAGE = 50
COLUMNS = ("id", "at", "actor", "act", "subject", "reason", "details")
_COLUMNS = tuple(Audit.__table__.c[name] for name in COLUMNS)


@dataclass(frozen=True)
class Wanted:
    """Which entries: by actor, act and record ('' for all), from a moment up to before another."""

    actor: str = ""
    act: str = ""
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None


def entries(
    session: Session, community_id: str, wanted: Wanted, after: tuple[datetime, int] | None, size: int = PAGE
) -> Sequence[Row[Any]]:
    """One entry more than `size` as rows of `COLUMNS`, newest first, after where the page before ended."""
    query = _query(community_id, wanted)
    if after is not None:
        at, identity = after
        query = query.where(Audit.at <= at, or_(Audit.at < at, Audit.id < identity))
    newest = query.order_by(Audit.at.desc(), Audit.id.desc()).limit(size + 1)
    return session.connection().execute(newest).all()


def csv_file(session: Session, community_id: str, wanted: Wanted) -> Iterator[bytes]:
    """Everything wanted as CSV, oldest first, in pieces."""
    query = _query(community_id, wanted).order_by(Audit.at, Audit.id)
    rows = session.connection().execute(query.execution_options(yield_per=BATCH))
    return csv_lines(COLUMNS, (_cells(row) for row in rows))


def actors(session: Session, community_id: str) -> dict[str, str]:
    """Those who act by name: the staff of a community, by id."""
    rows = session.execute(
        select(Staff.id, Staff.name).where(Staff.community_id == community_id).order_by(Staff.name)
    )
    return {row.id: row.name for row in rows}


def _query(community_id: str, wanted: Wanted) -> Select[*tuple[Any, ...]]:
    """Plain columns: nobody changes an entry, and a page of them is read in half the time."""
    query = select(*_COLUMNS).where(Audit.community_id == community_id)
    for column, value in (
        (Audit.actor, wanted.actor),
        (Audit.act, wanted.act),
        (Audit.subject, wanted.subject),
    ):
        query = query.where(column == value) if value else query
    query = query.where(Audit.at >= wanted.since) if wanted.since else query
    return query.where(Audit.at < wanted.until) if wanted.until else query


def _cells(row: Row[Any]) -> dict[str, Any]:
    details = " ".join(f"{name}={value}" for name, value in sorted((row.details or {}).items()))
    return {
        "id": row.id,
        "at": row.at.isoformat(),
        "actor": row.actor,
        "act": row.act,
        "subject": row.subject,
        "reason": row.reason,
        "details": details,
    }
