"""Now and next: what plays, what is due in the next days, and when the loudspeakers keep silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.airing import total_seconds
from ivr.broadcast.planning import all_hours, drafted, moments
from ivr.broadcast.timetable import Due, Hours, silent_because
from sync.broadcasting import Outcome, outcome_of
from sync.broadcasting.approving import may_be_loud
from sync.records.tables import Airing, Programme, Schedule

AHEAD, MOST = timedelta(days=7), 12


@dataclass(frozen=True)
class Next:
    """One moment to come. `hindrance`: a word for why nothing would be heard then, "" where all is well."""

    at: datetime
    name: str
    programme_id: str | None
    schedule_id: str
    areas: Sequence[str]
    repeats: int
    hindrance: str


def playing_now(session: Session, community_id: str) -> Sequence[Outcome]:
    """What plays, or waits to begin any moment."""
    rows = session.scalars(
        select(Airing.id)
        .where(Airing.community_id == community_id, Airing.state.in_(("planned", "airing")))
        .order_by(Airing.due_at, Airing.id)
    ).all()
    return [found for one in rows if (found := outcome_of(session, one)) is not None]


def coming(session: Session, community_id: str, now: datetime) -> Sequence[Next]:
    """The next moments of all schedules in the week to come, the nearest first."""
    hours = all_hours(session).get(community_id)
    if hours is None:
        return []
    found = sorted(moments(session, {community_id: hours}, now, now + AHEAD), key=lambda one: one.due.at)
    return [_next(session, one.schedule, one.due, hours) for one in found[:MOST]]


def quiet_spans(session: Session, community_id: str) -> Sequence[str]:
    """When nothing but an emergency is played: 21:00–07:00."""
    hours = all_hours(session).get(community_id)
    return [] if hours is None else [f"{begin:%H:%M}–{end:%H:%M}" for begin, end in hours.windows]


def _next(session: Session, schedule: Schedule, due: Due, hours: Hours) -> Next:
    programme_id = schedule.programme_id or drafted(session, schedule.id, due)
    programme = session.get(Programme, programme_id) if programme_id else None
    return Next(
        due.at,
        schedule.name if programme is None else programme.title,
        programme_id,
        schedule.id,
        schedule.areas,
        schedule.repeats,
        _hindrance(programme, due, hours, schedule.repeats),
    )


def _hindrance(programme: Programme | None, due: Due, hours: Hours, repeats: int) -> str:
    seconds = (programme.sound_seconds if programme else None) or 0.0
    if silent := silent_because(hours, due.at, total_seconds(seconds, repeats)):
        return silent
    if programme is None:
        return "not_drafted"
    if programme.last_day is not None and programme.last_day < due.day.isoformat():
        return "past_last_day"
    return "" if may_be_loud(programme) else "not_approved"
