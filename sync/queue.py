"""The queue that wakes workers. The database is the truth: a lost job is only a late one."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, WatchError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

LOG = logging.getLogger("tingjian.queue")
RECORDS, SPEECH, PROMPTS, WEBHOOKS = "records", "speech", "prompts", "webhooks"
QUEUES = (RECORDS, SPEECH, WEBHOOKS, PROMPTS)  # workers take from the first that has something
_SAME_JOB_SECONDS = 120  # how long a put job keeps its equals out, should nobody begin it
_REST_SECONDS = 2.0  # after a failure Redis is left alone this long, so that webhooks stay fast
_PREFIX = "tingjian:put:"


@dataclass(frozen=True)
class Job:
    """One kind of work: its queue, its function as `module:name` (never imported here), its longest run.

    `goes_first`: before all that waits in its queue, the latest put before the earlier.
    """

    queue: str
    path: str
    max_seconds: int
    goes_first: bool = False

    @property
    def function(self) -> str:
        """The path as RQ spells it."""
        return self.path.replace(":", ".")


JOBS: Mapping[str, Job] = MappingProxyType(
    {
        "settle": Job(RECORDS, "sync.jobs:settle", 300),
        "settle_call": Job(RECORDS, "ivr.calls:settle_call", 60),
        "fetch_recording": Job(RECORDS, "sync.jobs:fetch_recording", 180),
        "import_roster": Job(RECORDS, "admin.roster_import:import_job", 1800),
        "expire": Job(RECORDS, "sync.jobs:expire", 600),
        "transcribe": Job(SPEECH, "sync.jobs:transcribe", 3600, goes_first=True),
        "transcribe_later": Job(SPEECH, "sync.jobs:transcribe", 3600),
        "transcribe_spoken": Job(SPEECH, "sync.jobs:transcribe_spoken", 900),
        "index_words": Job(SPEECH, "sync.jobs:index_words", 3600),
        "prune": Job(RECORDS, "ivr.prompts.render:prune_job", 600),  # not behind hours of rendering
        "deliver": Job(WEBHOOKS, "sync.jobs:deliver", 180),  # slow answers hold up only these
        "render_programme": Job(PROMPTS, "ivr.broadcast.rendering:render_programme_job", 1800),
        "render": Job(PROMPTS, "ivr.prompts.render:render_job", 7200),
        "learn": Job(PROMPTS, "sync.jobs:learn", 1800),  # where a caller's words don't wait for it
        "preview": Job(PROMPTS, "ivr.prompts.render:preview_job", 600),  # a long render looks for these, too
    }
)


class WorkQueue:
    """Puts jobs into Redis (`redis://…` or `unix:///path`). Safe to share between threads."""

    def __init__(self, redis_url: str) -> None:
        self.redis_url = redis_url
        self._redis: Redis = connect(redis_url, answer_seconds=1.0)
        self._rests_until = 0.0

    def put(self, job: str, **arguments: str) -> bool:
        """Ask for a job; one that waits already is not put twice.

        True when it waits in Redis now. False, with a line in the log, when Redis is away: the sweeper will
        find the work in the database. Raises nothing but KeyError, for a job there is none of.
        """
        kind = JOBS[job]
        if time.monotonic() < self._rests_until:
            return False
        try:
            self._put(job, kind, arguments)
        except RedisError as error:
            self._rests_until = time.monotonic() + _REST_SECONDS
            LOG.warning(
                "redis is away (%s): %s waits for the sweeper", type(error).__name__, _name(job, arguments)
            )
            return False
        return True

    def is_here(self) -> bool:
        """Whether Redis answers at this moment."""
        try:
            return bool(self._redis.ping())
        except RedisError:
            return False

    def waiting(self) -> dict[str, int] | None:
        """How many jobs wait in each queue; None when Redis is away."""
        try:
            return {name: self._queue(name).count for name in QUEUES}
        except RedisError:
            return None

    def _put(self, job: str, kind: Job, arguments: Mapping[str, str]) -> None:
        """The mark that keeps equals out and the job appear together: who dies here leaves neither."""
        mark = _PREFIX + _name(job, arguments)
        with self._redis.pipeline() as pipe:
            pipe.watch(mark)  # type: ignore[no-untyped-call]
            if pipe.exists(mark):
                return
            pipe.multi()
            pipe.set(mark, "1", ex=_SAME_JOB_SECONDS)
            self._queue(kind.queue).enqueue_call(
                kind.function,
                kwargs=dict(arguments),
                timeout=kind.max_seconds,
                at_front=kind.goes_first,
                result_ttl=0,
                failure_ttl=3600,
                meta={"mark": mark},
                description=_name(job, arguments),
                pipeline=pipe,
            )
            with suppress(WatchError):  # an equal one was put meanwhile
                pipe.execute()

    def _queue(self, name: str) -> Queue:
        return Queue(name, connection=self._redis, serializer=JSONSerializer)


def connect(redis_url: str, answer_seconds: float | None) -> Redis:
    """A connection that fails at once, not retrying by itself. Without `answer_seconds` it may block."""
    options: dict[str, Any] = {
        "socket_connect_timeout": 1.0,
        "socket_timeout": answer_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    connection: Redis = Redis.from_url(redis_url, **options)
    return connection


def begun(connection: Redis, meta: Mapping[str, Any]) -> None:
    """A worker begins a job: an equal one may be put again from now on, for the world may have changed."""
    if mark := meta.get("mark"):
        connection.delete(mark)


def _name(job: str, arguments: Mapping[str, str]) -> str:
    return " ".join((job, *(f"{key}={arguments[key]}" for key in sorted(arguments))))
