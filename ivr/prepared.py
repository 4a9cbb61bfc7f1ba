"""Statements that every turn runs: compiled once a dialect, then handed straight to the driver.

SQLAlchemy's own execution of three statements costs about as much Python as a whole bare Flask request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
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
        """The rows of a SELECT, converted as SQLAlchemy converts them. Raises DBAPIError."""
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
        self._dialect = dialect
        self._sql = str(compiled)
        self._order = tuple(compiled.positiontup or ())
        self._constants = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self._binds = {name: _bind(bind.type, dialect) for name, bind in compiled.binds.items()}
        columns_of = getattr(statement, "selected_columns", ())
        self._results = tuple(_result(column.type, dialect) for column in columns_of)

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
        cursor = connection.connection.cursor()
        try:
            cursor.execute(self._sql, parameters)
        except self._errors as error:
            cursor.close()
            raise DBAPIError.instance(
                self._sql, None, error, self._errors, hide_parameters=True, dialect=self._dialect
            ) from error
        return cursor

    @cached_property
    def _errors(self) -> type[Exception]:
        driver: Any = self._dialect.dbapi
        errors: type[Exception] = driver.Error
        return errors


def _converted(value: Any, convert: Convert | None) -> Any:
    return value if convert is None else convert(value)


def _bind(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _result(kind: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)
