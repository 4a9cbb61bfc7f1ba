"""The worker's process: RQ takes jobs, a sweeper finds lost ones, both outlive Redis coming and going."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from types import FrameType
from typing import Any

from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from sync.archive import Archive
from sync.due import Due
from sync.errors import RecordsError
from sync.jobs import Workplace, do_here, open_worker, put_renders, sweep, workplace
from sync.queue import JOBS, PROMPTS, QUEUES, RECORDS, WorkQueue, begun, connect

__all__ = ["Workplace", "open_worker", "run_worker", "sweep"]

LOG = logging.getLogger("tingjian.worker")
SWEEP_SECONDS = 2.0
_RENDER_SECONDS = 600.0  # what staff published while Redis was away is rendered after this at the latest
_EXPIRE_SECONDS = 3600.0  # and at every start: a machine may never run for an hour
_LONGEST_PAUSE_SECONDS = 5.0


class _Hands(SimpleWorker):
    """RQ's worker in this very process, so that models are loaded once. It takes no commands."""

    max_connection_wait_time = _LONGEST_PAUSE_SECONDS
    stopping: threading.Event

    def subscribe(self) -> None:
        """RQ would listen for commands in a thread that outlives a lost connection."""

    def unsubscribe(self) -> None:
        """Nothing was subscribed to."""

    def perform_job(self, job: Any, queue: Any, execution: Any) -> bool:
        begun(self.connection, job.meta)
        return bool(super().perform_job(job, queue, execution))

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stopping.set()
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


def run_worker(queues: Sequence[str] = QUEUES, sweep_seconds: float = SWEEP_SECONDS) -> None:
    """Work in the main thread until SIGTERM or Ctrl-C; the job at hand is finished. First `open_worker`."""
    here = workplace()
    stopping = threading.Event()
    sweeper = threading.Thread(
        target=_sweep_on,
        args=(here.archive, here.queue, queues, stopping, sweep_seconds),
        name="sweeper",
        daemon=True,
    )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopping.set())
    sweeper.start()
    try:
        while not stopping.is_set():
            if not _serve(here.queue.redis_url, queues, stopping):
                stopping.wait(_LONGEST_PAUSE_SECONDS)
    except StopRequested:
        pass
    finally:
        stopping.set()
        sweeper.join(_LONGEST_PAUSE_SECONDS)


def _serve(redis_url: str, queues: Sequence[str], stopping: threading.Event) -> bool:
    """Take jobs as long as Redis is there. False when it went away."""
    try:
        hands = _Hands(list(queues), connection=connect(redis_url, None), serializer=JSONSerializer)
        hands.stopping, hands.log_job_description = stopping, False
        hands.work(logging_level="WARNING")
    except RedisError as error:
        LOG.warning("redis is away (%s): the sweeper works without it", type(error).__name__)
        return False
    return True


def _sweep_on(
    archive: Archive, queue: WorkQueue, queues: Sequence[str], stopping: threading.Event, seconds: float
) -> None:
    # A render job that Redis lost stands in no record: whoever renders asks for it at its start.
    renders_at = 0.0 if PROMPTS in queues else time.monotonic() + _RENDER_SECONDS
    expires_at = 0.0
    while not stopping.wait(seconds):
        try:
            _sweep_once(archive, queue, queues, stopping)
            if time.monotonic() >= renders_at:
                renders_at = time.monotonic() + _RENDER_SECONDS
                put_renders(archive, queue)
            if RECORDS in queues and time.monotonic() >= expires_at:
                expires_at = time.monotonic() + _EXPIRE_SECONDS
                if not queue.put("expire"):
                    do_here(Due("expire"))
        except RecordsError as error:
            LOG.error("the sweeper can't read the records: %s", error)
        except Exception as error:
            LOG.error("the sweeper failed: %s", type(error).__name__)


def _sweep_once(archive: Archive, queue: WorkQueue, queues: Sequence[str], stopping: threading.Event) -> None:
    """Put what is due; without Redis do it here, so that nothing waits for Redis for ever."""
    for one in sweep(archive, queue, datetime.now(UTC)):
        if stopping.is_set() or queue.is_here():
            return
        if JOBS[one.job].queue in queues:
            do_here(one)
