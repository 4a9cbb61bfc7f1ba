"""Fields that several forms of these pages share: areas, times, days, how often, how loud."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import request
from sqlalchemy.orm import Session

from admin.pages.broadcasts.acting import typed, whole
from sync.broadcasting import When, loudspeakers_of
from sync.records.tables import Community

_SPLIT = re.compile(r"[\s,，、;；]+")


def new_request() -> str:
    """The id of one form: sent twice, it plays once."""
    return secrets.token_hex(12)


def areas_of(session: Session, community_id: str) -> Sequence[str]:
    """Every area and group that some loudspeaker is in."""
    speakers = loudspeakers_of(session, community_id)
    return sorted({name for one in speakers for name in (one.area, *one.groups) if name})


def chosen_areas() -> list[str]:
    """The areas that were ticked; none: everywhere."""
    return [area for area in request.form.getlist("areas") if area]


def volume() -> int | None:
    """How loud, 0 to 100; None: as each loudspeaker is set."""
    return whole("volume") if typed("volume") else None


def repeats(usual: int = 1) -> int:
    """How often in a row."""
    return whole("repeats") or usual


def read_when(session: Session, community_id: str) -> When:
    """The times of a form. Without a first day it is today, as the community's clock has it."""
    zone = ZoneInfo(session.get_one(Community, community_id).time_zone)
    first = typed("first_day") or datetime.now(UTC).astimezone(zone).date().isoformat()
    is_once = request.form.get("how") == "once"
    weekdays = [int(day) for day in request.form.getlist("weekdays") if day in {*"0123456"}]
    return When(
        times=split(typed("times")),
        first_day=first,
        last_day=first if is_once else typed("last_day") or None,
        weekdays=[] if is_once else weekdays,
        days="all" if is_once else typed("days") or "all",
        repeats=repeats(),
        areas=chosen_areas(),
        volume=volume(),
        late_minutes=whole("late_minutes") or 10,
    )


def split(text: str) -> list[str]:
    """Words that stand apart: by spaces, commas, Chinese or not. A full-width colon in a time is ours."""
    return [one.replace("：", ":") for one in _SPLIT.split(text) if one]
