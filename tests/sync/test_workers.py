"""Several worker processes at one inbox, on real PostgreSQL and real Redis: nothing twice, nothing held."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select, text

from sync import jobs, merge
from sync.archive import Archive
from sync.ballots import rules_of
from sync.inbox import is_waiting, keep_all
from sync.queue import RECORDS, WorkQueue
from sync.records.tables import Ballot, Capture, Change, Topic
from sync.settle import BATCH, settle_batch
from tests.conftest import found_community
from tests.sync.redis_server import RedisServer, redis_server
from tests.sync.village import COMMUNITY, ROAD, Village, at
from tests.sync.voices import Parrot

__all__ = ["redis_server"]

pytestmark = pytest.mark.slow

WORKERS, PEOPLE, BALLOTS = 3, 60, 3_000
WORKER = """
import sys
from pathlib import Path
from sync.archive import Archive
from sync.queue import WorkQueue
from sync.worker import open_worker, run_worker
archive = Archive.open(sys.argv[1], Path(sys.argv[2]))
open_worker(archive, WorkQueue(sys.argv[3]), lambda: None, lambda line: None)
print("ready", flush=True)
run_worker(("records",), sweep_seconds=0.2)
"""


@pytest.fixture
def village(postgres_archive: Archive) -> Village:
    """A village on PostgreSQL with an open topic."""
    found_community(postgres_archive)
    village = Village(postgres_archive)
    village.topic()
    return village


@pytest.fixture
def workers(
    village: Village, tmp_path: Path, redis_server: RedisServer
) -> Iterator[list[subprocess.Popen[str]]]:
    """Real worker processes, ready."""
    url = village.archive.database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", WORKER, url, str(tmp_path), redis_server.url]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(WORKERS)]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    yield started
    for process in started:
        process.kill()
        process.wait(30)


def until(is_so: Callable[[], bool], seconds: float = 120.0) -> None:
    ends = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def is_settled(village: Village) -> bool:
    with village.archive.database.read() as session:
        return not is_waiting(session)


def ballots(village: Village) -> list[merge.Ballot]:
    """Thousands of ballots of a few dozen people, which is the hardest case: workers meet at every row."""
    dice = random.Random(3)
    with village.archive.database.begin() as session:
        people = [village.seated(session, f"+86137000000{n:02}") for n in range(PEOPLE)]
    given = [
        village.ballot(dice.choice(people), dice.choice(("agree", "disagree", "pass")), n // 3, f"{n:05}")
        for n in range(BALLOTS)
    ]
    dice.shuffle(given)
    for start in range(0, BALLOTS, 250):
        with village.archive.database.begin() as session:
            keep_all(session, given[start : start + 250], at(9_000))
    return [
        merge.Ballot(
            one.person_id, one.person_id, str(one.payload["choice"]), one.cast_at, at(9_000), one.channel,
            one.evidence, False, one.source, one.source_id,
        )
        for one in given
    ]  # fmt: skip


def standing(village: Village) -> dict[str, tuple[str, str]]:
    with village.archive.database.read() as session:
        rows = session.execute(select(Ballot.voter_id, Ballot.choice, Ballot.source_id))
        return {voter: (choice, source_id) for voter, choice, source_id in rows}


def test_several_workers_settle_one_inbox_exactly(
    village: Village, workers: list[subprocess.Popen[str]], redis_server: RedisServer
) -> None:
    queue = WorkQueue(redis_server.url)
    stop = threading.Event()

    def wake() -> None:  # as web processes do after every turn
        while not stop.wait(0.01):
            queue.put("settle")

    waker = threading.Thread(target=wake)
    waker.start()
    try:
        given = ballots(village)
        until(lambda: len(standing(village)) > 0)
        workers[0].kill()  # one of them dies in the middle of it
        until(lambda: is_settled(village))
    finally:
        stop.set()
        waker.join()
    with village.archive.database.read() as session:
        rules = rules_of(session.get_one(Topic, ROAD))
        states = dict(session.execute(select(Capture.state, func.count()).group_by(Capture.state)).all())
        created = session.scalars(select(Change.record_id).where(Change.act == "created")).all()
    wanted = {one.voter_id: (one.choice, one.source_id) for one in merge.merge_ballots([], given, rules)}
    assert standing(village) == wanted
    assert states == {"merged": BALLOTS}
    assert len(created) == len(set(created)) == PEOPLE


def test_one_job_drains_the_inbox_however_much_is_in_it(
    village: Village, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job costs milliseconds of its own: thousands of captures put one, and it takes them in batches."""
    ballots(village)
    queue = WorkQueue(redis_server.url)
    monkeypatch.setattr(jobs, "_workplace", None)
    jobs.open_worker(village.archive, queue, Parrot, lambda line: None)
    for _ in range(500):
        assert queue.put("settle")
    connection = Redis.from_url(redis_server.url)
    (job,) = Queue(RECORDS, connection=connection, serializer=JSONSerializer).jobs
    job.perform()
    assert is_settled(village)
    with village.archive.database.read() as session:
        assert session.scalar(select(func.count(Change.xact.distinct()))) == BALLOTS / BATCH


def test_no_table_is_locked_while_a_batch_is_settled(
    village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Settling holds rows, never tables: others read, write and vacuum beside it."""
    ballots(village)
    held: set[tuple[str, str]] = set()
    flush = settle_batch.__globals__["_apply"]

    def look(batch: object, captures: object) -> None:
        flush(batch, captures)
        with village.archive.database.engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT relation::regclass::text, mode FROM pg_locks"
                    " WHERE locktype = 'relation' AND granted AND pid <> pg_backend_pid()"
                    " AND database = (SELECT oid FROM pg_database"
                    " WHERE datname = current_database())"
                )
            )
            held.update((row[0], row[1]) for row in rows)

    monkeypatch.setitem(settle_batch.__globals__, "_apply", look)
    assert settle_batch(village.archive, now=datetime.now(UTC)).merged == BATCH
    assert ("captures", "RowShareLock") in held  # we did look while it worked
    assert ("ballots", "RowExclusiveLock") in held
    gentle = {"AccessShareLock", "RowShareLock", "RowExclusiveLock"}
    assert {mode for _, mode in held} <= gentle


def test_while_one_worker_settles_another_takes_the_rest_and_platforms_may_write(village: Village) -> None:
    ballots(village)
    entered, may_go = threading.Event(), threading.Event()
    apply = settle_batch.__globals__["_apply"]
    first = threading.local()

    def slow(batch: object, captures: object) -> None:
        apply(batch, captures)
        if getattr(first, "is_slow", False):
            entered.set()
            assert may_go.wait(60)

    def one_worker() -> None:
        first.is_slow = True
        settle_batch(village.archive)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settle_batch.__globals__, "_apply", slow)
        worker = threading.Thread(target=one_worker)
        worker.start()
        try:
            assert entered.wait(60)
            with village.archive.database.begin() as session:  # a call gives something meanwhile
                who = village.seated(session, "+8613999999999")
                keep_all(session, [village.ballot(who, "agree", 1, "meanwhile")], at(9_000))
            with village.archive.database.begin() as session:  # and a new topic is made
                session.add(
                    Topic(
                        id="tp_new", community_id=COMMUNITY, owner="desk", title="新", text="新",
                        state="open", created_at=at(0),
                    )
                )  # fmt: skip
        finally:
            may_go.set()
            worker.join()
    while settle_batch(village.archive).is_more:
        pass
    assert is_settled(village)
    assert standing(village)[who] == ("agree", "meanwhile")
