"""Endpoints are told everything, in order, whatever fails, dies or is taken back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session
from standardwebhooks import Webhook

from sync import feed, jobs
from sync.archive import Archive
from sync.due import Due, due
from sync.erase import withdraw_opinion
from sync.errors import RecordsError
from sync.platforms import add_platform
from sync.queue import WorkQueue
from sync.records.tables import Audit, Community, Delivery, Endpoint, Platform
from sync.webhooks import delivering, endpoints
from sync.webhooks.addresses import PUBLIC_ONLY, Unreachable
from sync.webhooks.delivering import DEAD_AFTER, PAUSES_SECONDS, deliver, retry_seconds
from sync.webhooks.endpoints import add_endpoint, exchange_secret, pause, remove, resume
from sync.webhooks.log import KEPT, latest, prune_log
from sync.webhooks.news import RESYNC
from sync.webhooks.sending import send
from tests.sync.test_feed import opinion
from tests.sync.village import COMMUNITY, NOON, Village
from tests.sync.voices import Parrot
from tests.sync.webhook_receiver import NEAR, Receiver, receiver

__all__ = ["receiver"]

SCOPES = ("changes:read", "feedback:read", "topics:read")
DELETED = "cn.tingjian.opinion.deleted"
DEAD = f"{socket.gethostname()}/999999999/1"  # a worker of this host that is gone


@dataclass
class Desk:
    """A community with one platform that has one endpoint, and a clock of its own."""

    archive: Archive
    receiver: Receiver
    platform_id: str = ""
    endpoint_id: str = ""
    secret: str = ""
    now: datetime = NOON
    spoken: int = 0
    died: list[str] = field(default_factory=list)

    def add(self, types: tuple[str, ...] = (), scopes: tuple[str, ...] = SCOPES) -> str:
        """Another endpoint, of a platform of its own; its id."""
        with self.archive.database.begin() as session:
            platform, _ = add_platform(session, COMMUNITY, "线上", scopes)
            place = feed.latest(session, COMMUNITY)
            found, self.secret = add_endpoint(
                session,
                self.archive,
                platform,
                f"{self.receiver.base}/hook",
                types,
                place,
                NEAR,
                "test",
                NOON,
            )
        self.platform_id, self.endpoint_id = platform.id, found.id
        return found.id

    def speak(self, times: int = 1) -> list[str]:
        """So many opinions more; their ids."""
        person_id = Village(self.archive).person()
        ids = [f"op_{n}" for n in range(self.spoken, self.spoken + times)]
        for opinion_id in ids:
            opinion(self.archive, opinion_id, person_id)
        self.spoken += times
        return ids

    def deliver(self, minutes: float = 0) -> bool:
        """One job, so many minutes later."""
        self.now += timedelta(minutes=minutes)
        return deliver(self.archive, self.endpoint_id, NEAR, lambda: self.now)

    @property
    def endpoint(self) -> Endpoint:
        """As it is now."""
        with self.archive.database.read() as session:
            return session.get_one(Endpoint, self.endpoint_id)

    def change(self, act: Callable[[Session, Endpoint], Any]) -> Any:
        """Do something with the endpoint."""
        with self.archive.database.begin() as session:
            return act(session, session.get_one(Endpoint, self.endpoint_id))

    def log(self) -> list[tuple[str, int | None]]:
        """The log, oldest first: subjects and statuses."""
        with self.archive.database.read() as session:
            return [(one.subject, one.status) for one in reversed(latest(session, self.endpoint_id, 1000))]


@pytest.fixture
def desk(any_archive: Archive, any_community: Community, receiver: Receiver) -> Desk:
    found = Desk(any_archive, receiver)
    found.add()
    return found


@pytest.fixture
def near_desk(archive: Archive, community: Community, receiver: Receiver) -> Desk:
    """The same on SQLite alone, for what no database decides."""
    found = Desk(archive, receiver)
    found.add()
    return found


def test_every_change_is_told_once_in_order_as_the_feed_shows_it(desk: Desk) -> None:
    ids = desk.speak(3)
    assert desk.deliver() is False
    assert desk.receiver.subjects == ids
    with desk.archive.database.read() as session:
        shown = feed.events(session, COMMUNITY, None, 10, frozenset(SCOPES), NOON).events
    assert [one.event for one in desk.receiver.received] == shown
    assert [one.headers["webhook-id"] for one in desk.receiver.received] == [one["id"] for one in shown]
    desk.deliver()
    more = desk.speak()
    desk.deliver()
    assert desk.receiver.subjects == ids + more
    assert desk.log() == [(one, 200) for one in ids + more]
    assert (desk.endpoint.held_by, desk.endpoint.next_try_at) == (None, None)


def test_what_was_there_before_the_endpoint_is_not_told(desk: Desk) -> None:
    desk.speak(2)
    desk.add()
    later = desk.speak()
    desk.deliver()
    assert desk.receiver.subjects == later


def test_only_wanted_types_and_what_the_scopes_show(near_desk: Desk) -> None:
    desk = near_desk
    desk.add(types=(DELETED,))
    ids = desk.speak(120)  # more than is passed over at once
    withdraw_opinion(desk.archive, ids[7], "desk")
    desk.speak(2)
    assert desk.deliver() is False
    assert [(one.event["type"], one.event["subject"]) for one in desk.receiver.received] == [
        (DELETED, ids[7])
    ]
    desk.add(scopes=("changes:read", "topics:read"))
    desk.speak()
    desk.deliver()
    assert len(desk.receiver.received) == 1
    assert not list(what_is_due(desk, desk.endpoint_id))


def what_is_due(desk: Desk, *only: str) -> Iterator[Due]:
    with desk.archive.database.read() as session:
        found = list(due(session, desk.now, jobs=("deliver",)))
    return (one for one in found if not only or one.arguments["endpoint_id"] in only)


def test_a_failure_holds_back_what_is_behind_it_and_the_same_id_comes_again(desk: Desk) -> None:
    ids = desk.speak(3)
    desk.receiver.moods = [200, 500, "slammed"]
    desk.deliver()
    assert desk.receiver.subjects == ids[:2]
    assert (desk.endpoint.tries, desk.endpoint.problem) == (1, "refused 500")
    desk.deliver()  # not due yet
    assert not list(what_is_due(desk))
    assert len(desk.receiver.received) == 2
    desk.deliver(minutes=1)
    assert (desk.endpoint.tries, desk.endpoint.problem) == (2, "not_reached")
    assert desk.endpoint.failing_since == NOON
    desk.deliver(minutes=1)
    assert len(desk.receiver.received) == 3
    assert list(what_is_due(desk)) == []
    desk.now += timedelta(minutes=5)
    assert list(what_is_due(desk)) == [Due("deliver", ("endpoint_id", desk.endpoint_id))]
    desk.deliver()
    assert desk.receiver.subjects == [ids[0], ids[1], ids[1], ids[1], ids[2]]
    tried = [one.headers["webhook-id"] for one in desk.receiver.received][1:4]
    assert len(set(tried)) == 1
    well = desk.endpoint
    assert well.tries == 0
    assert well.failing_since is None
    assert well.problem is None
    assert desk.log() == [(ids[0], 200), (ids[1], 500), (ids[1], None), (ids[1], 200), (ids[2], 200)]


def test_pauses_grow_to_a_day_and_are_spread() -> None:
    assert [round(retry_seconds(n, 0.5)) for n in range(1, 12)] == [*PAUSES_SECONDS, 86_400, 86_400]
    assert retry_seconds(4, 0.0) == pytest.approx(0.9 * 7_200)
    assert retry_seconds(4, 1.0) == pytest.approx(1.1 * 7_200)
    five_days = sum(retry_seconds(n, 0.5) for n in range(1, 12))
    assert five_days > DEAD_AFTER.total_seconds()


def test_a_dead_endpoint_is_paused_and_resumes_where_it_stopped(desk: Desk, caplog: Any) -> None:
    ids = desk.speak(2)
    desk.receiver.moods = [503] * 100
    while desk.endpoint.state == "active":
        desk.deliver(minutes=24 * 60 * 1.1)
        assert len(desk.receiver.received) < 30
    assert len(desk.receiver.received) == 10
    assert desk.endpoint.problem == "refused 503"
    assert desk.now - NOON >= DEAD_AFTER
    assert desk.endpoint_id in caplog.text
    assert desk.receiver.base not in caplog.text
    desk.now += timedelta(days=20)
    desk.deliver()
    assert not list(what_is_due(desk))
    assert len(desk.receiver.received) == 10
    desk.receiver.moods.clear()
    desk.change(lambda session, endpoint: resume(session, endpoint, "test", desk.now))
    assert list(what_is_due(desk))
    desk.deliver()
    assert desk.receiver.subjects[10:] == ids


def test_who_says_gone_is_told_nothing_more(desk: Desk) -> None:
    desk.speak(2)
    desk.receiver.moods = [410]
    desk.deliver()
    assert desk.endpoint.state == "gone"
    desk.deliver(minutes=10_000)
    assert len(desk.receiver.received) == 1


def test_while_secrets_are_exchanged_both_sign_for_a_day(near_desk: Desk) -> None:
    desk, old = near_desk, near_desk.secret
    new = desk.change(lambda session, one: exchange_secret(session, desk.archive, one, "test", desk.now))
    for minutes, works in ((1, True), (24 * 60 - 2, True), (2, False)):
        desk.speak()
        desk.deliver(minutes)
        came = desk.receiver.received[-1]
        now = {"webhook-timestamp": came.headers["webhook-timestamp"]}
        assert signed_with(new, came.body, came.headers | now)
        assert signed_with(old, came.body, came.headers | now) is works


def signed_with(secret: str, body: bytes, headers: dict[str, str]) -> bool:
    """Whether one of the signatures is by this secret, whatever the time."""
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=NOON.tzinfo)
    expected = Webhook(secret).sign(headers["webhook-id"], moment, body.decode())
    return expected in headers["webhook-signature"].split(" ")


def test_the_secret_is_sealed_and_goes_with_the_endpoint(near_desk: Desk) -> None:
    desk = near_desk
    assert desk.secret.encode() not in desk.endpoint.sealed_secret
    with desk.archive.database.read() as session:
        assert endpoints.secrets_of(session, desk.archive, desk.endpoint, NOON) == [desk.secret]
    key_id = desk.endpoint.key_id
    desk.speak()
    desk.deliver()
    desk.change(lambda session, endpoint: remove(session, desk.archive, endpoint, "test"))
    assert desk.deliver() is False
    with desk.archive.database.read() as session:
        assert session.scalars(select(Endpoint)).all() == []
        assert session.scalars(select(Delivery)).all() == []
        with pytest.raises(RecordsError):
            desk.archive.keyring.unseal(session, key_id, b"", "")


def test_no_event_says_more_than_the_feed_and_no_log_holds_words(near_desk: Desk) -> None:
    (opinion_id,) = near_desk.speak()
    withdraw_opinion(near_desk.archive, opinion_id, "desk")
    near_desk.deliver()
    assert [one.event["data"]["state"] for one in near_desk.receiver.received] == ["withdrawn", "withdrawn"]
    with near_desk.archive.database.read() as session:
        kept = [vars(one) for table in (Delivery, Audit) for one in session.scalars(select(table))]
    assert kept
    assert not any("路灯" in str(row) or "whsec_" in str(row) for row in kept)


def test_after_a_restore_it_is_told_to_read_anew_and_goes_on(desk: Desk) -> None:
    desk.speak(2)
    with desk.archive.database.begin() as session:
        feed.begin_anew(session, NOON)
    desk.receiver.moods = [500]
    desk.deliver()
    desk.deliver(minutes=1)
    first, second = desk.receiver.received
    assert first.event["type"] == second.event["type"] == RESYNC
    assert first.event["id"] == second.event["id"]
    later = desk.speak()
    desk.deliver()
    assert desk.receiver.subjects[2:] == later


def test_resumed_after_the_feed_forgot_its_place_it_is_told_so(desk: Desk) -> None:
    desk.change(lambda session, endpoint: pause(session, endpoint, "test", NOON))
    desk.speak(5)
    with desk.archive.database.begin() as session:
        assert feed.prune(session, COMMUNITY, NOON + timedelta(days=1), 100) == 4
    desk.deliver(minutes=60)
    assert desk.receiver.received == []
    desk.change(lambda session, endpoint: resume(session, endpoint, "test", desk.now))
    desk.deliver()
    assert [one.event["type"] for one in desk.receiver.received] == [RESYNC]
    later = desk.speak()
    desk.deliver()
    assert desk.receiver.subjects[1:] == later


def test_a_platform_whose_key_has_expired_is_told_nothing(near_desk: Desk) -> None:
    near_desk.speak()
    with near_desk.archive.database.begin() as session:
        session.get_one(Platform, near_desk.platform_id).expires_at = near_desk.now
    assert not list(what_is_due(near_desk))
    near_desk.deliver()
    assert near_desk.receiver.received == []


def test_two_workers_tell_it_once(desk: Desk) -> None:
    ids = desk.speak(4)
    desk.receiver.rests = 0.1
    together = threading.Barrier(3)

    def work() -> None:
        together.wait()
        deliver(desk.archive, desk.endpoint_id, NEAR, lambda: NOON)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.receiver.subjects == ids


def test_a_busy_endpoint_leaves_others_their_turn(near_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivering, "RUN_SECONDS", 0.0)
    near_desk.speak(2)
    assert near_desk.deliver() is True
    assert near_desk.endpoint.held_by is None


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


def test_killed_at_any_step_nothing_is_lost_or_out_of_order(desk: Desk) -> None:
    told: list[str] = []
    for step in range(1, 60):
        told += desk.speak(2)
        left = kill_before(desk, step)
        desk.deliver()
        firsts = dict.fromkeys(desk.receiver.subjects)
        assert list(firsts) == told
        by_subject: dict[str, set[str]] = {}
        for one in desk.receiver.received:
            by_subject.setdefault(one.event["subject"], set()).add(one.headers["webhook-id"])
        assert all(len(ids) == 1 for ids in by_subject.values())
        if left > 0:
            break
    assert len(desk.died) == step - 1 > 6
    assert len(desk.receiver.received) > len(told)  # some were sent twice, under the same id


def kill_before(desk: Desk, step: int) -> int:
    """Deliver with a worker that dies before that step; how many steps were left, where it did not."""
    left = step
    begin = desk.archive.database.begin

    def pass_by(name: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            desk.died.append(name)
            raise Killed

    @contextmanager
    def begun() -> Iterator[Session]:
        pass_by("before a transaction")
        with begin() as session:
            yield session
            pass_by("before a commit")
        pass_by("after a commit")

    def sent(*given: Any) -> Any:
        pass_by("before a send")
        found = send(*given)
        pass_by("after a send")
        return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk.archive.database, "begin", begun)
        patch.setattr(delivering, "send", sent)
        patch.setattr("sync.leases.worker_name", lambda: DEAD)  # the next worker sees that this one is gone
        patch.setattr(delivering, "worker_name", lambda: DEAD)
        try:
            desk.deliver()
        except Killed:
            return 0
    return left


def test_the_log_is_kept_for_a_month(near_desk: Desk) -> None:
    near_desk.speak(2)
    near_desk.deliver()
    assert prune_log(near_desk.archive, NOON + KEPT) == 0
    assert prune_log(near_desk.archive, NOON + KEPT + timedelta(seconds=1)) == 2
    assert near_desk.log() == []


def test_only_what_makes_sense_becomes_an_endpoint(near_desk: Desk) -> None:
    with near_desk.archive.database.begin() as session:
        platform = session.get_one(Platform, near_desk.platform_id)
        blind, _ = add_platform(session, COMMUNITY, "看不见", ("feedback:read",))

        def add(one: Platform, url: str, types: tuple[str, ...] = (), reach: Any = NEAR) -> None:
            add_endpoint(session, near_desk.archive, one, url, types, "latest", reach, "test", NOON)

        with pytest.raises(Unreachable, match="address_not_public"):
            add(platform, near_desk.receiver.base, reach=PUBLIC_ONLY)
        with pytest.raises(Unreachable, match="no_such_address"):
            add(platform, "ftp://127.0.0.1/")
        with pytest.raises(RecordsError, match="no such event type"):
            add(platform, near_desk.receiver.base, ("cn.tingjian.opinions.*",))
        with pytest.raises(RecordsError, match="changes:read"):
            add(blind, near_desk.receiver.base)


def test_the_workers_job_delivers_and_asks_again_for_what_is_left(
    near_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = WorkQueue("unix:///nowhere/redis.sock")
    put: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(queue, "put", lambda job, **given: put.append((job, given)))
    jobs.open_worker(near_desk.archive, queue, Parrot, lambda _: ("", ""), lambda: NOON, reach=NEAR)
    ids = near_desk.speak(2)
    monkeypatch.setattr(delivering, "RUN_SECONDS", 0.0)
    jobs.deliver(near_desk.endpoint_id)
    assert put == [("deliver", {"endpoint_id": near_desk.endpoint_id})]
    monkeypatch.setattr(delivering, "RUN_SECONDS", 60.0)
    (found,) = what_is_due(near_desk)
    jobs.do_here(found)
    assert near_desk.receiver.subjects == ids
    assert not list(what_is_due(near_desk))
