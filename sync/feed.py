"""The feed: every change of a community's records as CloudEvents 1.0, in an order that skips none."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, delete, select, tuple_
from sqlalchemy.orm import Session

from sync import changes
from sync.changes import Cursor
from sync.errors import RecordsError
from sync.records.tables import Change, Community, Feed
from sync.shown.changed import Eyes, Json, as_now, kinds_for
from sync.shown.opinions import is_demo

SPEC = "1.0"
LATEST = "latest"
CURSOR = r"^(latest|([0-9a-f]{8})\.([0-9]{1,18})\.([0-9]{1,18}))$"  # all that a cursor can look like


class CursorUnknown(RecordsError):
    """This was never handed out as a cursor."""


class CursorGone(RecordsError):
    """What follows this cursor is no longer known. `latest` is where a reader goes on after reading anew."""

    def __init__(self, latest: str) -> None:
        super().__init__("what follows this cursor is no longer known: read all records anew")
        self.latest = latest


@dataclass(frozen=True)
class Events:
    """One page of the feed. `next_cursor` leads on, also where there is nothing more for now."""

    events: list[Json]
    next_cursor: str
    has_more: bool


def events(
    session: Session,
    community_id: str,
    cursor: str | None,
    limit: int,
    scopes: frozenset[str],
    now: datetime | None = None,
) -> Events:
    """The next events behind a cursor (None: from the oldest one kept; `latest`: none, but where they end).

    An event's `data` is its record as it is now, seen with these scopes; a tombstone where it is gone. What a
    platform may not see at all is left out, so that a page may hold fewer events than `limit`, even none.
    The number of queries does not depend on `limit`. Raises CursorUnknown, CursorGone.
    """
    life = _life(session, community_id)
    place = _place(session, community_id, life, cursor)
    found = changes.after(session, community_id, place, limit + 1, kinds_for(scopes))
    if not found:
        _know(session, community_id, life, place)
    page = found[:limit]
    last = Cursor(page[-1].xact, page[-1].id) if page else place
    eyes = Eyes(community_id, scopes, now or datetime.now(UTC), is_demo(session, community_id))
    data = as_now(session, eyes, page)
    shown = [(row, seen) for row, seen in zip(page, data, strict=True) if seen is not None]
    return Events(list(_events(life, community_id, shown)), life.cursor(last), len(found) > limit)


def has_news(session: Session, community_id: str, cursor: str | None, scopes: frozenset[str]) -> bool:
    """Whether a reader with these scopes has anything to read behind a cursor. Raises as `events` does."""
    life = _life(session, community_id)
    place = _place(session, community_id, life, cursor)
    return bool(changes.after(session, community_id, place, 1, kinds_for(scopes)))


def latest(session: Session, community_id: str) -> str:
    """The cursor behind everything there is by now."""
    return _life(session, community_id).cursor(changes.newest(session, community_id))


def begin_anew(session: Session, now: datetime) -> None:
    """Start a new generation of every feed: no cursor handed out before is good any more."""
    session.execute(delete(Feed))
    for community_id in session.scalars(select(Community.id)).all():
        session.add(Feed(community_id=community_id, generation=secrets.token_hex(4), begun_at=now))
    session.flush()


def has_older(session: Session, community_id: str, before: datetime) -> bool:
    """Whether `prune` would delete anything."""
    rows = changes.oldest(session, community_id, 2)
    return len(rows) == 2 and bool(rows[0].changed_at < before)


def prune(session: Session, community_id: str, before: datetime, limit: int) -> int:
    """Delete up to `limit` of the oldest changes, made before that moment; how many.

    The newest change stays whatever its age: SQLite would give its number again to another one.
    """
    rows = changes.oldest(session, community_id, limit + 1)
    old: list[Row[Any]] = []
    for row in rows[:-1]:
        if row.changed_at >= before:
            break
        old.append(row)
    if not old:
        return 0
    _remember_pruned(session, community_id, old[-1], before)
    end = tuple_(Change.xact, Change.id) <= tuple_(old[-1].xact, old[-1].id)
    session.execute(delete(Change).where(Change.community_id == community_id, end))
    return len(old)


@dataclass(frozen=True)
class _Life:
    """A feed's generation, and up to where its changes are gone."""

    generation: str
    pruned: Cursor

    def cursor(self, place: Cursor) -> str:
        return f"{self.generation}.{place.xact}.{place.id}"


def _life(session: Session, community_id: str) -> _Life:
    """Without a row the generation follows from when the community was founded: made anew, it is another."""
    row = session.get(Feed, community_id)
    if row is not None:
        return _Life(row.generation, Cursor(row.pruned_xact, row.pruned_id))
    founded = session.get_one(Community, community_id).created_at.astimezone(UTC).isoformat()
    return _Life(hashlib.sha256(f"{community_id} {founded}".encode()).hexdigest()[:8], Cursor())


def _place(session: Session, community_id: str, life: _Life, cursor: str | None) -> Cursor:
    """Where a cursor stands. Raises CursorUnknown, CursorGone."""
    if cursor is None:
        return Cursor()
    found = re.fullmatch(CURSOR, cursor, re.ASCII)
    if found is None:
        raise CursorUnknown("this cursor is not one of ours")
    if cursor == LATEST:
        return changes.newest(session, community_id)
    place = Cursor(int(found[3]), int(found[4]))
    if found[2] != life.generation or place < life.pruned:
        raise CursorGone(latest(session, community_id))
    return place


def _know(session: Session, community_id: str, life: _Life, place: Cursor) -> None:
    """A place behind the newest change is from other records, such as a copy put back by hand."""
    head = max(changes.newest(session, community_id), life.pruned)
    if place > head:
        raise CursorGone(life.cursor(head))


def _events(life: _Life, community_id: str, shown: Iterable[tuple[Row[Any], Json]]) -> Iterable[Json]:
    source = f"urn:tingjian:{community_id}"
    for row, data in shown:
        yield {
            "specversion": SPEC,
            "id": f"{life.generation}.{row.id}",
            "source": source,
            "type": f"cn.tingjian.{row.record}.{row.act}",
            "subject": row.record_id,
            "time": row.changed_at.isoformat(),
            "datacontenttype": "application/json",
            "data": data,
        }


def _remember_pruned(session: Session, community_id: str, last: Row[Any], now: datetime) -> None:
    row = session.get(Feed, community_id)
    if row is None:
        generation = _life(session, community_id).generation
        row = Feed(community_id=community_id, generation=generation, begun_at=now)
        session.add(row)
    row.pruned_xact, row.pruned_id = last.xact, last.id
    session.flush()
