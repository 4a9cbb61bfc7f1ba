"""One announcer at a time for one installation: whoever comes second stands by until the first is gone."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from sync.database import Database

_LOCK = 0x62726463  # "brdc": PostgreSQL's advisory lock of the announcer


class Alone:
    """The right to announce: a file's lock beside SQLite, an advisory lock on PostgreSQL. Ends with us."""

    def __init__(self, database: Database, home: Path) -> None:
        self._database, self._path = database, home / "broadcast.lock"
        self._file: IO[bytes] | None = None
        self._connection: Connection | None = None

    def take(self) -> bool:
        """Whether it is ours now."""
        if not self._take_file():
            return False
        return self._database.is_sqlite or self._take_advisory()

    def is_held(self) -> bool:
        """Whether it is still ours: a database that was started anew has forgotten it."""
        if self._connection is None:
            return self._file is not None
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True

    def release(self) -> None:
        """Let the next one have it."""
        if self._connection is not None:
            self._connection.invalidate()  # not given back to the pool: the lock belongs to the connection
            self._connection.close()
        if self._file is not None:
            self._file.close()
        self._file = self._connection = None

    def _take_file(self) -> bool:
        """In one home only one, whatever the database: the file of clocks and the sounds are shared too."""
        if self._file is not None:
            return True
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("wb")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file = file
        return True

    def _take_advisory(self) -> bool:
        if self._connection is None:
            engine = self._database.engine.execution_options(isolation_level="AUTOCOMMIT")
            self._connection = engine.connect()
        try:
            return bool(self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK}))
        except DBAPIError:
            self._connection.close()
            self._connection = None
            return False
