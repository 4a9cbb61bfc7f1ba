"""Rows of several tables written together: one statement on PostgreSQL, where each costs a journey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam, literal, select
from sqlalchemy.orm import Session

from sync.prepared import Prepared
from sync.upsert import is_sqlite

Row = tuple[Table, Mapping[str, Any]]
"""A table and the columns of a new row in it."""


def insert_together(session: Session, rows: Sequence[Row]) -> None:
    """Write new rows, those that others refer to first: all of them or none. Raises IntegrityError.

    PostgreSQL looks at foreign keys once the whole statement is done, SQLite once each row is written.
    """
    connection = session.connection()
    shape = tuple((table, tuple(row)) for table, row in rows)
    if is_sqlite(session):
        for (table, columns), (_, row) in zip(shape, rows, strict=True):
            _alone(table, columns).run(connection, row)
        return
    given = {f"row{place}_{name}": row[name] for place, (_, row) in enumerate(rows) for name in row}
    _together(shape).rows(connection, given)


@cache
def _alone(table: Table, columns: tuple[str, ...]) -> Prepared:
    return Prepared(table.insert(), columns)


@cache
def _together(shape: tuple[tuple[Table, tuple[str, ...]], ...]) -> Prepared:
    written = [
        table.insert().values({name: bindparam(f"row{place}_{name}") for name in columns}).cte(f"row{place}")
        for place, (table, columns) in enumerate(shape)
    ]
    return Prepared(select(literal(1)).add_cte(*written))
