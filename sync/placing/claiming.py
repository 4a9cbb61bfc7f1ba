"""Taking the next call that may be placed: judged and written down as a try before the line is asked.

A claim is a try: whoever dies between it and the line has used it up, so nobody is called twice for it.
Only where the line said that it placed nothing is it taken back.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, text
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit
from sync.errors import KeyDestroyed
from sync.people import everywhere, readable_number
from sync.placing.dangers import point_to_duty
from sync.placing.policy import Placing, may_be_called, placing_of
from sync.placing.rules import (
    DANGER,
    LOST,
    GiveUp,
    Past,
    Place,
    Wait,
    Wish,
    day_began,
    judge,
)
from sync.placing.wanted import no_longer_wanted
from sync.placing.wishes import is_ours
from sync.records.placed import OPEN
from sync.records.tables import (
    Call,
    Community,
    Number,
    Person,
    PlacedCall,
    PlacedTry,
)
from sync.upsert import is_sqlite

LOG = logging.getLogger("tingjian.placing")
ACTOR = "placer"

SILENCE = timedelta(minutes=5)
"""A line that has told nothing of a try for so long is asked, or given up."""
SILENCE_OF_DANGER = timedelta(minutes=1)
"""The same where a danger is told of: nobody waits five minutes for a line that has died."""
LONGEST_CALL = timedelta(minutes=30)
_LIVE_CALL = timedelta(minutes=10)
_LOCK = 0x706C6163  # "plac": PostgreSQL's advisory lock while a call is chosen
_AT_ONCE = 20


@dataclass(frozen=True)
class Claimed:
    """A try that is written down: who is to be called (`to`, E.164), from which community's number."""

    placed_id: str
    n: int
    to: str = field(repr=False)
    community_number: str = ""


def claim(archive: Archive, line: str, now: datetime, most_everywhere: int) -> Claimed | None:
    """The next wish that may be fulfilled now, as a try of its own; None where there is none.

    Several placers may try at once: one chooses at a time, so no cap is passed and no number called twice.
    Wishes that may not be fulfilled now are put off, those that never may be are given up.
    """
    with archive.database.begin() as session:
        if not is_sqlite(session):  # there is one writer there anyway
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        due = select(PlacedCall).where(OPEN, PlacedCall.state == "waiting", PlacedCall.next_try_at <= now)
        first = due.order_by(PlacedCall.reason != DANGER, PlacedCall.next_try_at).limit(_AT_ONCE)
        for placed in session.scalars(first).all():
            claimed = _consider(session, archive, placed, line, now, most_everywhere)
            if claimed is not None:
                return claimed
        return None


def is_due(session: Session, now: datetime) -> bool:
    """Whether any wish is to be looked at; quick, and no writer waits for it."""
    due = exists().where(OPEN, PlacedCall.state == "waiting", PlacedCall.next_try_at <= now)
    return bool(session.scalar(select(due.select_from(PlacedCall))))


def not_placed(
    archive: Archive, claimed: Claimed, problem: str, now: datetime, until: datetime | None
) -> None:
    """The line placed nothing: as if never tried, to be tried again at `until`; never where that is None."""
    with archive.database.begin() as session:
        placed = session.get(PlacedCall, claimed.placed_id, with_for_update=True)
        tried = session.get(PlacedTry, (claimed.placed_id, claimed.n))
        if placed is None or tried is None or placed.state != "calling" or placed.tries != claimed.n:
            return
        session.delete(tried)
        placed.tries, placed.problem = claimed.n - 1, problem
        if until is None:
            give_up(placed, "refused", problem, now)
        else:
            placed.state, placed.next_try_at = "waiting", until


def give_up(placed: PlacedCall, state: str, why: str, now: datetime) -> None:
    """This wish is over, unfulfilled."""
    placed.state, placed.settled_at = state, now
    placed.problem = why or placed.problem
    LOG.info("placed call %s is %s (%s)", placed.id, state, why or placed.reason)


def silence_of(placed: PlacedCall) -> timedelta:
    """How long a line may tell nothing of a try."""
    return SILENCE_OF_DANGER if placed.reason == DANGER else SILENCE


