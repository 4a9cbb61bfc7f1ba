"""Tables as lines of JSON, the same for SQLite and PostgreSQL: what a backup holds and a restore reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import IO, Any

from sqlalchemy import Connection, LargeBinary, Table, func, insert, select, text

from sync.errors import RecordsError
from sync.records.base import Moment
from sync.records.tables import Base

_BATCH = 500


def tables() -> list[Table]:
    """All tables, each after those it refers to; not what follows from others and is made anew."""
    return [table for table in Base.metadata.sorted_tables if not table.info.get("is_derived")]


def write_table(connection: Connection, table: Table, to: IO[bytes]) -> int:
    """Write every row as one line; how many there were."""
    rows = connection.execution_options(yield_per=_BATCH).execute(select(table).order_by(*table.primary_key))
    count = 0
    for row in rows.mappings():
        count += 1
        plain = {column.name: _plain(row[column]) for column in table.columns}
        to.write(json.dumps(plain, ensure_ascii=False).encode() + b"\n")
    return count


def read_table(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert every line as one row; how many there were. RecordsError for a line that is no such row."""
    count = 0
    for batch in _batches(_row(table, line) for line in lines):
        connection.execute(insert(table), batch)
        count += len(batch)
    return count


def is_empty(connection: Connection) -> bool:
    """Whether no table holds anything."""
    return not any(connection.scalar(select(func.count()).select_from(table)) for table in tables())


def count_on(connection: Connection) -> None:
    """Let PostgreSQL number new rows after the greatest restored number; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in tables():
        column = table.autoincrement_column
        if column is not None and column.autoincrement is True:
            name = {"table": table.name, "column": column.name}
            newest = connection.scalar(select(func.max(column)))
            if newest is not None:
                sequence = text("SELECT setval(pg_get_serial_sequence(:table, :column), :newest)")
                connection.execute(sequence, name | {"newest": newest})


def _row(table: Table, line: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(line)
        return {column.name: _value(column.type, plain[column.name]) for column in table.columns}
    except (ValueError, KeyError, TypeError) as error:
        raise RecordsError(f"the backup holds a line that is no row of {table.name}") from error


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(bytes(value)).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _value(kind: object, plain: Any) -> Any:
    if plain is None:
        return None
    if isinstance(kind, LargeBinary):
        return base64.b64decode(plain, validate=True)
    return datetime.fromisoformat(plain) if isinstance(kind, Moment) else plain


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
