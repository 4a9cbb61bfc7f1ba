"""What is due becomes airings, each exactly once: the natural key is the schedule's local day and time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.timetable import Due, Hours, Plan, due_between, hours_of
from sync.records.tables import Airing, Community, Programme, Schedule, Setting, record_id
from sync.upsert import insert_or_ignore

LOOKS_BACK = timedelta(hours=26)
"""What was due in this time while nobody looked is written down as missed, so that somebody sees it."""

ANNOUNCER = "announcer"


@dataclass(frozen=True)
class Wanted:
    """One moment of one schedule."""

    schedule: Schedule
    due: Due
    plan: Plan


def plan_of(schedule: Schedule) -> Plan:
    """A schedule as the timetable reads it."""
    return Plan(
        schedule.id,
        schedule.times,
        schedule.first_day,
        schedule.last_day,
        schedule.weekdays,
        schedule.days,
        schedule.late_minutes,
    )


def all_hours(session: Session) -> Mapping[str, Hours]:
    """When each community is silent. One whose zone is unknown is left out: it stays silent."""
    settings: dict[str, dict[str, Any]] = {}
    rows = session.execute(
        select(Setting.community_id, Setting.name, Setting.value).where(Setting.name.startswith("broadcast_"))
    )
    for community_id, name, value in rows:
        settings.setdefault(community_id, {})[name] = value
    found = {}
    for community_id, zone in session.execute(select(Community.id, Community.time_zone)):
        try:
            found[community_id] = hours_of(zone, settings.get(community_id, {}))
        except (ZoneInfoNotFoundError, ValueError):
            continue
    return found


def moments(
    session: Session, hours: Mapping[str, Hours], after: datetime, until: datetime
) -> Iterator[Wanted]:
    """What active schedules hold with after < at <= until, never before they were made."""
    for schedule in session.scalars(select(Schedule).where(Schedule.state == "active")).all():
        here = hours.get(schedule.community_id)
        if here is not None:
            plan = plan_of(schedule)
            for due in due_between(plan, here, max(after, schedule.created_at), until):
                yield Wanted(schedule, due, plan)


def write_airing(session: Session, wanted: Wanted) -> None:
    """The airing of this moment, planned; unless it is there already, however it went."""
    schedule, due = wanted.schedule, wanted.due
    key = due.key(schedule.id)
    insert_or_ignore(
        session,
        Airing,
        ("natural_key",),
        id=record_id("air", key),
        natural_key=key,
        community_id=schedule.community_id,
        programme_id=schedule.programme_id or drafted(session, schedule.id, due),
        schedule_id=schedule.id,
        is_emergency=False,
        state="planned",
        repeats=schedule.repeats,
        areas=list(schedule.areas),
        volume=schedule.volume,
        due_at=due.at,
        expires_at=due.at + timedelta(minutes=schedule.late_minutes),
        made_by=ANNOUNCER,
    )


def drafted(session: Session, schedule_id: str, due: Due) -> str | None:
    """The programme that a standing rule drafted for this moment; None where there is none."""
    return session.scalar(
        select(Programme.id).where(Programme.schedule_id == schedule_id, Programme.day == moment_name(due))
    )


def moment_name(due: Due) -> str:
    """How a draft names the moment it is for: 2026-11-22 18:30."""
    return f"{due.day.isoformat()} {due.time}"
