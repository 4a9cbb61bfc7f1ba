"""Until when a matter should be answered: working days by its kind, counted on the country's own calendar."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy.orm import Session

from sync.community_settings import setting
from sync.records.tables import Community, Opinion

DEADLINE_DAYS = "deadline_days"
URGENT, LISTEN, MESSAGE, OPINION = "urgent", "listen", "message", "opinion"
DEFAULTS: Mapping[str, int] = {URGENT: 0, LISTEN: 1, MESSAGE: 3, OPINION: 13}
"""Working days by kind, as 12345 hotlines promise them: urgent the same day, requests 3, suggestions 13."""

MOST_DAYS = 90
_CLOSES = time(18, 0)  # the end of a working day
_COUNTRY = "CN"  # its weekends that are worked in exchange for holidays are in the package, too


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
    zone = zone_of(session, opinion.community_id)
    return working_day(now.astimezone(zone).date(), days_for(session, opinion))


def end_of(session: Session, community_id: str, day: date) -> datetime:
    """The moment at which a day's work is over there."""
    return datetime.combine(day, _CLOSES, zone_of(session, community_id))


def zone_of(session: Session, community_id: str) -> ZoneInfo:
    """The time zone of a community."""
    return ZoneInfo(session.get_one(Community, community_id).time_zone)


def working_day(start: date, days: int) -> date:
    """The working day so many after `start`; with 0 the day itself, or the next one that is worked."""
    calendar = _calendar()
    if days == 0:
        return start if calendar.is_working_day(start) else calendar.get_nth_working_day(start, 1)
    return calendar.get_nth_working_day(start, days)


def typed_days(text: str) -> dict[str, int]:
    """`urgent=0, 物业=5` as it is kept. Raises ValueError for what is none."""
    pairs = [part.partition("=") for part in text.replace("，", ",").split(",") if part.strip()]
    found = {name.strip(): int(days) for name, _, days in pairs}
    if not all(found) or not all(0 <= days <= MOST_DAYS for days in found.values()):
        raise ValueError(f"from 0 to {MOST_DAYS} working days for each kind")
    return found


@lru_cache(maxsize=1)
def _calendar() -> holidays.HolidayBase:
    return holidays.country_holidays(_COUNTRY)
