"""What a community can set, by name, and how a typed value becomes the kept one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ivr.broadcast.timetable import SETTINGS as BROADCASTING
from speech.synthesize import VOICES
from speech.taxonomy import typed_categories
from sync.alerts import URGENT_EVENTS
from sync.deadlines import DEADLINE_DAYS, FREE_DAYS, WORK_DAYS, typed_dates, typed_days
from sync.placing.policy import (
    CALL_PREFIXES,
    DUTY_PHONE,
    MISSED_CALLS,
    QUIET_HOURS,
    REPLY_CALLS,
    REQUEST_CALLS,
)
from sync.placing.policy import SETTINGS as PLACING
from sync.sorting import CATEGORIES

SETTINGS: Mapping[str, str] = {
    "voice": "which voice reads: female, male, or a voice's name",
    "person_number": "the number that `0` dials",
    "seats_per_number": "how many people may vote from one number",
    "notice_version": "the version of the notice before the beep",
    "keep_months": "how many months recordings and words are kept; said in the notice",
    "keep_changes_days": "how many days back platforms can read the feed",
    "missed_calls": "whom we call back: off, canceled (who rang and hung up), always (nobody is answered)",
    "reply_calls": "on: a reply calls those who agreed to it",
    "request_calls": "on: who found all lines busy is called back",
    "quiet_hours": "when we call nobody: 12:00-14:00, 20:00-09:00; none",
    "call_tries": "how often a call is tried",
    "calls_a_number": "how often one number is called in a day at most",
    "calls_a_day": "how many calls are placed in a day at most",
    "call_prefixes": "what the numbers we call begin with: +86",
    "duty_phone": "who is called when somebody may be in danger, until a key is pressed; empty: nobody",
    "urgent_events": "on: platforms are told of danger by the event cn.tingjian.opinion.urgent",
    "broadcast_quiet_hours": "when loudspeakers are silent: 21:00-07:00; empty: never",
    "broadcast_noon_rest": "when they rest at noon: 12:00-14:00; empty: not",
    "broadcast_silent_days": "days without any programme, separated by commas: 2027-06-07",
    "broadcast_calendar": "the country whose public holidays schedules follow: CN; empty: none",
    "broadcast_call_hours": "how many hours after a broadcast calls are counted to it, unless set: 3",
    "deadline_days": "working days to answer, by kind: urgent=0, listen=1, message=3, opinion=13, 物业=5",
    "free_days": "days without work here, beyond the country's holidays: 2026-12-24, 2027-02-05; empty: none",
    "work_days": "days that are worked here though the country rests: 2026-12-26; empty: none",
    "categories": "what opinions are sorted by: 电梯加装=off, 停车=锁车 抢车位, 鸽子=鸽子 喂鸽子",
    "vocabulary": "names and words of the place, separated by commas, that help the recognizer",
}
_RANGES = {
    "seats_per_number": (1, 9),
    "keep_months": (1, 120),
    "keep_changes_days": (7, 3650),
    "broadcast_call_hours": (1, 48),
}


def typed_setting(name: str, value: str) -> Any:
    """The value as it is kept. Raises KeyError for an unknown name, ValueError for a senseless value."""
    if name not in SETTINGS:
        raise KeyError(name)
    if name in _RANGES:
        number, (least, most) = int(value), _RANGES[name]
        if not least <= number <= most:
            raise ValueError(f"{name} is from {least} to {most}")
        return number
    if name == "voice" and value and value not in VOICES:
        raise ValueError(f"voice is one of {', '.join(VOICES)}")
    if name in PLACING:
        return PLACING[name].check(_placing(name, value))
    if name in BROADCASTING:
        return BROADCASTING[name](value)
    if name == URGENT_EVENTS:
        return _switch(value)
    if name == CATEGORIES:
        return typed_categories(value)
    if name == DEADLINE_DAYS:
        return typed_days(value)
    if name in (FREE_DAYS, WORK_DAYS):
        return typed_dates(value)
    if name == "vocabulary":
        return [word.strip() for word in value.replace("，", ",").split(",") if word.strip()]
    return value


def _switch(text: str) -> bool:
    if text.strip().lower() not in ("on", "off"):
        raise ValueError("should be on or off")
    return text.strip().lower() == "on"


def _placing(name: str, text: str) -> Any:
    """What was typed, as `sync.placing.policy` checks it."""
    given = [part.strip() for part in text.replace("，", ",").split(",") if part.strip()]
    if name in (MISSED_CALLS, DUTY_PHONE):
        return text.strip()
    if name in (REPLY_CALLS, REQUEST_CALLS):
        return {"on": True, "off": False}.get(text.strip().lower(), text)
    if name == QUIET_HOURS:
        return [] if given == ["none"] else [part.split("-") for part in given]
    return given if name == CALL_PREFIXES else int(text)
