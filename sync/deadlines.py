"""Until when a matter should be answered: working days by its kind, of the country and of the community."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy.orm import Session

from sync.community_settings import setting
from sync.records.tables import Community, Opinion

DEADLINE_DAYS, FREE_DAYS, WORK_DAYS = "deadline_days", "free_days", "work_days"
URGENT, LISTEN, MESSAGE, OPINION = "urgent", "listen", "message", "opinion"
DEFAULTS: Mapping[str, int] = {URGENT: 0, LISTEN: 1, MESSAGE: 3, OPINION: 13}
"""Working days by kind, as 12345 hotlines promise them: urgent the same day, requests 3, suggestions 13."""

MOST_DAYS = 90
_A_DAY, _FAR = timedelta(days=1), 400
_CLOSES = time(18, 0)  # the end of a working day
_COUNTRY = "CN"  # its weekends that are worked in exchange for holidays are in the package, too


@dataclass(frozen=True)
class WorkCalendar:
    """The country's working days, but for a community's own: `free` are not worked there, `worked` are."""

    free: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def is_worked(self, day: date) -> bool:
        """Whether anybody is at work on that day. What a community says of a day goes before the country."""
        if day in self.worked or day in self.free:
            return day in self.worked
        return bool(_country().is_working_day(day))


def kind_of(opinion: Opinion) -> str:
    """The kind that its deadline follows from."""
    if opinion.urgency:
        return URGENT
    if opinion.needs_listening:
        return LISTEN
    return MESSAGE if opinion.topic_id is None else OPINION


def days_for(session: Session, opinion: Opinion) -> int:
    """Working days for an opinion: what its community set for its category, else for its kind."""
    chosen = setting(session, opinion.community_id, DEADLINE_DAYS) or {}
    for name in (kind_of(opinion) if opinion.urgency else opinion.category or "", kind_of(opinion)):
        if name in chosen:
            return int(chosen[name])
    return DEFAULTS[kind_of(opinion)]


def proposed(session: Session, opinion: Opinion, now: datetime) -> date:
    """The day until which it should be answered, in the community's own calendar, counted from now."""
    community_id = opinion.community_id
    today = now.astimezone(zone_of(session, community_id)).date()
    return working_day(today, days_for(session, opinion), calendar_of(session, community_id))


def end_of(session: Session, community_id: str, day: date) -> datetime:
    """The moment at which a day's work is over there."""
    return datetime.combine(day, _CLOSES, zone_of(session, community_id))


def zone_of(session: Session, community_id: str) -> ZoneInfo:
    """The time zone of a community."""
    return ZoneInfo(session.get_one(Community, community_id).time_zone)


def calendar_of(session: Session, community_id: str) -> WorkCalendar:
    """The days on which a community works."""
    free, worked = (
        frozenset(map(date.fromisoformat, setting(session, community_id, name, ())))
        for name in (FREE_DAYS, WORK_DAYS)
    )
    return WorkCalendar(free, worked)


def working_day(start: date, days: int, calendar: WorkCalendar = WorkCalendar()) -> date:
    """The working day so many after `start`; with 0 the day itself, or the next one that is worked.

    Looked for within a year: after that the day itself is named, whoever has set every day free.
    """
    day, left = start, days
    if days == 0 and not calendar.is_worked(day):
        left = 1
    for _ in range(_FAR if left else 0):
        day += _A_DAY
        left -= calendar.is_worked(day)
        if not left:
            break
    return day


def typed_dates(text: str) -> list[str]:
    """`2026-12-24, 2027-02-05` as it is kept. Raises ValueError for what is no day."""
    named = (part.strip() for part in text.replace("，", ",").split(","))
    return sorted({date.fromisoformat(day).isoformat() for day in named if day})


def typed_days(text: str) -> dict[str, int]:
    """`urgent=0, 物业=5` as it is kept. Raises ValueError for what is none."""
    pairs = [part.partition("=") for part in text.replace("，", ",").split(",") if part.strip()]
    found = {name.strip(): int(days) for name, _, days in pairs}
    if not all(found) or not all(0 <= days <= MOST_DAYS for days in found.values()):
        raise ValueError(f"from 0 to {MOST_DAYS} working days for each kind")
    return found


@lru_cache(maxsize=1)
def _country() -> holidays.HolidayBase:
    return holidays.country_holidays(_COUNTRY)
