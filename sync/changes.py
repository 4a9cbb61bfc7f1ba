"""The list of changes: appended in the transaction that changed a record, read so that none is skipped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, and_, cast, func, insert, literal, or_, select
from sqlalchemy.orm import Session

from sync.records.tables import Change
from sync.upsert import is_sqlite


@dataclass(frozen=True, order=True)
class Cursor:
    """A place in the list: everything up to here has been read."""

    xact: int = 0
    id: int = 0


def note(
    session: Session,
    record: str,
    record_id: str,
    community_id: str,
    act: str,
    changed_at: datetime,
    **details: Any,
) -> None:
    """Append one change (`created`, `updated`, `deleted`). Details: ids, choices, versions; never words."""
    row = {
        "record": record,
        "record_id": record_id,
        "community_id": community_id,
        "act": act,
        "changed_at": changed_at,
        "details": details,
    }
    note_all(session, [row])


def note_all(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Append many changes with one statement; each row has the columns that `note` names."""
    if rows:
        statement = insert(Change).values(xact=_xact(session))
        session.connection().execute(statement, list(rows))


def after(session: Session, community_id: str, cursor: Cursor, limit: int = 100) -> Sequence[Change]:
    """The next changes of a community behind a cursor, in feed order.

    On PostgreSQL only transactions older than the oldest one still running are shown: a later reader can then
    never find a change in front of a cursor already handed out, in whatever order transactions commit.
    """
    behind = or_(Change.xact > cursor.xact, and_(Change.xact == cursor.xact, Change.id > cursor.id))
    query = select(Change).where(Change.community_id == community_id, behind)
    if not is_sqlite(session):
        query = query.where(Change.xact < _as_number(func.pg_snapshot_xmin(func.pg_current_snapshot())))
    return session.scalars(query.order_by(Change.xact, Change.id).limit(limit)).all()


def _xact(session: Session) -> ColumnElement[int]:
    return literal(0) if is_sqlite(session) else _as_number(func.pg_current_xact_id())


def _as_number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    """PostgreSQL's 64-bit transaction id as a number; it has no direct cast."""
    return cast(cast(xid, Text), BigInteger)
