"""The lists of the desk: their order, every row once however one pages, never by reading a whole table."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.orm import Session

from admin.pages import queueing
from admin.pages.paging import mark, unmark
from admin.pages.queueing import Asked, find
from admin.pages.reading import read_rows
from sync.archive import Archive
from sync.people import person_at
from sync.records.tables import Assignment, Community, Opinion, Staff
from sync.searching import index_words
from tests.sync.voices import NOW

MANY = 75


@pytest.fixture
def filled(any_archive: Archive, any_community: Community) -> Archive:
    """Opinions of every state and kind, some in somebody's hands."""
    with any_archive.database.begin() as session:
        person = person_at(session, any_archive, any_community.id, None)
        session.add(
            Staff(id="st_1", community_id="cm_test", name="小李", password_hash="-", role="reviewer",
                  created_at=NOW)
        )  # fmt: skip
        for n in range(MANY):
            session.add(_opinion(n, person.id))
            session.flush()
            index_words(session, any_archive, f"op_{n:03}", "cm_test", "路灯坏了" if n % 2 else "食堂太咸")
            if n % 5 == 0:
                due = NOW + timedelta(days=n % 3)
                session.add(
                    Assignment(opinion_id=f"op_{n:03}", community_id="cm_test", staff_id="st_1", due_at=due,
                               assigned_at=NOW, assigned_by="st_1", settled_at=NOW if n == 10 else None)
                )  # fmt: skip
    return any_archive


def _opinion(n: int, person_id: str) -> Opinion:
    return Opinion(
        id=f"op_{n:03}", community_id="cm_test", person_id=person_id, topic_id=None, source="x",
        source_id=str(n), channel="phone", evidence="none", kind="message", receipt=f"{n:08}",
        state="approved" if n % 8 == 7 else "review", urgency="燃气" if n % 20 == 3 else None,
        needs_listening=n % 9 == 4, category="物业" if n % 3 else "停车",
        said_at=NOW - timedelta(minutes=n // 2),
    )  # fmt: skip


def _all(archive: Archive, asked: Asked) -> list[Opinion]:
    """Every page, one after the other."""
    rows: list[Opinion] = []
    with archive.database.read() as session:
        while True:
            page = find(session, archive, "cm_test", asked)
            rows += page.rows
            assert len(page.rows) <= queueing.PAGE
            if page.following is None:
                return rows
            asked = replace(asked, start=page.following)


def test_the_queue_is_urgent_then_to_be_heard_then_oldest_and_each_once(filled: Archive) -> None:
    rows = _all(filled, Asked())
    assert len({row.id for row in rows}) == len(rows) == sum(n % 8 != 7 for n in range(MANY))
    ranks = [(0 if row.urgency else 1 if row.needs_listening else 2, row.said_at, row.id) for row in rows]
    assert ranks == sorted(ranks)
    assert ranks[0][0] == 0
    only = _all(filled, Asked(category="停车", topic="none"))
    assert [row.id for row in only] == [row.id for row in rows if row.category == "停车"]


def test_other_lists_are_newest_first_or_by_deadline(filled: Archive) -> None:
    everything = [(row.said_at, row.id) for row in _all(filled, Asked(state="all"))]
    assert everything == sorted(everything, reverse=True)
    assert len(everything) == MANY
    assert {row.state for row in _all(filled, Asked(state="approved"))} == {"approved"}
    mine = [row.id for row in _all(filled, Asked(mine="st_1"))]
    assert mine == [row.id for row in _all(filled, Asked(is_due=True))]
    assert len(mine) == MANY // 5 - 1
    assert "op_010" not in mine  # it was answered
    due = [int(opinion_id[3:]) % 3 for opinion_id in mine]
    assert due == sorted(due)
    assert _all(filled, Asked(mine="st_2")) == []


def test_words_lead_to_opinions_and_a_receipt_to_one(filled: Archive) -> None:
    found = [row.id for row in _all(filled, Asked(state="all", words="路灯"))]
    assert found == [f"op_{n:03}" for n in reversed(range(MANY)) if n % 2]
    narrowed = _all(filled, Asked(state="approved", words="路灯", category="物业"))
    assert {(row.state, row.category) for row in narrowed} == {("approved", "物业")}
    assert [row.id for row in _all(filled, Asked(words="00000042"))] == ["op_042"]
    assert _all(filled, Asked(state="all", words="，。")) == []


def test_a_mark_that_nobody_made_begins_the_list_anew(filled: Archive) -> None:
    first = [row.id for row in _all(filled, Asked(state="all"))][: queueing.PAGE]
    for start in ("x", mark("a", "b"), mark(NOW), "W10", mark(1, 2, 3)):
        with filled.database.read() as session:
            page = find(session, filled, "cm_test", Asked(state="all", start=start))
            assert [row.id for row in page.rows] == first
    assert unmark(mark(NOW, "op", 7), type(NOW), str, int) == (NOW, "op", 7)


LISTS = {
    "queue": Asked(),
    "deep in the queue": Asked(start=mark(2, NOW - timedelta(minutes=9), "op_020")),
    "category": Asked(state="all", category="停车"),
    "all": Asked(state="all", start=mark(NOW, "op_9")),
    "state": Asked(state="approved"),
    "mine": Asked(mine="st_1"),
    "due": Asked(is_due=True),
    "words": Asked(state="all", words="路灯 坏"),
}


@pytest.mark.parametrize("name", LISTS)
def test_no_list_reads_a_whole_table(filled: Archive, name: str) -> None:
    with filled.database.read() as session, _watched(session) as asked:
        page = find(session, filled, "cm_test", LISTS[name])
        read_rows(session, filled, page.rows)
        assert 1 <= len(asked) <= 12, "a page asks a fixed number of questions"
        if not filled.database.is_sqlite:
            session.execute(text("SET LOCAL enable_seqscan = off"))
        whole = [plan for one in list(asked) for plan in _plan(session.connection(), *one)]
    # The few staff and topics of a community may be read whole.
    assert [plan for plan in whole if not plan.endswith(("staff", "topics"))] == []


class _watched:  # noqa: N801  # reads as a word where it is used
    """The statements that a session sends meanwhile."""

    def __init__(self, session: Session) -> None:
        self._engine, self.asked = session.connection().engine, list[tuple[str, Any]]()

    def __enter__(self) -> list[tuple[str, Any]]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self.asked

    def __exit__(self, *_: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, *given: Any) -> None:
        if given[2].startswith("SELECT"):
            self.asked.append((given[2], given[3]))


def _plan(connection: Connection, statement: str, values: Any) -> Iterator[str]:
    """The parts of a plan that read all of a table."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        said = (str(row[3]) for row in rows if str(row[3]).startswith("SCAN"))
        harmless = ("USING", "CONSTANT", "(subquery", "anon")
        yield from (line for line in said if not any(mark in line for mark in harmless))
    else:
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).all()
        yield from (line.partition("(cost")[0].strip() for (line,) in rows if "Seq Scan on" in line)
