"""`INSERT … ON CONFLICT`, written the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.records.tables import Base


def is_sqlite(session: Session) -> bool:
    """Whether this session speaks to SQLite."""
    bind = session.get_bind()
    return (bind.engine if isinstance(bind, Connection) else bind).dialect.name == "sqlite"


def insert_for(session: Session, table: type[Base]) -> Any:
    """The dialect's own insert, which knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    return sqlite.insert(table) if is_sqlite(session) else postgresql.insert(table)


def insert_new(
    session: Session, table: type[Base], key: tuple[str, ...], rows: Sequence[Mapping[str, Any]]
) -> set[Any]:
    """Insert those rows, alike in their columns, that no other row equals in the `key` columns; their ids.

    Without `key` in any unique columns: PostgreSQL fails where two insert a row at once whose other columns
    are unique, too.
    """
    if not rows:
        return set()
    fresh = insert_for(session, table)
    if not is_sqlite(session):
        fresh = fresh.from_select(list(rows[0]), as_arrays(table, rows))
    fresh = fresh.on_conflict_do_nothing(index_elements=list(key) or None).returning(table.__table__.c.id)
    return set(
        session.connection().execute(fresh, None if fresh.select is not None else list(rows)).scalars()
    )


def as_arrays(table: type[Base], rows: Sequence[Mapping[str, Any]], *more: ColumnElement[Any]) -> Any:
    """The rows as a query whose parameters are one array a column: PostgreSQL parses it once, not once a row.

    `more` are columns that are the same in every row.
    """
    columns = (table.__table__.c[name] for name in rows[0])
    arrays = (literal([row[one.name] for row in rows], ARRAY(one.type)) for one in columns)
    return select(*(func.unnest(array) for array in arrays), *more)


def is_among(
    session: Session, column: ColumnElement[Any] | InstrumentedAttribute[Any], values: Collection[Any]
) -> ColumnElement[bool]:
    """Whether a column is one of many values, which PostgreSQL is handed as one array."""
    if is_sqlite(session):
        return column.in_(values)
    return column == func.any(literal(list(values), ARRAY(column.type)))


def insert_or_ignore(session: Session, table: type[Base], key: tuple[str, ...], **values: Any) -> bool:
    """Insert one row unless another holds the same `key` columns. True if it is ours."""
    statement = insert_for(session, table).values(**values).on_conflict_do_nothing(index_elements=list(key))
    ours = session.connection().execute(statement.returning(literal(1)))  # a row count can't be relied on
    return ours.scalar() is not None
