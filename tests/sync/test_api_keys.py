"""A write is done once for its key, whatever is sent again, breaks off or is away; odd bodies are refused."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import create_engine, func, select, text

from sync.api import writing
from sync.archive import Archive
from sync.idempotency import Answer, answer_to, claim_of, forget_answers, held, keep_answer
from sync.queue import RECORDS, WorkQueue
from sync.records.tables import Audit, Capture, Community, KeptAnswer, Topic
from sync.waking import Waker
from tests.conftest import found_community
from tests.sync.redis_server import RedisServer, redis_server
from tests.sync.writer import Told, Writer, app_on, enter, is_problem

__all__ = ["redis_server"]

TOPIC = {"title": "路灯", "text": "要不要换？"}
LI = {"account": "li"}


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


@pytest.fixture
def now() -> list[datetime]:
    return [datetime.now(UTC)]


@pytest.fixture
def writer(any_archive: Archive, any_community: Community, now: list[datetime]) -> Writer:
    return enter(any_archive, app_on(any_archive, Told(), now), any_community.id, now=now)


def count(archive: Archive, table: Any) -> int:
    with archive.database.read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_the_same_key_and_body_get_the_same_bytes_and_one_effect(writer: Writer) -> None:
    first = writer.post("/topics", TOPIC, key="k1")
    with writer.archive.database.begin() as session:
        session.get_one(Topic, first.get_json()["id"]).title = "别的"
    again = writer.post("/topics", dict(reversed(TOPIC.items())), key="k1")  # the order of names says nothing
    assert (again.status_code, again.get_data()) == (201, first.get_data())
    assert (first.headers.get("Idempotency-Replayed"), again.headers["Idempotency-Replayed"]) == (
        None,
        "true",
    )
    assert count(writer.archive, Topic) == 1
    with writer.archive.database.read() as session:
        lines = session.execute(select(Audit.subject, Audit.details).where(Audit.act == "api.write")).all()
    assert [(path, told["status"]) for path, told in lines] == [("/api/v1/topics", 201)] * 2


def test_a_key_used_otherwise_is_refused_but_each_platform_has_its_own(writer: Writer) -> None:
    topic_id = writer.post("/topics", TOPIC, key="k1").get_json()["id"]
    assert is_problem(writer.post("/topics", TOPIC | {"title": "别的"}, key="k1"), 422, "Idempotency-Key")
    assert is_problem(writer.patch(f"/topics/{topic_id}", TOPIC, key="k1"), 422, "Idempotency-Key")
    other = enter(writer.archive, writer.client.application, "cm_test")
    assert other.post("/topics", TOPIC, key="k1").status_code == 201
    assert count(writer.archive, Topic) == 2


def test_a_key_is_needed_where_repeating_would_do_twice(writer: Writer) -> None:
    head = {"Authorization": f"Bearer {writer.key}"}
    bare = writer.client.post("/api/v1/topics", json=TOPIC, headers=head)
    assert is_problem(bare, 400, "Idempotency-Key")
    for key in ("", " ", "a b", "x" * 201, "钥匙".encode().decode("latin-1")):
        odd = writer.client.post("/api/v1/topics", json=TOPIC, headers={**head, "Idempotency-Key": key})
        assert is_problem(odd, 400, "Idempotency-Key")
    topic_id = writer.topic()
    changed = writer.client.patch(f"/api/v1/topics/{topic_id}", json={"title": "新"}, headers=head)
    assert changed.status_code == 200


def test_what_was_refused_has_kept_nothing_and_its_key_is_free(writer: Writer) -> None:
    refused = {"id": "1", "voice": LI, "text": "好", "topic_id": "tp_none"}
    assert is_problem(writer.post("/feedback", refused, key="k1"), 404, "topic_id")
    assert (count(writer.archive, Capture), count(writer.archive, KeptAnswer)) == (0, 0)
    assert writer.post("/feedback", refused | {"topic_id": writer.topic()}, key="k1").status_code == 202


def test_the_same_call_under_way_is_told_to_wait(writer: Writer) -> None:
    said = json.dumps(["POST", "/api/v1/topics?", TOPIC], sort_keys=True)
    with held(claim_of(writer.id, "k1", said)):
        busy = writer.post("/topics", TOPIC, key="k1")
    assert is_problem(busy, 409, "worked on")
    assert int(busy.headers["Retry-After"]) >= 1
    assert writer.post("/topics", TOPIC, key="k1").status_code == 201


def test_the_same_call_in_another_process_happens_once(writer: Writer) -> None:
    """PostgreSQL refuses it meanwhile; SQLite lets it wait for the other's answer."""
    claim = claim_of(writer.id, "k1", json.dumps(["POST", "/api/v1/topics?", TOPIC], sort_keys=True))
    theirs = Answer(201, "application/json", b'{"id":"tp_theirs"}')
    with ThreadPoolExecutor(1) as hands:
        with writer.archive.database.begin() as session:
            assert answer_to(session, claim, writer.now[-1]) is None
            keep_answer(session, claim, theirs, writer.now[-1])
            session.flush()
            ours = hands.submit(writer.post, "/topics", TOPIC, key="k1")
            if not writer.archive.database.is_sqlite:
                assert is_problem(ours.result(30), 409, "worked on")
        if writer.archive.database.is_sqlite:
            assert ours.result(30).get_data() == theirs.body
    assert writer.post("/topics", TOPIC, key="k1").get_data() == theirs.body
    assert count(writer.archive, Topic) == 0


