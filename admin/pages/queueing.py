"""Which opinions a list shows, and in which order: the queue, what is due, what was looked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from admin.pages.paging import Key, Page, beyond, mark, order_of, page_of, unmark
from sync.archive import Archive
from sync.records.reviewing import IN_HAND
from sync.records.tables import Assignment, Opinion, Searched
from sync.records.voices import QUEUES
from sync.searching import hashes, matching

PAGE = 30
STATES = ("review", "waiting", "approved", "rejected", "all")
_OLDEST = (Key(Opinion.said_at), Key(Opinion.id))
_NEWEST = (Key(Opinion.said_at, True), Key(Opinion.id, True))
_SOONEST = (Key(Assignment.due_at), Key(Assignment.opinion_id))
_QUEUE = tuple(QUEUES)  # urgent, then what must be listened to, then the rest


@dataclass(frozen=True)
class Asked:
    """What a reader wants to see. `mine` is their own id; `start` the mark of a page, "" for the first."""

    state: str = "review"
    category: str = ""
    topic: str = ""
    mine: str = ""
    is_due: bool = False
    words: str = ""
    start: str = ""


def find(session: Session, archive: Archive, community_id: str, asked: Asked) -> Page[Opinion]:
    """One page of opinions.

    Those found by their words newest first; those in hand by their deadline; those in review urgent first,
    then those to listen to, then the oldest; all others newest first.
    """
    digits = asked.words.strip()
    if digits.isdecimal() and 4 <= len(digits) <= 8:
        receipt = select(Opinion).where(Opinion.community_id == community_id, Opinion.receipt == digits)
        if found := session.scalar(receipt):
            return Page([found], None)
    if digits:
        return _by_words(session, archive, community_id, asked)
    if asked.mine or asked.is_due:
        return _in_hand(session, community_id, asked)
    if asked.state == "review":
        return _queue(session, community_id, asked)
    return _by_time(session, community_id, asked)


def next_in_queue(session: Session, archive: Archive, opinion: Opinion) -> str | None:
    """The opinion after this one in the queue: the first of it where this one is in it no more."""
    ids = [row.id for row in find(session, archive, opinion.community_id, Asked()).rows]
    after = ids.index(opinion.id) + 1 if opinion.id in ids else 0
    return ids[after] if after < len(ids) else next((one for one in ids if one != opinion.id), None)


def _by_words(session: Session, archive: Archive, community_id: str, asked: Asked) -> Page[Opinion]:
    wanted = hashes(archive, community_id, asked.words)
    if not wanted:
        return Page([], None)
    query = matching(session, wanted).join(Opinion, Opinion.id == Searched.opinion_id)
    query = query.where(Opinion.community_id == community_id, *_narrowed(asked))
    if asked.mine or asked.is_due:
        query = query.join(Assignment, Assignment.opinion_id == Opinion.id).where(*_held(community_id, asked))
    if place := unmark(asked.start, int):
        query = query.where(Searched.number < place[0])
    rows = session.execute(query.add_columns(Opinion).limit(PAGE + 1)).all()
    page = page_of(rows, PAGE)
    return Page([row[2] for row in page.rows], mark(page.rows[-1][0]) if len(rows) > PAGE else None)


def _in_hand(session: Session, community_id: str, asked: Asked) -> Page[Opinion]:
    query = (
        select(Opinion, Assignment.due_at)
        .join(Assignment, Assignment.opinion_id == Opinion.id)
        .where(*_held(community_id, asked), *_narrowed(asked))
        .order_by(*order_of(_SOONEST))
    )
    if place := unmark(asked.start, datetime, str):
        query = query.where(beyond(_SOONEST, place))
    rows = session.execute(query.limit(PAGE + 1)).all()
    last = rows[:PAGE][-1] if rows else None
    following = mark(last.due_at, last.Opinion.id) if last is not None and len(rows) > PAGE else None
    return Page([row.Opinion for row in rows[:PAGE]], following)


def _queue(session: Session, community_id: str, asked: Asked) -> Page[Opinion]:
    """The three queues one after the other, each along its own index."""
    place = unmark(asked.start, int, datetime, str)
    first = place[0] if place and 0 <= place[0] < len(_QUEUE) else 0
    found: list[tuple[int, Opinion]] = []
    for at in range(first, len(_QUEUE)):
        start = place[1:] if place and at == first else None
        query = _ordered(community_id, _OLDEST, asked, start).where(QUEUES[_QUEUE[at]])
        found += [(at, one) for one in session.scalars(query.limit(PAGE + 1 - len(found)))]
        if len(found) > PAGE:
            break
    rows = [one for _, one in found]
    at, last = found[:PAGE][-1] if found else (0, None)
    return page_of(rows, PAGE, *(() if last is None else (at, last.said_at, last.id)))


def _by_time(session: Session, community_id: str, asked: Asked) -> Page[Opinion]:
    query = _ordered(community_id, _NEWEST, asked, unmark(asked.start, datetime, str))
    rows: Sequence[Opinion] = session.scalars(query.limit(PAGE + 1)).all()
    last = rows[:PAGE][-1] if rows else None
    return page_of(rows, PAGE, *(() if last is None else (last.said_at, last.id)))


def _ordered(
    community_id: str, keys: Sequence[Key], asked: Asked, start: Sequence[Any] | None
) -> Select[Opinion]:
    query = select(Opinion).where(Opinion.community_id == community_id, *_narrowed(asked))
    if start:
        query = query.where(beyond(keys, start))
    return query.order_by(*order_of(keys))


def _narrowed(asked: Asked) -> Iterator[ColumnElement[bool]]:
    """The filters that hold whatever the order. The queue's own indexes say `review` for themselves."""
    is_queue = asked.state == "review" and not (asked.words or asked.mine or asked.is_due)
    if asked.state != "all" and not is_queue and not (asked.mine or asked.is_due):
        yield Opinion.state == asked.state
    if asked.category:
        yield Opinion.category == asked.category
    if asked.topic:
        yield Opinion.topic_id.is_(None) if asked.topic == "none" else Opinion.topic_id == asked.topic


def _held(community_id: str, asked: Asked) -> Iterator[Any]:
    yield IN_HAND
    if asked.mine:
        yield Assignment.staff_id == asked.mine
    yield Assignment.community_id == community_id
