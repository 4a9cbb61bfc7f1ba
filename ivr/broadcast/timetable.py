"""When something is due and whether it may be loud: local time, quiet hours, noon rest, holidays. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

QUIET_HOURS, DEFAULT_QUIET_HOURS = "broadcast_quiet_hours", "21:00-07:00"
NOON_REST, DEFAULT_NOON_REST = "broadcast_noon_rest", "12:00-14:00"
SILENT_DAYS = "broadcast_silent_days"  # such as those of the college entrance examination
CALENDAR, DEFAULT_CALENDAR = "broadcast_calendar", "CN"  # a country of the `holidays` package; "": none

_A_DAY = timedelta(days=1)


def _checked_span(text: str) -> str:
    read_span(text)
    return text.strip()


def _checked_days(text: str) -> list[str]:
    named = text.replace("，", ",").split(",")
    return [date.fromisoformat(day.strip()).isoformat() for day in named if day.strip()]


def _checked_calendar(text: str) -> str:
    name = text.strip().upper()
    if name and _calendar(name) is None:
        raise ValueError(f"no calendar of public holidays for {name}")
    return name


SETTINGS: Mapping[str, Callable[[str], Any]] = {
    QUIET_HOURS: _checked_span,
    NOON_REST: _checked_span,
    SILENT_DAYS: _checked_days,
    CALENDAR: _checked_calendar,
}
"""What a community can set, and how a typed value becomes the kept one. Each raises ValueError."""


@dataclass(frozen=True)
class Plan:
    """A schedule as far as it says when: see `sync.broadcasting.When`."""

    id: str
    times: Sequence[str]
    first_day: str
    last_day: str | None
    weekdays: Sequence[int]
    days: str
    late_minutes: int


@dataclass(frozen=True)
class Due:
    """One moment of a plan: the local day and time it was written down as, and when that is in UTC."""

    day: date
    time: str
    at: datetime

    def key(self, plan_id: str) -> str:
        """Its natural key: by the local day and time, so an hour that comes twice holds it once."""
        return f"{plan_id}/{self.day.isoformat()}/{self.time}"


@dataclass(frozen=True)
class Hours:
    """When the loudspeakers of a community are silent: windows of local time, and whole days."""

    zone: ZoneInfo
    windows: tuple[tuple[time, time], ...]
    silent_days: frozenset[date] = frozenset()
    calendar: str = DEFAULT_CALENDAR


def hours_of(zone: str, settings: Mapping[str, Any]) -> Hours:
    """What a community has set. A value that makes no sense counts as the default: rather too quiet."""
    spans = (
        _span(settings.get(QUIET_HOURS, DEFAULT_QUIET_HOURS), DEFAULT_QUIET_HOURS),
        _span(settings.get(NOON_REST, DEFAULT_NOON_REST), DEFAULT_NOON_REST),
    )
    days = settings.get(SILENT_DAYS) or ()
    return Hours(
        ZoneInfo(zone),
        tuple(span for span in spans if span is not None),
        frozenset(day for day in map(_day, days) if day is not None),
        str(settings.get(CALENDAR, DEFAULT_CALENDAR) or ""),
    )


def read_span(text: str) -> tuple[time, time] | None:
    """A window such as 21:00-07:00; None for "". Raises ValueError for anything else."""
    if not text.strip():
        return None
    begin, _, end = text.replace("–", "-").partition("-")
    return time.fromisoformat(begin.strip()), time.fromisoformat(end.strip())


def due_between(plan: Plan, hours: Hours, after: datetime, until: datetime) -> Iterator[Due]:
    """The moments of a plan with after < at <= until, in order. A time that a clock change leaves out is
    due as long after midnight as it would have been; one that comes twice is due the first time.
    """
    first = max(after.astimezone(hours.zone).date() - _A_DAY, date.fromisoformat(plan.first_day))
    last = until.astimezone(hours.zone).date() + _A_DAY
    if plan.last_day:
        last = min(last, date.fromisoformat(plan.last_day))
    day = first
    while day <= last:
        if _is_on(plan, hours, day):
            for text in sorted(plan.times):
                at = datetime.combine(day, time.fromisoformat(text), hours.zone).astimezone(UTC)
                if after < at <= until:
                    yield Due(day, text, at)
        day += _A_DAY


def silent_because(hours: Hours, begin: datetime, seconds: float) -> str | None:
    """Why nothing may sound from `begin` for so long: `quiet_hours`, `silent_day`; None where it may."""
    if latest_begin(hours, begin, seconds) is not None:
        return None
    local = begin.astimezone(hours.zone)
    return "silent_day" if local.date() in hours.silent_days else "quiet_hours"


def latest_begin(hours: Hours, begin: datetime, seconds: float) -> datetime | None:
    """The last moment from `begin` on at which it may begin and still end before silence; None: not now."""
    silence = _next_silence(hours, begin)
    if silence is None:
        return begin + _A_DAY
    latest = silence - timedelta(seconds=seconds)
    return latest if latest >= begin else None


def _next_silence(hours: Hours, now: datetime) -> datetime | None:
    """When the silence begins that is there now or comes next; `now` where it is there."""
    local = now.astimezone(hours.zone)
    if local.date() in hours.silent_days or any(_holds(span, local.time()) for span in hours.windows):
        return now
    begins = [
        datetime.combine(local.date() + ahead * _A_DAY, begin, hours.zone)
        for begin, _ in hours.windows
        for ahead in (0, 1)
    ] + [datetime.combine(day, time(), hours.zone) for day in hours.silent_days]
    later = [one.astimezone(UTC) for one in begins if one.astimezone(UTC) > now]
    return min(later, default=None)


def _holds(span: tuple[time, time], at: time) -> bool:
    begin, end = span
    return begin <= at < end if begin <= end else at >= begin or at < end


def _is_on(plan: Plan, hours: Hours, day: date) -> bool:
    if day in hours.silent_days or (plan.weekdays and day.weekday() not in plan.weekdays):
        return False
    match plan.days:
        case "no_holidays":
            return not is_holiday(hours.calendar, day)
        case "workdays":
            return is_workday(hours.calendar, day)
        case "days_off":
            return not is_workday(hours.calendar, day)
    return True


def is_holiday(calendar: str, day: date) -> bool:
    """Whether it is a public holiday, or a weekend that hangs together with one."""
    found = _calendar(calendar)
    return found is not None and any(one in found for one in _days_off_around(calendar, day))


def _days_off_around(calendar: str, day: date) -> Iterator[date]:
    """The days off in a row of which this is one; none where people work."""
    if is_workday(calendar, day):
        return
    yield day
    for step in (-_A_DAY, _A_DAY):
        other = day + step
        while not is_workday(calendar, other):
            yield other
            other += step


def is_workday(calendar: str, day: date) -> bool:
    """Whether people work: Monday to Friday but for holidays, and the weekends worked in their place."""
    found = _calendar(calendar)
    return day.weekday() < 5 if found is None else bool(found.is_working_day(day))


@lru_cache
def _calendar(name: str) -> holidays.HolidayBase | None:
    try:
        return holidays.country_holidays(name) if name else None
    except NotImplementedError:
        return None


def _span(value: object, default: str) -> tuple[time, time] | None:
    try:
        return read_span(str(value))
    except ValueError:
        return read_span(default)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