def _consider(
    session: Session, archive: Archive, placed: PlacedCall, line: str, now: datetime, most_everywhere: int
) -> Claimed | None:
    placing = placing_of(session, placed.community_id)
    why = no_longer_wanted(session, placed)
    if not why and placed.reason == DANGER:
        why = point_to_duty(session, archive, placed)
    if why:
        give_up(placed, "canceled", why, now)
        return None
    number = _number_of(session, archive, placed)
    if not may_be_called(number, placing.policy.prefixes) or is_ours(session, number):
        give_up(placed, "refused", "number", now)
        return None
    wish = Wish(placed.reason, placed.made_at, placed.expires_at, placed.tries)
    past = _past(session, placing, placed, everywhere(session, archive, number), now)
    match judge(placing.policy, wish, past, now, most_everywhere):
        case GiveUp(state, why):
            give_up(placed, state, why, now)
        case Wait(until, why):
            placed.next_try_at, placed.problem = min(until, placed.expires_at), why
        case Place():
            return _try(session, placed, number, line, now)
    return None


def _try(session: Session, placed: PlacedCall, number: str, line: str, now: datetime) -> Claimed:
    placed.tries += 1
    placed.state, placed.next_try_at, placed.problem = "calling", now + silence_of(placed), None
    session.add(PlacedTry(placed_id=placed.id, n=placed.tries, line=line, tried_at=now))
    audit(session, placed.community_id, ACTOR, "call_placed", placed.id, placed.reason, n=placed.tries)
    dialled = session.get_one(Community, placed.community_id).dialled_number
    LOG.info("placed call %s, try %d (%s)", placed.id, placed.tries, placed.reason)
    return Claimed(placed.id, placed.tries, number, dialled)


def _number_of(session: Session, archive: Archive, placed: PlacedCall) -> str:
    number = session.get_one(Number, placed.number_id)
    try:
        return readable_number(session, archive, number)
    except KeyDestroyed:
        return ""


# --- what was placed already ---
def _past(
    session: Session, placing: Placing, placed: PlacedCall, numbers: Sequence[str], now: datetime
) -> Past:
    """`numbers` are the rows of the number to be called, in whichever communities: it rings at one home."""
    today = day_began(placing.policy, now)
    return Past(
        to_number=_tries(session, PlacedCall.number_id.in_(numbers), PlacedTry.tried_at >= today),
        in_community=_tries(
            session, PlacedCall.community_id == placed.community_id, PlacedTry.tried_at >= today
        ),
        everywhere=_tries(session, PlacedTry.tried_at >= now - timedelta(days=1)),
        is_engaged=_is_engaged(session, numbers, now),
    )


def _tries(session: Session, *which: ColumnElement[bool]) -> int:
    counted = select(func.count()).select_from(PlacedTry)
    if len(which) > 1:
        counted = counted.join(PlacedCall, PlacedCall.id == PlacedTry.placed_id)
    return session.scalar(counted.where(*which)) or 0


def _is_engaged(session: Session, numbers: Sequence[str], now: datetime) -> bool:
    """Whether this number is on the telephone with us, called by us or calling."""
    placing = (
        select(PlacedTry.n)
        .join(PlacedCall, PlacedCall.id == PlacedTry.placed_id)
        .where(
            PlacedCall.number_id.in_(numbers),
            PlacedTry.ended_at.is_(None),
            PlacedTry.status != LOST,
            or_(PlacedTry.begun_at.is_not(None), PlacedCall.state == "calling"),
            PlacedTry.tried_at > now - LONGEST_CALL,
        )
    )
    calling = (
        select(Call.id)
        .join(Person, Person.id == Call.person_id)
        .where(
            Person.number_id.in_(numbers),
            and_(Call.ended_at.is_(None), Call.turned_at > now - _LIVE_CALL),
        )
    )
    return bool(session.scalar(placing.limit(1)) is not None or session.scalar(calling.limit(1)))


__all__ = ["Claimed", "claim", "give_up", "not_placed", "silence_of"]
