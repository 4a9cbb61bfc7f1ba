"""Who waits to be called back: read, called, done; each look at a number asks for a reason and is audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit
from sync.desk import Actor, DeskError, NotThere
from sync.errors import KeyDestroyed
from sync.people import readable_number
from sync.records.tables import Number, Person, Request

MOST_SHOWN = 100
_LATELY_DONE = 10
_LONGEST_REASON = 200


@dataclass(frozen=True)
class Wish:
    """A wish for a call: why (`person`, `busy`), since when, settled when, and whether a number is known."""

    id: str
    reason: str
    asked_at: datetime
    settled_at: datetime | None
    has_number: bool


def waiting(session: Session, community_id: str) -> Sequence[Wish]:
    """Those who wait, the longest first, MOST_SHOWN at most."""
    return _wishes(session, community_id, is_done=False, most=MOST_SHOWN)


def lately_done(session: Session, community_id: str) -> Sequence[Wish]:
    """Those called last, so that a slip of the finger can be undone."""
    return _wishes(session, community_id, is_done=True, most=_LATELY_DONE)


def number_for(
    session: Session, archive: Archive, actor: Actor, request_id: str, reason: str, now: datetime
) -> str:
    """The number in the clear, E.164. DeskError without a reason, or where it was withheld or erased."""
    if not reason.strip():
        raise DeskError("seeing a number needs a reason", "number_reason_needed")
    request = _of(session, actor, request_id)
    number_id = session.get_one(Person, request.person_id).number_id
    number = session.get(Number, number_id) if number_id else None
    if number is None:
        raise DeskError("this caller showed no number", "no_number")
    try:
        shown = readable_number(session, archive, number)
    except KeyDestroyed:
        raise DeskError("this number has been erased", "no_number") from None
    audit(session, actor.community_id, actor.id, "number_seen", request.id, reason.strip()[:_LONGEST_REASON])
    return shown


def settle(session: Session, actor: Actor, request_id: str, now: datetime) -> None:
    """They have been called. Done twice is done."""
    request = _of(session, actor, request_id)
    if request.settled_at is None:
        request.settled_at = now
        audit(session, actor.community_id, actor.id, "request_settled", request.id)


def reopen(session: Session, actor: Actor, request_id: str) -> None:
    """They still wait."""
    request = _of(session, actor, request_id)
    if request.settled_at is not None:
        request.settled_at = None
        audit(session, actor.community_id, actor.id, "request_reopened", request.id)


def _of(session: Session, actor: Actor, request_id: str) -> Request:
    request = session.get(Request, request_id, with_for_update=True)
    if request is None or request.community_id != actor.community_id:
        raise NotThere("no such request", "not_there")
    return request


def _wishes(session: Session, community_id: str, is_done: bool, most: int) -> Sequence[Wish]:
    state = Request.settled_at.is_not(None) if is_done else Request.settled_at.is_(None)
    order = Request.settled_at.desc() if is_done else Request.asked_at.asc()
    rows = session.execute(
        select(Request.id, Request.reason, Request.asked_at, Request.settled_at, Person.number_id)
        .join(Person, Person.id == Request.person_id)
        .where(Request.community_id == community_id, state, Person.erased_at.is_(None))
        .order_by(order, Request.id)
        .limit(most)
    )
    return [Wish(*row[:4], has_number=row[4] is not None) for row in rows]
