"""What the overview asks the records, each question on an index; a community and a time at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
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


def calls_given(scope: Scope) -> Select[str | None, int, int, int]:
    """Calls since midnight, how many of them came to their end, calls of the whole time; in one walk.

    By the step at which callers hung up before the end, NULL for all other calls.
    """
    is_today = Call.began_at >= scope.midnight
    is_finished = func.coalesce(Call.end_status, "") == FINISHED
    step = case((Call.ended_at.is_not(None) & ~is_finished, Call.place["step"].as_string()))
    return (
        select(
            step.label("left_at"),
            func.sum(case((is_today, 1), else_=0)),
            func.sum(case((is_today & is_finished, 1), else_=0)),
            func.count(),
        )
        .where(*calls_of(scope))
        .group_by("left_at")
    )


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


def opinions_given(scope: Scope) -> Select[str | None, str, int]:
    """Opinions by category and channel, in one walk."""
    return (
        select(Opinion.category, Opinion.channel, func.count())
        .where(
            Opinion.community_id == scope.community_id,
            Opinion.said_at >= scope.since,
            Opinion.state.not_in(GONE),
            counts(scope, Opinion.is_practice),
        )
        .group_by(Opinion.category, Opinion.channel)
    )


def ballots_given(scope: Scope) -> Select[str, str, int]:
    """Standing ballots of open topics by topic and channel, in one walk."""
    return (
        select(Ballot.topic_id, Ballot.channel, func.count())
        .where(Ballot.topic_id.in_(_open_topics(scope)), counts(scope, Ballot.is_practice))
        .group_by(Ballot.topic_id, Ballot.channel)
    )


def open_topics(scope: Scope) -> Select[str, str]:
    """Ids and titles of the topics that are discussed now."""
    return select(Topic.id, Topic.title).where(Topic.id.in_(_open_topics(scope)))


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
