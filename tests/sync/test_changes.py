"""The list of changes skips nothing, whoever writes beside."""

from __future__ import annotations

import random
import threading

import pytest
from sqlalchemy import select

from sync.archive import Archive
from sync.changes import Cursor, after, note
from sync.records.tables import Change
from tests.sync.village import COMMUNITY, NOON


def write(archive: Archive, name: str) -> None:
    with archive.database.begin() as session:
        note(session, "opinion", name, COMMUNITY, "created", NOON, state="waiting")


def read(archive: Archive, cursor: Cursor, limit: int = 100) -> tuple[list[str], Cursor]:
    with archive.database.read() as session:
        found = after(session, COMMUNITY, cursor, limit)
    return [one.record_id for one in found], Cursor(found[-1].xact, found[-1].id) if found else cursor


def test_changes_are_read_in_order_page_by_page(any_archive: Archive) -> None:
    for n in range(5):
        write(any_archive, f"op_{n}")
    seen, cursor = read(any_archive, Cursor(), limit=3)
    more, _ = read(any_archive, cursor)
    assert seen + more == [f"op_{n}" for n in range(5)]


def test_a_change_vanishes_with_its_transaction(any_archive: Archive) -> None:
    with any_archive.database.begin() as session:
        note(session, "opinion", "op_1", COMMUNITY, "created", NOON)
        session.rollback()
    assert read(any_archive, Cursor())[0] == []


def test_another_community_sees_nothing(archive: Archive) -> None:
    write(archive, "op_1")
    with archive.database.read() as session:
        assert after(session, "cm_other", Cursor()) == []


@pytest.mark.slow
def test_a_transaction_that_commits_late_is_never_skipped(postgres_archive: Archive) -> None:
    with postgres_archive.database.begin() as slow:
        note(slow, "opinion", "slow", COMMUNITY, "created", NOON)
        write(postgres_archive, "quick")
        assert read(postgres_archive, Cursor())[0] == []  # the quick one has the greater number: it waits
    assert read(postgres_archive, Cursor())[0] == ["slow", "quick"]


@pytest.mark.slow
def test_a_reader_beside_many_writers_sees_every_change_once(postgres_archive: Archive) -> None:
    done = threading.Event()
    seen: list[str] = []

    def writer(name: int) -> None:
        rng = random.Random(name)
        for n in range(25):
            with postgres_archive.database.begin() as session:
                note(session, "opinion", f"{name}-{n}", COMMUNITY, "created", NOON)
                done.wait(rng.uniform(0, 0.01))
                note(session, "opinion", f"{name}-{n}b", COMMUNITY, "created", NOON)

    def reader() -> None:
        cursor = Cursor()
        while not done.is_set() or read(postgres_archive, cursor)[0]:
            page, cursor = read(postgres_archive, cursor, limit=7)
            seen.extend(page)

    watching = threading.Thread(target=reader)
    watching.start()
    writers = [threading.Thread(target=writer, args=(n,)) for n in range(6)]
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    watching.join()
    with postgres_archive.database.read() as session:
        written = list(session.scalars(select(Change.record_id)))
    assert len(written) == 300
    assert sorted(seen) == sorted(written)