def test_equal_calls_at_the_same_moment_have_one_effect(writer: Writer) -> None:
    together = threading.Barrier(8)

    def send(_: int) -> Any:
        together.wait()
        return writer.post("/topics", TOPIC, key="k1")

    with ThreadPoolExecutor(8) as hands:
        answers = list(hands.map(send, range(8)))
    assert {one.status_code for one in answers} <= {201, 409}
    assert len({one.get_data() for one in answers if one.status_code == 201}) == 1
    assert count(writer.archive, Topic) == 1


def test_killed_before_the_answer_goes_out_it_is_given_again(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic_id = writer.topic()
    ballot = {"id": "1", "voice": LI, "choice": "agree"}

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    for place in ("keep_answer", "_sent"):  # before the commit, after it
        with monkeypatch.context() as dying:
            dying.setattr(writing, place, die)
            with pytest.raises(Killed):
                writer.post(f"/topics/{topic_id}/ballots", ballot, key="k1")
        assert count(writer.archive, Capture) == (0 if place == "keep_answer" else 1)
    again = writer.post(f"/topics/{topic_id}/ballots", ballot, key="k1")
    assert (again.status_code, again.get_json()) == (202, {"kept": 1, "known": 0})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert count(writer.archive, Capture) == 1


def test_keys_are_forgotten_after_a_day(writer: Writer) -> None:
    for n in range(3):
        writer.post("/topics", TOPIC, key=f"k{n}")
    writer.now.append(writer.now[-1] + timedelta(hours=23, minutes=59))
    assert forget_answers(writer.archive, writer.now[-1]) == 0
    assert writer.post("/topics", TOPIC, key="k0").headers["Idempotency-Replayed"] == "true"
    writer.now.append(writer.now[-1] + timedelta(minutes=2))
    assert "Idempotency-Replayed" not in writer.post("/topics", TOPIC, key="k0").headers
    assert forget_answers(writer.archive, writer.now[-1]) == 2
    assert (count(writer.archive, KeptAnswer), count(writer.archive, Topic)) == (1, 4)


# --- what is away ---
def test_a_locked_database_refuses_the_write_and_has_kept_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.database.BUSY_SECONDS", 0.2)
    archive = Archive.open(f"sqlite:///{tmp_path}/records.db", tmp_path)
    archive.database.create()
    writer = enter(archive, app_on(archive, Told(), []), found_community(archive).id)
    topic_id = writer.topic()
    ballot = {"id": "1", "voice": LI, "choice": "agree"}
    lock = sqlite3.connect(tmp_path / "records.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    away = writer.post(f"/topics/{topic_id}/ballots", ballot, key="k1")
    assert is_problem(away, 503)
    assert int(away.headers["Retry-After"]) >= 1
    assert time.monotonic() - began < 5
    lock.close()
    assert count(archive, Capture) == 0
    assert writer.post(f"/topics/{topic_id}/ballots", ballot, key="k1").get_json()["kept"] == 1
    archive.close()


@pytest.mark.slow
def test_while_postgresql_is_away_writers_wait_and_nothing_acknowledged_is_lost(
    postgres_archive: Archive, postgres_server: str
) -> None:
    archive = postgres_archive
    writer = enter(archive, app_on(archive, Told(), []), found_community(archive).id)
    topic_id, name = writer.topic(), archive.database.url.database
    admin = create_engine(
        archive.database.url.set(database="postgres"), isolation_level="AUTOCOMMIT", pool_size=1
    )
    acknowledged = set()
    for n in range(12):
        if n in (4, 8):
            is_open = n == 8
            with admin.connect() as connection:
                connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {is_open}'))
                drop = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
                connection.execute(text(drop), {"name": name})
        ballot = {"id": str(n), "voice": {"account": str(n)}, "choice": "agree"}
        for _ in range(50 if n >= 8 else 1):
            answer = writer.post(f"/topics/{topic_id}/ballots", ballot, key=f"b{n}")
            if answer.status_code == 202:
                acknowledged.add(f"ballot:{n}")
                break
            assert is_problem(answer, 503)
            assert answer.headers["Retry-After"]
    admin.dispose()
    assert acknowledged == {f"ballot:{n}" for n in range(12) if not 4 <= n < 8}
    with archive.database.read() as session:
        assert set(session.scalars(select(Capture.source_id))) == acknowledged


def test_without_redis_ballots_land_and_the_sweep_counts_them(archive: Archive, community: Community) -> None:
    gone = Waker(WorkQueue("redis://127.0.0.1:1"))
    writer = enter(archive, app_on(archive, gone, []), community.id)
    topic_id, began = writer.topic(), time.monotonic()
    ballot = {"id": "1", "voice": LI, "choice": "agree"}
    assert writer.post(f"/topics/{topic_id}/ballots", ballot).status_code == 202
    assert time.monotonic() - began < 2
    writer.work()
    assert writer.get(f"/topics/{topic_id}").get_json()["result"]["voters"] == 1


def test_a_write_wakes_the_worker_at_once(
    archive: Archive, community: Community, redis_server: RedisServer
) -> None:
    waker = Waker(WorkQueue(redis_server.url))
    writer = enter(archive, app_on(archive, waker, []), community.id)
    topic_id = writer.topic()
    writer.post(f"/topics/{topic_id}/ballots", {"id": "1", "voice": LI, "choice": "agree"})
    jobs = Queue(RECORDS, connection=Redis.from_url(redis_server.url), serializer=JSONSerializer)
    until = time.monotonic() + 10
    while not jobs.count and time.monotonic() < until:
        time.sleep(0.02)
    assert [job.func_name for job in jobs.jobs] == ["sync.jobs.settle"]


# --- bodies ---
def topic_of(**fields: Any) -> bytes:
    return json.dumps({"title": "a", "text": "b"} | fields).encode()


ODD = (
    (b"", 400, "JSON"),
    (b"{", 400, "JSON"),
    (b'{"title": NaN}', 400, "JSON"),
    (b"\xff\xfe{}", 400, "JSON"),
    (b"[" * 50_000, 400, "JSON"),
    (b'{"title": ' + b"9" * 5_000 + b"}", 400, "JSON"),
    (b"[]", 422, "the body"),
    (b"null", 422, "the body"),
    (b"{}", 422, "title"),
    (topic_of(colour=1), 422, "colour"),
    (topic_of(title=1), 422, "title"),
    (topic_of(title=" "), 422, "title"),
    (topic_of(title="\x00"), 422, "title"),
    (topic_of(title="\ud800"), 422, "title"),
    (topic_of(**{"\ud800": 1}), 422, "the body"),
    (topic_of(rules={"electorate_size": 10**400}), 422, "rules"),
    (b'{"title": "a", "text": "b", "rules": {"quorum": 1e400}}', 422, "rules"),
    (topic_of(rules={"electorate": "\ud800"}), 422, "rules.electorate"),
    (topic_of(closes_at="soon"), 422, "closes_at"),
    (topic_of(closes_at="2026-06-30T23:59:60Z"), 422, "closes_at"),
    (topic_of(closes_at="0001-01-01T00:00:00+23:59"), 422, "closes_at"),
    (topic_of(options=[["a", "x"]]), 422, "options"),
    (topic_of(options=[["a", "x"], ["a", "y"]]), 409, "options"),
    (topic_of(opens_at="2026-02-30T00:00:00Z"), 422, "opens_at"),
    (topic_of(opens_at="2026-02-03T00:00:00Z", closes_at="2026-02-02T23:00:00-01:00"), 409, "closes_at"),
    (topic_of(spoken_title="x" * 21), 422, "spoken_title"),
    (b'{"title": "a", "rules": ' + b'{"rules":' * 900 + b"1" + b"}" * 900 + b"}", 422, ""),
)


def test_an_odd_body_is_refused_in_words(archive: Archive, community: Community) -> None:
    writer = enter(archive, app_on(archive, Told(), []), community.id)
    head = {"Authorization": f"Bearer {writer.key}", "Content-Type": "application/json"}
    for body, status, names in ODD:
        answer = writer.client.post(
            "/api/v1/topics", data=body, headers=head | {"Idempotency-Key": str(hash(body))}
        )
        assert is_problem(answer, status, names), (body[:80], answer.get_data())
    assert count(archive, Topic) == 0


def test_bodies_are_json_by_their_type_and_bounded(archive: Archive, community: Community) -> None:
    writer = enter(archive, app_on(archive, Told(), []), community.id)
    head = {"Authorization": f"Bearer {writer.key}", "Idempotency-Key": "k1"}
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        sent = writer.client.post("/api/v1/topics", data=b"{}", headers=head | {"Content-Type": kind})
        assert is_problem(sent, 415)
    large = json.dumps({"title": "a", "text": "b" * 70_000}).encode()
    json_head = head | {"Content-Type": "application/json"}
    assert is_problem(writer.client.post("/api/v1/topics", data=large, headers=json_head), 413)
    assert is_problem(writer.client.post("/api/v1/topics/tp_1/ballots", data=large, headers=json_head), 422)
    far_larger = large * 8
    assert is_problem(writer.client.post("/api/v1/topics/x/ballots", data=far_larger, headers=json_head), 413)


def test_an_odd_id_in_the_path_is_nothing(writer: Writer) -> None:
    for record_id in ("%00", "x" * 41, "%ED%A0%80", "%2e%2e", "' or 1=1"):
        assert is_problem(writer.patch(f"/topics/{record_id}", {"title": "x"}), 404)
        assert is_problem(writer.get(f"/topics/{record_id}"), 404)
        assert is_problem(writer.post(f"/feedback/{record_id}/withdrawal", {}), 404)
