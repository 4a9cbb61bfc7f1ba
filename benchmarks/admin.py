"""The desk's pages over 1,000,000 opinions on PostgreSQL, beside the same rows by the driver alone, in turns.

Two lines for each page, through the functions the page itself uses. `admin.<page>`: milliseconds its queries
take in the driver, and their ratio to the bare indexed statements, clocked alike. `admin.<page>.whole`: all
of it, sessions and objects too; the ratio says what those cost. `SMALL=1` measures a tenth of the records.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.pages.paging import Key, mark, order_of
from admin.pages.queueing import Asked, find
from admin.pages.reading import count_open, read_rows
from admin.roster_homes import homes
from benchmarks.admin_bare import Bare
from benchmarks.admin_town import COMMUNITY, PERSON, WORDS, City
from benchmarks.report import Measured
from benchmarks.web import postgres_server
from sync import overview_lists as lists
from sync.audits import Wanted, actors, entries
from sync.overview import overview
from sync.overview_queries import scope_of
from sync.personal import kept_of
from sync.records.tables import Audit, Opinion, Topic
from sync.searching import hashes
from sync.tally import tallies

TARGET, ROUNDS, WARM = 2.0, 40, 5
AT_ONCE_MS = 300.0  # a page that takes longer to be asked for is not there at once
_PAGE = 30


def measure() -> Iterator[Measured]:
    """Every line, on a PostgreSQL of its own."""
    opinions = 100_000 if os.environ.get("SMALL") else 1_000_000
    with (
        tempfile.TemporaryDirectory(prefix="tj-bench-") as folder,
        postgres_server(Path(folder) / "pg") as url,
    ):
        began = time.perf_counter()
        city = City(url, Path(folder) / "home", opinions)
        try:
            yield Measured("admin.load", time.perf_counter() - began, "s", 180, is_at_most=True)
            yield from _pages(city)
        finally:
            city.close()


def _pages(city: City) -> Iterator[Measured]:
    ours = _Pages(city)
    bare = Bare(city.url, ours.terms, ours.deep, ours.deep_audit)
    try:
        for name, page in ours.pages.items():
            yield from _lines(name, lambda page=page: ours.run(page), lambda name=name: bare.run(name))
    finally:
        bare.close()


def _lines(name: str, ours: Callable[[], None], bare: Callable[[], None]) -> Iterator[Measured]:
    """In turns, the fastest of each: what else the machine does only adds."""
    queries: dict[str, list[float]] = {"ours": [], "bare": []}
    whole: dict[str, list[float]] = {"ours": [], "bare": []}
    for n in range(WARM + ROUNDS):
        for which, act in (("bare", bare), ("ours", ours)):
            with _clocked() as clock:
                began = time.perf_counter()
                act()
                seconds = time.perf_counter() - began
            if n >= WARM:
                queries[which].append(sum(clock))
                whole[which].append(seconds)
    mine, least = min(queries["ours"]), min(queries["bare"])
    yield Measured(f"admin.{name}", mine * 1000, "ms", TARGET, mine / least, is_at_most=True)
    mine, least = min(whole["ours"]), min(whole["bare"])
    yield Measured(
        f"admin.{name}.whole", mine * 1000, "ms", AT_ONCE_MS, mine / least, is_at_most=True, is_absolute=True
    )


@contextmanager
def _clocked() -> Iterator[list[float]]:
    """How long each statement takes in the driver, whoever executes it: sent, answered, received."""
    clock: list[float] = []
    execute = psycopg.Cursor.execute

    def timed(cursor: Any, *given: Any, **options: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(cursor, *given, **options)
        finally:
            clock.append(time.perf_counter() - began)

    psycopg.Cursor.execute = timed  # type: ignore[method-assign]
    try:
        yield clock
    finally:
        psycopg.Cursor.execute = execute  # type: ignore[method-assign]


class _Pages:
    """The pages by name, through the functions the desk itself uses."""

    def __init__(self, city: City) -> None:
        self._archive, self._now = city.archive, datetime.now(UTC)
        self.terms = sorted(term for word in WORDS[:2] for term in hashes(self._archive, COMMUNITY, word))
        with self._archive.database.read() as session:
            newest = select(Opinion.said_at, Opinion.id).order_by(Opinion.said_at.desc(), Opinion.id.desc())
            row = session.execute(newest.offset(20_000).limit(1)).one()
            self.deep = (row.said_at, row.id)
            late = select(Audit.at).order_by(Audit.at.desc()).offset(20_000).limit(1)
            self.deep_audit = session.scalars(late).one()
        self.pages: Mapping[str, Callable[[Session], object]] = {
            "queue": self._queue,
            "older": lambda session: self._rows(session, Asked(state="all", start=mark(*self.deep))),
            "search": lambda session: self._rows(session, Asked(state="all", words=" ".join(WORDS[:2]))),
            "overview": lambda session: overview(session, COMMUNITY, 30, self._now),
            "calls": self._calls,
            "audit": lambda session: (
                entries(session, COMMUNITY, Wanted(), (self.deep_audit, 1 << 60)),
                actors(session, COMMUNITY),
            ),
            "audit_of_one": lambda session: (
                entries(session, COMMUNITY, Wanted("st_3", "number_seen"), None),
                actors(session, COMMUNITY),
            ),
            "topics": self._topics,
            "person": lambda session: kept_of(session, COMMUNITY, PERSON),
            "roster": lambda session: homes(session, self._archive, COMMUNITY, "01", None),
        }

    def run(self, page: Callable[[Session], object]) -> None:
        """Read one page."""
        with self._archive.database.read() as session:
            page(session)

    def _queue(self, session: Session) -> None:
        self._rows(session, Asked())
        count_open(session, COMMUNITY)

    def _rows(self, session: Session, asked: Asked) -> None:
        read_rows(session, self._archive, find(session, self._archive, COMMUNITY, asked).rows)

    def _calls(self, session: Session) -> None:
        scope = scope_of(session, COMMUNITY, 30, self._now)
        lists.page(session, lists.calls(scope, "topic.ballot", is_today=False), "calls", None, 50)

    def _topics(self, session: Session) -> None:
        keys = (Key(Topic.created_at, True), Key(Topic.id, True))
        query = select(Topic).where(Topic.community_id == COMMUNITY).order_by(*order_of(keys))
        tallies(session, session.scalars(query.limit(_PAGE + 1)).all()[:_PAGE])
