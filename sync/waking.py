"""Wakes that nobody waits for: put by a thread of their own, equal ones of the same moment once."""

from __future__ import annotations

import logging
import threading
import time
from typing import Protocol

REST_SECONDS = 0.2
_LOG = logging.getLogger("tingjian.queue")


class Queue(Protocol):
    """The work queue as far as it is woken."""

    def put(self, job: str, **arguments: str) -> bool: ...


class Waker:
    """Takes wakes at once and hands them to `queue` within REST_SECONDS. Make one in each process.

    The database is the truth: wakes that a dying process takes with it are made up for by the sweep.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._asked: dict[tuple[str, tuple[tuple[str, str], ...]], None] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def put(self, job: str, **arguments: str) -> bool:
        """Ask for a job. True: it is on its way."""
        with self._changed:
            self._asked[job, tuple(sorted(arguments.items()))] = None
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="waker", daemon=True)
                self._thread.start()
            self._changed.notify()
        return True

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._asked:
                    self._changed.wait()
                asked, self._asked = self._asked, {}
            for job, arguments in asked:
                try:
                    self._queue.put(job, **dict(arguments))
                except Exception as error:  # one that cannot be put must not keep the others back
                    _LOG.error("%s was not put: %s", job, type(error).__name__)
            time.sleep(REST_SECONDS)
