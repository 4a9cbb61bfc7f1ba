"""What the overview asks the records, each question on an index; a community and a time at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, case, func, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.milestones import OPEN
from sync.records.tables import (
    Ballot,
    Call,
    Community,
    Correction,
    Milestone,
    Opinion,
    Person,
    Request,
    Satisfaction,
    Topic,
)

FINISHED = "finished"  # the end of a call that came to its own end
MOST_ROWS = 12
GONE = ("withdrawn", "erased")
_WAITING = ("waiting", "review")


@dataclass(frozen=True)
class Scope:
    """Whose records, from when on, and whether practice counts: only in a demo community."""

    community_id: str
    since: datetime
    midnight: datetime
    with_practice: bool


def scope_of(session: Session, community_id: str, days: int, now: datetime) -> Scope:
    """The last `days` of a community."""
    community = session.get_one(Community, community_id)
    local = now.astimezone(ZoneInfo(community.time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return Scope(community_id, now - timedelta(days=days), midnight, community.is_demo)


def call_counts(scope: Scope) -> Select[int, int, int]:
    """Calls since midnight, how many of them came to their end, calls of the whole time."""
    is_today = Call.began_at >= scope.midnight
    return select(
        func.coalesce(func.sum(case((is_today, 1), else_=0)), 0),
        func.coalesce(func.sum(case((is_today & (Call.end_status == FINISHED), 1), else_=0)), 0),
        func.count(),
    ).where(*calls_of(scope))


def steps_left(scope: Scope) -> Select[str, int]:
    """At which step callers hung up before the end."""
    step = Call.place["step"].as_string()
    left = (Call.ended_at.is_not(None), func.coalesce(Call.end_status, "") != FINISHED)
    return select(step, func.count()).where(*calls_of(scope), *left).group_by(step)


def waiting_opinions(scope: Scope) -> Select[str, int, datetime]:
    """What waits for words, and what for a person."""
    return (
        select(Opinion.state, func.count(), func.min(Opinion.said_at))
        .where(Opinion.community_id == scope.community_id, Opinion.state.in_(_WAITING))
        .group_by(Opinion.state)
    )


def waiting_calls(scope: Scope) -> Select[int, datetime]:
    """Who waits to be called back."""
    return (
        select(func.count(), func.min(Request.asked_at))
        .join(Person, Person.id == Request.person_id)
        .where(
            Request.community_id == scope.community_id,
            Request.settled_at.is_(None),
            Person.erased_at.is_(None),
        )
    )


def kinds(scope: Scope) -> Select[str, int]:
    """Opinions by category."""
    return _opinions_by(scope, Opinion.category)


def opinion_channels(scope: Scope) -> Select[str, int]:
    """Opinions by the channel they came through."""
    return _opinions_by(scope, Opinion.channel)


def ballot_channels(scope: Scope) -> Select[str, int]:
    """Standing ballots of open topics by channel."""
    return (
        select(Ballot.channel, func.count())
        .where(Ballot.topic_id.in_(_open_topics(scope)), counts(scope, Ballot.is_practice))
        .group_by(Ballot.channel)
        .order_by(func.count().desc())
    )


def ballots_by_topic(scope: Scope) -> Select[str, str, int]:
    """Voters on each open topic, the most first."""
    counted = (
        select(Ballot.topic_id, func.count().label("voters"))
        .where(Ballot.topic_id.in_(_open_topics(scope)), counts(scope, Ballot.is_practice))
        .group_by(Ballot.topic_id)
        .subquery()
    )
    voters = func.coalesce(counted.c.voters, 0)
    return (
        select(Topic.id, Topic.title, voters)
        .join(counted, counted.c.topic_id == Topic.id, isouter=True)
        .where(Topic.id.in_(_open_topics(scope)))
        .order_by(voters.desc(), Topic.id)
        .limit(MOST_ROWS)
    )


def satisfaction(scope: Scope) -> Select[bool, int]:
    """Whether answers satisfied their askers."""
    return (
        select(Satisfaction.is_satisfied, func.count())
        .join(Opinion, Opinion.id == Satisfaction.opinion_id)
        .where(
            Satisfaction.given_at >= scope.since,
            Opinion.community_id == scope.community_id,
            counts(scope, Opinion.is_practice),
        )
        .group_by(Satisfaction.is_satisfied)
    )


def corrected(scope: Scope) -> Select[int, int, int]:
    """Corrections, their characters, and how many of those the recognizer had otherwise."""
    return select(func.count(), func.sum(Correction.characters), func.sum(Correction.wrong)).where(
        Correction.community_id == scope.community_id, Correction.made_at >= scope.since
    )


def late_stages(scope: Scope) -> Select[int, str]:
    """Stages of topics that should be done by now, and the day of the most overdue."""
    return select(func.count(), func.min(Milestone.due_on)).where(
        Milestone.community_id == scope.community_id,
        Milestone.state.in_(OPEN),
        Milestone.due_on < scope.midnight.date().isoformat(),
    )


def _opinions_by(scope: Scope, column: InstrumentedAttribute[Any]) -> Select[str, int]:
    return (
        select(column, func.count())
        .where(
            Opinion.community_id == scope.community_id,
            Opinion.said_at >= scope.since,
            Opinion.state.not_in(GONE),
            counts(scope, Opinion.is_practice),
        )
        .group_by(column)
        .order_by(func.count().desc())
    )


def calls_of(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    """The condition on its calls."""
    return (
        Call.community_id == scope.community_id,
        Call.began_at >= min(scope.since, scope.midnight),
        counts(scope, Call.is_practice),
    )


def _open_topics(scope: Scope) -> Select[str]:
    return select(Topic.id).where(
        Topic.community_id == scope.community_id, Topic.state.in_(("open", "paused"))
    )


def counts(scope: Scope, is_practice: InstrumentedAttribute[bool]) -> ColumnElement[bool]:
    """Whether a row counts here."""
    return true() if scope.with_practice else is_practice.is_(False)
