"""How a community lets calls be placed: its settings, each with its default and what may be set."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import phonenumbers
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.community_settings import change_setting
from sync.people import normalise_number
from sync.placing.rules import NIGHT, NOON_REST, Policy, Span, check_quiet
from sync.records.tables import Community, Setting

LOG = logging.getLogger("tingjian.placing")

MISSED_CALLS, REPLY_CALLS, REQUEST_CALLS = "missed_calls", "reply_calls", "request_calls"
OFF, CANCELED, ALWAYS = "off", "canceled", "always"
QUIET_HOURS, CALL_TRIES, CALL_PREFIXES = "quiet_hours", "call_tries", "call_prefixes"
CALLS_A_NUMBER, CALLS_A_DAY = "calls_a_number", "calls_a_day"
DUTY_PHONE = "duty_phone"
"""Who is called when somebody may be in danger; checked and kept as E.164, "" for nobody."""
_CALLABLE = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
    }
)


@dataclass(frozen=True)
class Placing:
    """What a community has set about the calls we place."""

    policy: Policy
    missed_calls: str = OFF
    reply_calls: bool = False
    request_calls: bool = True


def placing_of(session: Session, community_id: str) -> Placing:
    """What holds in a community. A value that makes no sense is logged, and the default holds."""
    community = session.get_one(Community, community_id)
    rows = session.execute(
        select(Setting.name, Setting.value).where(
            Setting.community_id == community_id, Setting.name.in_(SETTINGS)
        )
    )
    given: dict[str, Any] = {}
    for name, value in rows:
        try:
            given[name] = SETTINGS[name].check(value)
        except ValueError:
            LOG.error("community %s: the setting %s makes no sense", community_id, name)
    held = {name: given.get(name, one.default) for name, one in SETTINGS.items()}
    policy = Policy(
        ZoneInfo(community.time_zone),
        _spans(held[QUIET_HOURS]),
        held[CALL_TRIES],
        held[CALLS_A_NUMBER],
        held[CALLS_A_DAY],
        tuple(held[CALL_PREFIXES]),
    )
    return Placing(policy, held[MISSED_CALLS], held[REPLY_CALLS], held[REQUEST_CALLS])


def change_placing(session: Session, community_id: str, name: str, value: Any, actor: str) -> None:
    """Change one of these settings, audited. Raises ValueError in plain words, KeyError for no such name."""
    change_setting(session, community_id, name, SETTINGS[name].check(value), actor)


def may_be_called(e164: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a number is one that a person has at home or in the pocket, in a region we call.

    Never premium, shared-cost, satellite or any other kind: a spoofed caller-ID must not cost money.
    """
    if not e164.startswith(prefixes):
        return False
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) and phonenumbers.number_type(number) in _CALLABLE


# --- each setting: what holds without it, and what may be set ---
@dataclass(frozen=True)
class PlacingSetting:
    """One setting: its default as JSON, and `check`, which gives the value to keep or raises ValueError."""

    default: Any
    check: Callable[[Any], Any]


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"should be one of {', '.join(words)}")
        return str(value)

    return check


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("should be true or false")
    return value


def _within(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"should be a number from {least} to {most}")
        return value

    return check


def _quiet_hours(value: Any) -> list[list[str]]:
    """Spans such as [["12:00", "14:00"], ["20:00", "09:00"]]; none: no quiet hours."""
    check_quiet(_spans(value))
    return [[one.isoformat("minutes") for one in span] for span in _spans(value)]


def _spans(value: Any) -> tuple[Span, ...]:
    try:
        spans = tuple((time.fromisoformat(start), time.fromisoformat(end)) for start, end in value)
    except (TypeError, ValueError) as error:
        raise ValueError('should look like [["12:00", "14:00"], ["20:00", "09:00"]]') from error
    if any(one.tzinfo or one.second or one.microsecond for span in spans for one in span):
        raise ValueError("should be hours and minutes")
    return spans


def _prefixes(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('should look like ["+86"]')
    if not all(one.startswith("+") and 2 <= len(one) <= 16 and one[1:].isdecimal() for one in value):
        raise ValueError("each should begin with + and a country code")
    return value


def _duty_phone(value: Any) -> str:
    """A number that a person answers, in a country whose numbers may be called at all."""
    if value == "":
        return ""
    e164 = normalise_number(value) if isinstance(value, str) else None
    if e164 is None or not may_be_called(e164, ("+",)):
        raise ValueError("should be a mobile or fixed telephone number, or empty")
    return e164


SETTINGS: Mapping[str, PlacingSetting] = MappingProxyType(
    {
        MISSED_CALLS: PlacingSetting(OFF, _one_of(OFF, CANCELED, ALWAYS)),
        REPLY_CALLS: PlacingSetting(False, _switch),
        REQUEST_CALLS: PlacingSetting(True, _switch),
        QUIET_HOURS: PlacingSetting(
            [[one.isoformat("minutes") for one in span] for span in (NOON_REST, NIGHT)], _quiet_hours
        ),
        CALL_TRIES: PlacingSetting(2, _within(1, 3)),
        CALLS_A_NUMBER: PlacingSetting(6, _within(1, 20)),
        CALLS_A_DAY: PlacingSetting(300, _within(0, 100_000)),
        CALL_PREFIXES: PlacingSetting(["+86"], _prefixes),
        DUTY_PHONE: PlacingSetting("", _duty_phone),
    }
)
