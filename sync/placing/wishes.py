"""Where wishes to be called come from: a call that nobody answered, and what is still to be told.

Only missed calls are written as they happen. The others are found in the records by who places calls, so that
nothing that answers, publishes or settles has to know of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.people import find_or_create_number, normalise_number, person_at
from sync.placing.consents import has_agreed
from sync.placing.policy import REPLY_CALLS, REQUEST_CALLS, Placing, may_be_called, placing_of
from sync.placing.rules import JUST_CALLED, LASTS, MISSED, REPLY, REQUEST, day_began
from sync.records.tables import (
    Community,
    Number,
    Opinion,
    Person,
    PlacedCall,
    PlacedTry,
    Reply,
    Request,
    Setting,
    record_id,
)
from sync.upsert import insert_or_ignore

TURNED_AWAY = "busy"
"""Why somebody asked to be called for whom no line was free: the only such wish a machine can fulfil."""

_HANG_UP = timedelta(seconds=5)
"""Until who rang us has put the telephone down."""
_AT_ONCE = 100

Held = tuple[str, str | None, str, str, str, datetime]
"""Community, number, person, reason, what it is about, since when."""


def wish_missed(
    session: Session, archive: Archive, community_id: str, caller: str, about: str, now: datetime
) -> bool:
    """Somebody rang and hung up, or is about to be refused so that we call back: whether they will be called.

    `about` names that call (line/sid): told of twice, it is one wish. Not where the number is withheld or not
    allowed, nor where this number has rung as often today as it may be called.
    """
    number = callable_number(session, archive, community_id, caller)
    if number is None:
        return False
    mine = PlacedCall.number_id == number.id
    if session.scalar(select(exists().where(PlacedCall.reason == MISSED, PlacedCall.about == about))):
        return True
    if session.scalar(select(exists().where(mine, *_is_called_soon(now)))):
        return True
    placing = placing_of(session, community_id)
    if _rang_today(session, placing, mine, now) >= placing.policy.most_a_number:
        return False
    person = person_at(session, archive, community_id, number)
    wish(session, community_id, number.id, person.id, MISSED, about, now, now + _HANG_UP)
    return True


def _is_called_soon(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Wishes of somebody who has just rung, and for whom we have not tried yet."""
    return (
        PlacedCall.reason == MISSED,
        PlacedCall.state == "waiting",
        PlacedCall.tries == 0,
        PlacedCall.made_at > now - JUST_CALLED,
    )


def callable_number(session: Session, archive: Archive, community_id: str, caller: str) -> Number | None:
    """The row of a number that this community may call; None for one withheld, not allowed, or our own."""
    e164 = normalise_number(caller)
    if e164 is None or not may_be_called(e164, placing_of(session, community_id).policy.prefixes):
        return None
    if is_ours(session, e164):
        return None
    return find_or_create_number(session, archive, community_id, e164)


def is_ours(session: Session, e164: str) -> bool:
    """Whether a number leads to us: calls that call themselves would never end."""
    return any(normalise_number(one) == e164 for one in session.scalars(select(Community.dialled_number)))


def is_more(session: Session, now: datetime) -> bool:
    """Whether the records hold a wish that is not written down yet."""
    return any(True for _ in _held(session, now))


def gather(session: Session, now: datetime) -> int:
    """Write down every wish that the records hold and that is not known yet; how many. Safe to repeat."""
    return sum(wish(session, *one, first_at=now) for one in list(_held(session, now)))


def _held(session: Session, now: datetime) -> Iterator[Held]:
    for community_id, wants_requests, wants_replies in _wanting(session):
        if wants_requests:
            yield from _requests(session, community_id, now)
        if wants_replies:
            yield from _replies(session, community_id, now)


def _wanting(session: Session) -> list[tuple[str, bool, bool]]:
    """Each community, and whether it wants requests and replies to be followed by a call."""
    names = (REQUEST_CALLS, REPLY_CALLS)
    rows = session.execute(
        select(Setting.community_id, Setting.name, Setting.value).where(Setting.name.in_(names))
    )
    given = {(community_id, name): value for community_id, name, value in rows}
    return [
        (one, given.get((one, REQUEST_CALLS)) is not False, given.get((one, REPLY_CALLS)) is True)
        for one in session.scalars(select(Community.id).order_by(Community.id))
    ]


def _requests(session: Session, community_id: str, now: datetime) -> Iterator[Held]:
    """Those for whom no line was free, and whom nobody has called since."""
    known = exists().where(PlacedCall.reason == REQUEST, PlacedCall.about == Request.id)
    rows = session.execute(
        select(Request.id, Request.person_id, Person.number_id, Request.asked_at)
        .join(Person, Person.id == Request.person_id)
        .where(
            Request.community_id == community_id,
            Request.settled_at.is_(None),
            Request.reason == TURNED_AWAY,
            Request.asked_at > now - LASTS[REQUEST],
            Person.number_id.is_not(None),
            ~known,
        )
        .limit(_AT_ONCE)
    ).all()
    for about, person_id, number_id, asked_at in rows:
        yield community_id, number_id, person_id, REQUEST, about, asked_at


def _replies(session: Session, community_id: str, now: datetime) -> Iterator[Held]:
    """Replies nobody has heard, to those who agreed to be called; never to what was said for practice."""
    known = exists().where(PlacedCall.reason == REPLY, PlacedCall.about == Reply.id)
    rows = session.execute(
        select(Reply.id, Opinion.person_id, Person.number_id, Reply.published_at)
        .join(Opinion, Opinion.id == Reply.opinion_id)
        .join(Person, Person.id == Opinion.person_id)
        .where(
            Reply.community_id == community_id,
            Reply.published_at > now - LASTS[REPLY],
            Reply.heard_at.is_(None),
            Reply.spoken != "",
            Opinion.is_practice.is_(False),
            Opinion.receipt.is_not(None),
            Person.number_id.is_not(None),
            has_agreed(Opinion.person_id),
            ~known,
        )
        .limit(_AT_ONCE)
    ).all()
    for about, person_id, number_id, published_at in rows:
        yield community_id, number_id, person_id, REPLY, about, published_at


def wish(
    session: Session,
    community_id: str,
    number_id: str | None,
    person_id: str,
    reason: str,
    about: str,
    made_at: datetime,
    first_at: datetime,
) -> bool:
    """Write a wish down, first to be looked at at `first_at`; False where it is known."""
    return insert_or_ignore(
        session,
        PlacedCall,
        ("reason", "about"),
        id=record_id("pc", reason, about),
        community_id=community_id,
        number_id=number_id,
        person_id=person_id,
        reason=reason,
        about=about,
        state="waiting",
        tries=0,
        next_try_at=first_at,
        expires_at=made_at + LASTS[reason],
        made_at=made_at,
    )


def _rang_today(session: Session, placing: Placing, mine: ColumnElement[bool], now: datetime) -> int:
    """How often this number was called today, or rang to be called, whichever is more."""
    today = day_began(placing.policy, now)
    rang = session.scalar(
        select(func.count(PlacedCall.id)).where(
            mine, PlacedCall.reason == MISSED, PlacedCall.made_at >= today
        )
    )
    tried = session.scalar(
        select(func.count())
        .select_from(PlacedTry)
        .join(PlacedCall, PlacedCall.id == PlacedTry.placed_id)
        .where(mine, PlacedTry.tried_at >= today)
    )
    return max(rang or 0, tried or 0)
