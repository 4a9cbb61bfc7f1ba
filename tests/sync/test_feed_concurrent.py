"""A reader of the feed beside many writers, some slow, that commit in any order: nothing is ever skipped."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from sync import feed
from sync.archive import Archive
from sync.changes import note
from sync.records.tables import Change, Community
from tests.sync.village import COMMUNITY, NOON

SCOPES = frozenset({"topics:read"})
WRITERS, TRANSACTIONS = 10, 12


class Follower:
    """Follows the feed from its beginning, page by page, and says what it was told."""

    def __init__(self, archive: Archive, limit: int) -> None:
        self.archive, self.limit = archive, limit
        self.cursor: str | None = None
        self.told: list[str] = []
        self.ids: list[str] = []

    def step(self) -> bool:
        """Read one page; whether there was anything on it."""
        with self.archive.database.read() as session:
            page = feed.events(session, COMMUNITY, self.cursor, self.limit, SCOPES, NOON)
        self.cursor = page.next_cursor
        self.told += [one["subject"] for one in page.events]
        self.ids += [one["id"] for one in page.events]
        return bool(page.events)

    def follow(self, is_over: Callable[[], bool]) -> None:
        """Read on until the writers are done and nothing is left."""
        while True:
            was_over = is_over()
            if not self.step() and was_over:
                return


def written(archive: Archive) -> list[str]:
    with archive.database.read() as session:
        return list(session.scalars(select(Change.record_id).order_by(Change.xact, Change.id)))


def write_slowly(archive: Archive, name: int, longest: float) -> None:
    """Transactions of two changes with a pause between them; every fourth is given up at its end."""
    chance = random.Random(name)
    for n in range(TRANSACTIONS):
        with archive.database.begin() as session:
            note(session, "ballot", f"{name}-{n}-a", COMMUNITY, "created", NOON, topic_id="tp")
            time.sleep(chance.choice((0, 0, 0, longest / 10, longest)) * chance.random())
            note(session, "ballot", f"{name}-{n}-b", COMMUNITY, "created", NOON, topic_id="tp")
            if n % 4 == 3:
                session.rollback()


def beside_writers(archive: Archive, writers: int, longest: float) -> list[Follower]:
    """Followers with pages of several sizes that read all the while the writers write."""
    done = threading.Event()
    followers = [Follower(archive, limit) for limit in (1, 3, 100)]
    with ThreadPoolExecutor(writers + len(followers)) as threads:
        reading = [threads.submit(one.follow, done.is_set) for one in followers]
        writing = [threads.submit(write_slowly, archive, name, longest) for name in range(writers)]
        for one in writing:
            one.result()
        done.set()
        for one in reading:
            one.result()
    return followers


@pytest.mark.slow
def test_on_postgresql_no_committed_change_is_skipped_however_late_it_commits(
    postgres_archive: Archive,
) -> None:
    found(postgres_archive)
    followers = beside_writers(postgres_archive, WRITERS, longest=0.6)
    expected = written(postgres_archive)
    assert len(expected) == WRITERS * TRANSACTIONS * 2 * 3 // 4
    assert numbered(postgres_archive) != expected  # they did commit out of order
    for follower in followers:
        assert follower.told == expected
        assert len(set(follower.ids)) == len(expected)


def test_on_sqlite_no_committed_change_is_skipped(archive: Archive) -> None:
    found(archive)
    followers = beside_writers(archive, 4, longest=0.02)
    expected = written(archive)
    assert len(expected) == 4 * TRANSACTIONS * 2 * 3 // 4
    for follower in followers:
        assert follower.told == expected


@pytest.mark.slow
def test_a_transaction_that_sleeps_through_everything_is_told_in_its_place(postgres_archive: Archive) -> None:
    found(postgres_archive)
    follower = Follower(postgres_archive, 2)
    with postgres_archive.database.begin() as sleeper:
        note(sleeper, "ballot", "sleeper", COMMUNITY, "created", NOON, topic_id="tp")
        for n in range(5):
            with postgres_archive.database.begin() as session:
                note(session, "ballot", f"quick-{n}", COMMUNITY, "created", NOON, topic_id="tp")
            assert not follower.step()  # in front of these the sleeper's change may still appear
    follower.follow(lambda: True)
    assert follower.told == ["sleeper", *(f"quick-{n}" for n in range(5))]


def found(archive: Archive) -> None:
    with archive.database.begin() as session:
        session.add(Community(id=COMMUNITY, name="桃源", dialled_number="+8657112345678", created_at=NOON))


def numbered(archive: Archive) -> list[str]:
    """In the order of their numbers, which is the order in which they were written, not committed."""
    with archive.database.read() as session:
        return list(session.scalars(select(Change.record_id).order_by(Change.id)))
