"""When programmes are due: a schedule of one programme, or a standing rule that drafts one each time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError, NotThere
from sync.broadcasting.programmes import programme_of
from sync.community_settings import audit
from sync.records.tables import Airing, Loudspeaker, Schedule, new_id
from sync.voiding import cut

DAYS = ("all", "no_holidays", "workdays", "days_off")
STATES = ("active", "paused", "ended")
ABOUT = ("changes",)

_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class When:
    """Local times of the community: see `sync.records.broadcasts.Schedule`.

    Days are written 2026-11-22, times 18:30, weekdays 0 (Monday) to 6, none: every day.
    `days`: all · no_holidays (not on public holidays) · workdays (make-up days too) · days_off.
    Once: `first_day` and `last_day` are the same.
    """

    times: Sequence[str]
    first_day: str
    last_day: str | None = None
    weekdays: Sequence[int] = ()
    days: str = "all"
    repeats: int = 1
    areas: Sequence[str] = ()
    volume: int | None = None
    late_minutes: int = 10


@dataclass(frozen=True)
class Rule:
    """What a standing rule drafts: `changes`: what is new since it last did. At most so long.

    The draft lies on the desk `lead_minutes` before it is due, so that a person can approve it in time.
    """

    about: str = "changes"
    max_seconds: int = 180
    lead_minutes: int = 120


def schedule(session: Session, actor: Actor, programme_id: str, when: When, now: datetime) -> str:
    """Play a programme at these times; it need not be approved yet. Returns the schedule's id."""
    programme = programme_of(session, actor, programme_id)
    if programme.state == "withdrawn":
        raise DeskError("it was withdrawn", "programme_withdrawn")
    return _add(session, actor, programme.title, when, now, programme_id=programme.id)


def add_rule(session: Session, actor: Actor, name: str, rule: Rule, when: When, now: datetime) -> str:
    """A standing rule: what it drafted is due at these times, if a person approved it. Returns its id."""
    if rule.about not in ABOUT:
        raise DeskError("there is no such rule", "no_such_rule")
    if not 30 <= rule.max_seconds <= 900 or not 5 <= rule.lead_minutes <= 24 * 60:
        raise DeskError("30 s to 15 min, drafted 5 min to a day before", "rule_out_of_range")
    title = " ".join(name.split())
    if not title or len(title) > 40:
        raise DeskError("a rule needs a name", "nothing_said")
    return _add(session, actor, title, when, now, rule=asdict(rule))


def schedules_of(session: Session, community_id: str) -> Sequence[Schedule]:
    """All that have not ended, the oldest first."""
    return session.scalars(
        select(Schedule)
        .where(Schedule.community_id == community_id, Schedule.state != "ended")
        .order_by(Schedule.created_at, Schedule.id)
    ).all()


def set_schedule_state(session: Session, actor: Actor, schedule_id: str, state: str, now: datetime) -> None:
    """`active`, `paused` or `ended`. What is planned of it is missed; what plays already goes on."""
    found = session.get(Schedule, schedule_id, with_for_update=True)
    if found is None or found.community_id != actor.community_id:
        raise NotThere("there is no such schedule", "not_there")
    if state not in STATES or found.state == "ended":
        raise DeskError("it has ended", "schedule_ended")
    found.state = state
    if state != "active":
        cut(session, (Airing.schedule_id == found.id) & (Airing.state == "planned"), now, f"schedule_{state}")
    audit(session, actor.community_id, actor.id, f"schedule.{state}", found.id)


def _add(
    session: Session,
    actor: Actor,
    name: str,
    when: When,
    now: datetime,
    programme_id: str | None = None,
    rule: dict[str, object] | None = None,
) -> str:
    _check(when)
    check_areas(session, actor.community_id, when.areas)
    plain = {**asdict(when), "times": sorted(set(when.times)), "weekdays": sorted(set(when.weekdays))}
    asked = plain | {"areas": list(when.areas)}
    if (same := _same(session, actor, programme_id, rule, asked)) is not None:
        return same
    row = Schedule(
        id=new_id("sc"),
        community_id=actor.community_id,
        name=name,
        programme_id=programme_id,
        rule=rule,
        created_by=actor.id,
        created_at=now,
        **asked,
    )
    session.add(row)
    session.flush()
    audit(session, actor.community_id, actor.id, "schedule.added", row.id, programme=programme_id)
    return row.id


def _same(
    session: Session,
    actor: Actor,
    programme_id: str | None,
    rule: dict[str, object] | None,
    asked: dict[str, object],
) -> str | None:
    """The schedule that says exactly this already: a form sent twice is one schedule."""
    for one in schedules_of(session, actor.community_id):
        is_alike = all(getattr(one, name) == value for name, value in asked.items())
        if is_alike and one.programme_id == programme_id and one.rule == rule:
            return one.id
    return None


def check_areas(session: Session, community_id: str, areas: Sequence[str]) -> None:
    """DeskError for an area or group that no loudspeaker is in."""
    if not areas:
        return
    rows = session.execute(
        select(Loudspeaker.area, Loudspeaker.groups).where(
            Loudspeaker.community_id == community_id, Loudspeaker.state != "removed"
        )
    )
    known = {name for area, groups in rows for name in (area, *groups)}
    if not set(areas) <= known:
        raise DeskError("there is no such area or group", "no_such_area")


def _check(when: When) -> None:
    if not when.times or not all(_TIME.fullmatch(one) for one in when.times):
        raise DeskError("times look like 18:30", "no_such_time")
    try:
        first = date.fromisoformat(when.first_day)
        last = date.fromisoformat(when.last_day) if when.last_day else first
    except ValueError as error:
        raise DeskError("days look like 2026-11-22", "no_such_day") from error
    is_sound = (
        last >= first
        and set(when.weekdays) <= set(range(7))
        and when.days in DAYS
        and 1 <= when.repeats <= 5
        and 1 <= when.late_minutes <= 120
        and (when.volume is None or 0 <= when.volume <= 100)
    )
    if not is_sound:
        raise DeskError("this can't be scheduled", "schedule_out_of_range")
