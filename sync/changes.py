"""The list of changes: appended in the transaction that changed a record, read so that none is skipped."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    Select,
    Text,
    cast,
    func,
    insert,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from sync.records.tables import Change
from sync.upsert import as_arrays, is_among, is_sqlite

_COLUMNS = tuple(column for column in Change.__table__.c if column.name != "details")


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
    if not rows:
        return
    if is_sqlite(session):
        session.connection().execute(insert(Change).values(xact=0), list(rows))
    else:
        arrays = as_arrays(Change, rows, _as_number(func.pg_current_xact_id()))
        session.connection().execute(insert(Change).from_select([*rows[0], "xact"], arrays))


def after(
    session: Session,
    community_id: str,
    cursor: Cursor,
    limit: int = 100,
    records: Collection[str] | None = None,
) -> Sequence[Row[Any]]:
    """The next changes of a community behind a cursor, in feed order; only of these kinds of `records`.

    Rows have the columns of Change but `details`. On PostgreSQL only transactions older than the oldest one
    still running are shown: a later reader can then never find a change in front of a cursor already handed
    out, in whatever order transactions commit.
    """
    query = _visible(session, community_id).where(_place() > tuple_(cursor.xact, cursor.id))
    if records is not None:
        query = query.where(Change.record.in_(sorted(records)))
    return session.connection().execute(query.order_by(Change.xact, Change.id).limit(limit)).all()


def details(session: Session, ids: Collection[int]) -> Mapping[int, dict[str, Any]]:
    """The details of some changes, by their numbers."""
    if not ids:
        return {}
    rows = session.connection().execute(
        select(Change.id, Change.details).where(is_among(session, Change.id, list(ids)))
    )
    return {row.id: row.details for row in rows}


def newest(session: Session, community_id: str) -> Cursor:
    """The place of the newest change that a reader may see; the beginning where there is none."""
    query = _visible(session, community_id).order_by(Change.xact.desc(), Change.id.desc()).limit(1)
    found = session.execute(query).first()
    return Cursor(found.xact, found.id) if found else Cursor()


def oldest(session: Session, community_id: str, limit: int) -> Sequence[Row[Any]]:
    """The first changes of a community that are still kept, in feed order."""
    return after(session, community_id, Cursor(-1), limit)


def _visible(session: Session, community_id: str) -> Select[Any]:
    query = select(*_COLUMNS).where(Change.community_id == community_id)
    if is_sqlite(session):
        return query
    return query.where(Change.xact < _as_number(func.pg_snapshot_xmin(func.pg_current_snapshot())))


def _place() -> ColumnElement[Any]:
    return tuple_(Change.xact, Change.id)


def _as_number(xid: ColumnElement[Any]) -> ColumnElement[int]:
    """PostgreSQL's 64-bit transaction id as a number; it has no direct cast."""
    return cast(cast(xid, Text), BigInteger)
