"""The queue: jobs are put once, never raise into a webhook, and go on when Redis is back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from sync.queue import JOBS, QUEUES, RECORDS, SPEECH, WorkQueue, begun, connect
from tests.sync.redis_server import RedisServer, redis_server

__all__ = ["redis_server"]


def waiting(server: RedisServer, name: str) -> list[tuple[str, dict[str, str]]]:
    queue = Queue(name, connection=Redis.from_url(server.url), serializer=JSONSerializer)
    return [(job.func_name, job.kwargs) for job in queue.jobs]


def test_a_job_waits_with_its_arguments_in_its_own_queue(redis_server: RedisServer) -> None:
    queue = WorkQueue(redis_server.url)
    assert queue.put("transcribe", opinion_id="op_1")
    assert waiting(redis_server, SPEECH) == [("sync.jobs.transcribe", {"opinion_id": "op_1"})]
    assert waiting(redis_server, RECORDS) == []
    assert queue.waiting() == {"records": 0, "speech": 1, "webhooks": 0, "prompts": 0}


def test_the_same_job_is_put_once_until_a_worker_begins_it(redis_server: RedisServer) -> None:
    queue = WorkQueue(redis_server.url)
    for _ in range(3):
        assert queue.put("settle")
    queue.put("fetch_recording", recording_id="rec_1")
    queue.put("fetch_recording", recording_id="rec_2")
    assert len(waiting(redis_server, RECORDS)) == 3
    connection = connect(redis_server.url, 1.0)
    for job in Queue(RECORDS, connection=connection, serializer=JSONSerializer).jobs:
        begun(connection, job.meta)
    queue.put("settle")
    assert len(waiting(redis_server, RECORDS)) == 4


def test_who_dies_while_putting_a_job_keeps_nobody_else_from_putting_it(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Death(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Death

    with monkeypatch.context() as dying:
        dying.setattr(Queue, "enqueue_call", die)
        with pytest.raises(Death):
            WorkQueue(redis_server.url).put("settle")
    assert WorkQueue(redis_server.url).put("settle")
    assert waiting(redis_server, RECORDS) == [("sync.jobs.settle", {})]


def test_equals_put_at_the_same_moment_are_one_job(redis_server: RedisServer) -> None:
    queues = [WorkQueue(redis_server.url) for _ in range(8)]
    together = threading.Barrier(len(queues))

    def put(queue: WorkQueue) -> bool:
        together.wait()
        return queue.put("settle")

    with ThreadPoolExecutor(len(queues)) as hands:
        assert all(hands.map(put, queues))
    assert waiting(redis_server, RECORDS) == [("sync.jobs.settle", {})]


def test_without_redis_put_says_so_quickly_and_recovers(redis_server: RedisServer) -> None:
    queue = WorkQueue(redis_server.url)
    redis_server.kill()
    began = time.monotonic()
    assert not any(queue.put("fetch_recording", recording_id=f"rec_{n}") for n in range(50))
    assert time.monotonic() - began < 1.0
    assert not queue.is_here()
    assert queue.waiting() is None
    redis_server.start()
    time.sleep(2.1)
    assert queue.put("settle")
    assert waiting(redis_server, RECORDS) == [("sync.jobs.settle", {})]


def test_every_job_has_a_queue_that_workers_serve() -> None:
    assert {job.queue for job in JOBS.values()} == set(QUEUES)
    assert all(job.path.count(":") == 1 for job in JOBS.values())
