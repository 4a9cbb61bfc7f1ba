"""The queue before SQLite's one writer, whose own busy handler sleeps up to a tenth of a second a time."""

from __future__ import annotations

import fcntl
import os
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sync.errors import RecordsUnavailable

BUSY_SECONDS = 10


class WritersQueue:
    """The queue before one SQLite file: threads of this process one by one, then processes by a lock file.

    The file's lock goes with its process, however that ends, and the kernel hands it on in the order in which
    it was asked for. SQLite's own locks stay what guards the records.
    """

    def __init__(self, database: str | None) -> None:
        self._path = f"{database}-writer" if database and database != ":memory:" else None
        self._threads = threading.Lock()
        self._lock: _FileLock | None = None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Be the one writer. Raises RecordsUnavailable after BUSY_SECONDS, or without a lock file."""
        if not self._threads.acquire(timeout=BUSY_SECONDS):
            raise RecordsUnavailable("the database is busy")
        try:
            lock = self._file_lock()
            try:
                yield
            finally:
                if lock is not None:
                    lock.release()
        finally:
            self._threads.release()

    def close(self) -> None:
        """Let go of the lock file."""
        with self._threads:
            if self._lock is not None:
                self._lock.close()
                self._lock = None

    def _file_lock(self) -> _FileLock | None:
        if self._path is None:
            return None
        try:
            if self._lock is None:
                self._lock = _FileLock(self._path)
            self._lock.acquire(BUSY_SECONDS)
        except OSError as error:
            raise RecordsUnavailable(f"the database can't be locked: {type(error).__name__}") from error
        return self._lock


class _FileLock:
    """One file's lock, for one thread at a time. The kernel waits without end: so a thread waits for us."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._held = threading.Semaphore(0)
        self._waiter: threading.Thread | None = None
        self._guard = threading.Lock()
        self._is_waiting = self._is_wanted = False

    def acquire(self, seconds: float) -> None:
        """Hold it. Raises RecordsUnavailable when others hold it for so long."""
        with self._guard:
            if not self._is_waiting and self._is_free():
                return
            self._ask()
        if self._held.acquire(timeout=seconds):
            return
        with self._guard:
            self._is_wanted = False
            if not self._held.acquire(blocking=False):
                raise RecordsUnavailable("the database is busy")

    def release(self) -> None:
        """Hand it on."""
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """End the waiter; the file is closed by its last user."""
        if self._waiter is None:
            os.close(self._file)
        else:
            self._asked.put(False)

    def _is_free(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _ask(self) -> None:
        self._is_wanted = True
        if self._is_waiting:  # for one who has given up meanwhile
            return
        self._is_waiting = True
        if self._waiter is None:
            self._waiter = threading.Thread(target=self._wait, name="writers", daemon=True)
            self._waiter.start()
        self._asked.put(True)

    def _wait(self) -> None:
        while self._asked.get():
            fcntl.flock(self._file, fcntl.LOCK_EX)
            with self._guard:
                self._is_waiting = False
                if self._is_wanted:
                    self._is_wanted = False
                    self._held.release()
                else:
                    self.release()
        os.close(self._file)
