"""Rows of which one stands per voter, written so that two workers at once agree on which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, select, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.orm import Session

from sync.errors import RecordsUnavailable
from sync.records.base import Base
from sync.upsert import insert_new, is_among

_ROUNDS = 5
Value = TypeVar("Value")
Columns = dict[str, Any]


def write_standing(
    session: Session,
    record: type[Base],
    casts: Mapping[str, Iterable[Value]],
    decide: Callable[[str, RowMapping | None, Iterable[Value]], Columns | None],
) -> dict[str, str]:
    """Make each row of `casts` (by id) what `decide` says of it and what was cast; None leaves it as it is.

    Returns `created` or `updated` by id, for the rows that really changed. Rows that exist are locked before
    they are judged; where another worker makes a row at the same moment, it is judged again against that one.
    Raises RecordsUnavailable where that never ends.
    """
    table = record.__table__
    assert isinstance(table, Table)
    acts: dict[str, str] = {}
    open_ids = sorted(casts)
    for _ in range(_ROUNDS):
        existing = _locked(session, table, open_ids)
        fresh: list[Columns] = []
        better: list[Columns] = []
        for row_id in open_ids:
            columns = decide(row_id, existing.get(row_id), casts[row_id])
            if columns is not None:
                (better if row_id in existing else fresh).append(columns | {"id": row_id})
        _update(session, table, better)
        acts |= {columns["id"]: "updated" for columns in better}
        created = insert_new(session, record, (), fresh)
        acts |= dict.fromkeys(created, "created")
        open_ids = [columns["id"] for columns in fresh if columns["id"] not in created]
        if not open_ids:
            return acts
    raise RecordsUnavailable("two workers would not agree on a row")


def _locked(session: Session, table: Table, ids: list[str]) -> dict[str, RowMapping]:
    known = is_among(session, table.c.id, ids)
    query = select(table).where(known).order_by(table.c.id).with_for_update()
    return {row["id"]: row for row in session.connection().execute(query).mappings()}


def _update(session: Session, table: Table, rows: list[Columns]) -> None:
    if rows:
        names = [name for name in rows[0] if name != "id"]
        statement = update(table).where(table.c.id == bindparam("_id"))
        values = statement.values({name: bindparam(name) for name in names})
        session.connection().execute(values, [row | {"_id": row["id"]} for row in rows])
