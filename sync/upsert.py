"""`INSERT … ON CONFLICT`, written the same for SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

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
    """Insert those rows that no other row equals in the `key` columns; their ids."""
    if not rows:
        return set()
    statement = insert_for(session, table).on_conflict_do_nothing(index_elements=list(key))
    fresh = session.connection().execute(statement.returning(table.__table__.c.id), list(rows))
    return set(fresh.scalars())


def insert_or_ignore(session: Session, table: type[Base], key: tuple[str, ...], **values: Any) -> bool:
    """Insert one row unless another holds the same `key` columns. True if it is ours."""
    statement = insert_for(session, table).values(**values).on_conflict_do_nothing(index_elements=list(key))
    ours = session.connection().execute(statement.returning(literal(1)))  # a row count can't be relied on
    return ours.scalar() is not None
