"""How a try goes on: what the line tells of it, that somebody listens, and what becomes of the wish then."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit
from sync.errors import RecordsError
from sync.placing.claiming import ACTOR, LONGEST_CALL, SILENCE, give_up, silence_of
from sync.placing.policy import placing_of
from sync.placing.rules import DANGER, LOST, REQUEST, UNKNOWN, Course, GiveUp, Wait, Wish, after_try, told
from sync.records.placed import OPEN
from sync.records.tables import PlacedCall, PlacedTry, Request

LOG = logging.getLogger("tingjian.placing")


class NoSuchTry(RecordsError):
    """No try of ours is that one, or it is another line's, or another call's."""


@dataclass(frozen=True)
class Told:
    """What a line says of a call: its id there, how far it has come, who answered."""

    sid: str
    status: str
    answered_by: str = ""


@dataclass(frozen=True)
class Unsure:
    """A try of which nothing was heard for too long; `sid` is '' where the line never named it."""

    placed_id: str
    n: int
    line: str
    sid: str


def note_told(session: Session, placed_id: str, n: int, line: str, heard: Told, now: datetime) -> None:
    """Write down what a line says, however often and in whatever order. Raises NoSuchTry."""
    placed, tried = _held(session, placed_id, n, line, heard.sid)
    course = told(_course(tried), heard.status, heard.answered_by)
    tried.status, tried.answered_by = course.status, course.answered_by or None
    if not course.is_over and placed.state == "calling" and placed.tries == n:
        placed.next_try_at = now + silence_of(placed)
    if course.is_over and tried.ended_at is None:
        tried.ended_at = now
        _finish(session, placed, tried, course, now)


def note_begun(
    session: Session, placed_id: str, n: int, line: str, sid: str, answered_by: str, now: datetime
) -> PlacedCall | None:
    """A person has answered and will be spoken to: the wish is fulfilled. None where it is a machine.

    One about a danger is not, before somebody has pressed a key.

    Where `answered_by` is `unknown` nobody is reached by that alone. Raises NoSuchTry. Safe to repeat.
    """
    placed, tried = _held(session, placed_id, n, line, sid)
    course = told(_course(tried), "in-progress", answered_by)
    tried.status, tried.answered_by = course.status, course.answered_by or None
    if course.is_machine or placed.number_id is None:
        return None
    if answered_by == UNKNOWN:
        return placed
    tried.begun_at = tried.begun_at or now
    if placed.state != "reached" and placed.reason != DANGER:
        placed.state, placed.settled_at, placed.problem = "reached", now, None
        _settle_request(session, placed, now)
        LOG.info("placed call %s is reached", placed.id)
    return placed


def unsure(session: Session, now: datetime) -> list[Unsure]:
    """Tries of which nothing was heard for too long."""
    rows = session.execute(
        select(PlacedTry.placed_id, PlacedTry.n, PlacedTry.line, PlacedTry.sid)
        .join(PlacedCall, PlacedCall.id == PlacedTry.placed_id)
        .where(OPEN, PlacedCall.state == "calling", PlacedCall.next_try_at <= now)
        .where(PlacedTry.n == PlacedCall.tries)
    )
    return [Unsure(placed_id, n, line, sid or "") for placed_id, n, line, sid in rows]


def give_up_hope(archive: Archive, one: Unsure, now: datetime) -> None:
    """Nobody knows what became of this try: it counts as one that reached nobody, and is not repeated."""
    with archive.database.begin() as session:
        note_told(session, one.placed_id, one.n, one.line, Told(one.sid, LOST), now)


def is_too_long(archive: Archive, one: Unsure, now: datetime) -> bool:
    """Whether a try began so long ago that no call can still go on."""
    with archive.database.read() as session:
        tried = session.get(PlacedTry, (one.placed_id, one.n))
        return tried is None or tried.tried_at < now - LONGEST_CALL - SILENCE


def _held(session: Session, placed_id: str, n: int, line: str, sid: str) -> tuple[PlacedCall, PlacedTry]:
    """The wish and its try, held until this transaction ends; the try learns its `sid` here."""
    placed = session.get(PlacedCall, placed_id, with_for_update=True)
    tried = session.get(PlacedTry, (placed_id, n), with_for_update=True)
    if placed is None or tried is None or tried.line != line or (sid and tried.sid not in (None, sid)):
        raise NoSuchTry("no such call was placed")
    tried.sid = tried.sid or sid or None
    return placed, tried


def _course(tried: PlacedTry) -> Course:
    return Course(tried.status, tried.answered_by or "")


def _finish(session: Session, placed: PlacedCall, tried: PlacedTry, course: Course, now: datetime) -> None:
    """A try is over. Its wish goes on where nobody was reached, and only while that try is its latest."""
    is_told = tried.begun_at is not None and placed.reason != DANGER
    if is_told or placed.state != "calling" or placed.tries != tried.n:
        return
    wish = Wish(placed.reason, placed.made_at, placed.expires_at, placed.tries)
    match after_try(placing_of(session, placed.community_id).policy, wish, course.is_machine, now):
        case GiveUp(state):
            give_up(placed, state, course.why, now)
        case Wait(until):
            placed.state, placed.next_try_at = "waiting", min(until, placed.expires_at)
            placed.problem = course.why


def _settle_request(session: Session, placed: PlacedCall, now: datetime) -> None:
    """Who was turned away has been called: the desk need not do it."""
    if placed.reason != REQUEST:
        return
    request = session.get(Request, placed.about, with_for_update=True)
    if request is not None and request.settled_at is None:
        request.settled_at = now
        audit(session, placed.community_id, ACTOR, "request_settled", request.id)
