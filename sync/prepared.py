"""Statements that every turn runs: compiled once a dialect, then handed straight to the driver.

SQLAlchemy's own execution of three statements costs about as much Python as a whole bare Flask request.
Defaults that Python would fill in are not: every column is given a value, or left to the database.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Convert = Callable[[Any], Any]


class Prepared:
    """One statement. `columns` are those an INSERT gives values for; a SELECT and an UPDATE need none."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        self._statement = statement
        self._columns = columns
        self._ready: dict[str, _Ready] = {}

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """The rows of a SELECT or RETURNING, converted as SQLAlchemy converts them. Raises DBAPIError."""
        return self._on(connection).rows(connection, given)

    def run(self, connection: Connection, given: Mapping[str, Any]) -> int:
        """Execute an INSERT or UPDATE; how many rows it touched. Raises DBAPIError."""
        return self._on(connection).run(connection, given)

    def _on(self, connection: Connection) -> _Ready:
        dialect = connection.dialect
        ready = self._ready.get(dialect.name)
        if ready is None:
            ready = self._ready[dialect.name] = _Ready(self._statement, self._columns, dialect)
        return ready


class _Ready:
    """A statement in one dialect."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)  # type: ignore[attr-defined]
        assert isinstance(compiled, SQLCompiler)
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._binds = {name: _bind(bind.type, dialect) for name, bind in compiled.binds.items()}
        given_back: Any = getattr(statement, "exported_columns", ())
        self._results = tuple(_result(column.type, dialect) for column in given_back)

    def rows(self, connection: Connection, given: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        cursor = self._execute(connection, given)
        try:
            found = cursor.fetchall()
        finally:
            cursor.close()
        return [tuple(map(_converted, row, self._results)) for row in found]

    def run(self, connection: Connection, given: Mapping[str, Any]) -> int:
        cursor = self._execute(connection, given)
        touched = cursor.rowcount
        cursor.close()
        return int(touched)

    def _execute(self, connection: Connection, given: Mapping[str, Any]) -> Any:
        values = {**self._constants, **given}
        bound = {
            name: values[name] if convert is None else convert(values[name])
            for name, convert in self._binds.items()
        }
        parameters = tuple(bound[name] for name in self._order) if self._order else bound
        return execute(connection, self._sql, parameters)


def execute(connection: Connection, sql: str, parameters: Any = ()) -> Any:
    """The driver's cursor after `sql`, parameters as the driver spells them. Raises DBAPIError."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(sql, parameters)
    except Exception as error:
        cursor.close()
        driver: Any = connection.dialect.dbapi
        if not isinstance(error, driver.Error):
            raise
        raise DBAPIError.instance(
            sql, None, error, driver.Error, hide_parameters=True, dialect=connection.dialect
        ) from error
    return cursor


def _converted(value: Any, convert: Convert | None) -> Any:
    return value if convert is None else convert(value)


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
