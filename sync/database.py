"""One database, SQLite or PostgreSQL, opened so that what is committed stays committed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter, DBAPIConnection
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from sync import migrations
from sync.errors import RecordsError, RecordsUnavailable
from sync.prepared import execute
from sync.writers import BUSY_SECONDS, WritersQueue

__all__ = ["Database", "RecordsError", "RecordsUnavailable"]

_LOG_BUSY_MILLISECONDS = 200  # emptying the log keeps writers out: a call must not notice
_CONNECT = {"connect_timeout": BUSY_SECONDS, "client_encoding": "utf8"}
"""A database without an encoding of its own (`SQL_ASCII`) would hand out bytes."""
_POOL = {"hide_parameters": True, "pool_size": 16, "max_overflow": 32, "pool_timeout": BUSY_SECONDS}
_EACH_BY_ITSELF = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}  # nothing to roll back
_SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",  # in WAL mode only FULL survives a power cut with every acknowledged digit
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=ON",  # a destroyed key is overwritten, not only unlinked
)
# Primary result codes of SQLite that say "not now" rather than "your statement is wrong":
# PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB.
_SQLITE_UNAVAILABLE = frozenset({3, 5, 6, 7, 8, 10, 11, 13, 14, 15, 26})
_REST_SECONDS = 5  # a connection idle for longer is asked before use: asking always costs a third of a turn
_MIGRATION_LOCK = 0x74696E67  # "ting": PostgreSQL's advisory lock while tables are being made


class Database:
    """Sessions on one database. `begin` writes; `read` sees one unchanging snapshot.

    Raises RecordsUnavailable where the database is locked too long, full, read-only, or gone.
    """

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(self.url) if self.is_sqlite else _postgres_engine(self.url)
        self._reader = _reader_of(self.engine, self.is_sqlite)
        self._glimpser = self._reader if self.is_sqlite else _postgres_engine(self.url, **_EACH_BY_ITSELF)
        self._writers = WritersQueue(self.url.database) if self.is_sqlite else None

    @contextmanager
    def begin(self) -> Iterator[Session]:
        """One writing transaction: committed on leaving, rolled back by an exception."""
        with _translated(), self._turn(), self.engine.connect() as connection:
            yield from _committed(connection)

    @contextmanager
    def read(self) -> Iterator[Session]:
        """One reading transaction on one snapshot; whatever it changes is thrown away."""
        with _reading(self._reader) as session:
            yield session

    @contextmanager
    def glimpse(self) -> Iterator[Session]:
        """Reading without a transaction around it: each statement sees what is committed by then.

        On PostgreSQL one statement that writes is its own transaction here. SQLite reads one snapshot.
        """
        with _reading(self._glimpser) as session:
            yield session

    @contextmanager
    def begin_after(self, session: Session) -> Iterator[Session]:
        """SQLite: one writing transaction on the connection of a reading session, whose snapshot it ends."""
        connection = session.connection()
        with _translated(), self._turn():
            connection.rollback()
            connection.execution_options(is_reader=False)
            yield from _committed(connection)

    def create(self) -> None:
        """Bring the tables to what this program knows; safe to run at once from several processes."""
        with _translated(), self._turn(), self.engine.begin() as connection:
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
            migrations.upgrade(connection)

    def is_current(self) -> bool:
        """Whether the tables are those this program knows."""
        with _translated(), self._reader.connect() as connection:
            return migrations.is_current(connection)

    def empty_log(self) -> bool:
        """Empty SQLite's log of pages, in which deleted words would lie until it is written over.

        False where somebody reads at this moment, so that it must be asked for again. PostgreSQL has none.
        """
        if not self.is_sqlite:
            return True
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA busy_timeout={_LOG_BUSY_MILLISECONDS}")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            row = cursor.fetchone()
            cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000}")
            cursor.close()
        finally:
            connection.close()
        return row is not None and not row[0]

    def close(self) -> None:
        """Give back every pooled connection."""
        self.engine.dispose()
        self._glimpser.dispose()
        if self._writers is not None:
            self._writers.close()

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._writers is None else self._writers.turn()


@contextmanager
def _reading(engine: Engine) -> Iterator[Session]:
    with (
        _translated(),
        engine.connect() as connection,
        _Session(connection, expire_on_commit=False) as session,
    ):
        yield session


def _committed(connection: Connection) -> Iterator[Session]:
    try:
        with _Session(connection, expire_on_commit=False) as session:
            yield session
            if session.in_transaction():
                session.commit()  # writes what is pending; the connection commits
        connection.commit()
    except BaseException:
        connection.rollback()  # here, while no other may write
        raise


class _Session(Session):
    """A session on a connection that has begun already: who only needs that is spared the session's part."""

    def __init__(self, connection: Connection, *, expire_on_commit: bool) -> None:
        super().__init__(connection, expire_on_commit=expire_on_commit)
        self._own = connection
        connection.begin()

    def connection(
        self,
        bind_arguments: dict[str, Any] | None = None,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> Connection:
        """The connection of this transaction."""
        if bind_arguments or execution_options:
            return super().connection(bind_arguments, execution_options)
        if not self._own.in_transaction():
            self._own.begin()
        return self._own

    def rollback(self) -> None:
        """Undo all of the transaction; what follows begins another."""
        super().rollback()
        self._own.rollback()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except PoolTimeout as error:
        raise RecordsUnavailable("too many at once on the database") from error
    except DBAPIError as error:
        if _is_unavailable(error):
            raise RecordsUnavailable(f"the database can't be used: {type(error.orig).__name__}") from error
        raise


def _is_unavailable(error: DBAPIError) -> bool:
    """Whether the same statement may succeed later; errors of the statement itself stay as they are."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in _SQLITE_UNAVAILABLE
    return type(error).__name__ in {"OperationalError", "InterfaceError", "InternalError"}


def _with_driver(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        return parsed.set(drivername="postgresql+psycopg")
    return parsed


def _sqlite_engine(url: URL) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}, **_POOL)

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself
        cursor = connection.cursor()
        for pragma in _SQLITE_PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A deferred transaction that reads, then writes, fails at once when another wrote between.
        is_reader = connection.get_execution_options().get("is_reader", False)
        execute(connection, "BEGIN" if is_reader else "BEGIN IMMEDIATE").close()

    return engine


def _postgres_engine(url: URL, **options: Any) -> Engine:
    engine = create_engine(url, connect_args=_CONNECT, **_POOL, **options)

    @event.listens_for(engine, "checkin")
    def rest(_: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["rested_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def wake(connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        if time.monotonic() - entry.info.get("rested_at", time.monotonic()) > _REST_SECONDS:
            _ask(engine, connection)

    return engine


def _ask(engine: Engine, connection: DBAPIConnection) -> None:
    """Ask the server whether it still knows this connection; the pool makes a new one where it doesn't."""
    try:
        engine.dialect.do_ping(connection)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DisconnectionError("the server has closed this connection") from error


def _reader_of(engine: Engine, is_sqlite: bool) -> Engine:
    if is_sqlite:
        return engine.execution_options(is_reader=True)
    return engine.execution_options(postgresql_readonly=True, isolation_level="REPEATABLE READ")
