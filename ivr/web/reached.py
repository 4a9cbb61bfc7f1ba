"""From the parameters of a TwiML platform's request to what reached the call: plain mappings, no Flask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit

from ivr.arrivals import EXCHANGE, Arrival, Delivered, PlacedArrival, Reached
from ivr.dialogue.turns import Dialled, Pressed, Silence
from sync.placing.courses import Told

HANDSETS = frozenset({"browser", "terminal", "sip"})
PRACTICE_HANDSETS = frozenset({"browser", "terminal"})
ENDS = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
PERSON = "human"

CARRIED = (
    "Digits", "RecordingSid", "RecordingUrl", "RecordingDuration", "DialCallStatus", "Handset",
    "silence", "limit", "try", "AnsweredBy",
)  # fmt: skip
"""What is put into the address when a request could not be answered now and is asked for again."""

_NOT_A_KEY = re.compile(r"[^0-9*#A-D]")
_MOST_KEYS = 32
_LIMIT_SLACK_SECONDS = 1.5  # platforms round durations to whole seconds, and cut a little early

Ended = Literal["key", "silence", "limit", "hangup"]


def arrival_of(values: Mapping[str, str], line: str) -> Arrival:
    """Who calls whom. Which handset it is is believed of our own exchange only."""
    told = values.get("Handset", "").lower() if line == EXCHANGE else ""
    handset = told if told in HANDSETS else "phone"
    return Arrival(
        sid=values.get("CallSid", ""),
        line=line,
        caller=values.get("From", ""),
        dialled=values.get("To", ""),
        handset=handset,
        is_practice=handset in PRACTICE_HANDSETS,
        called_at=_moment(values.get("CalledAt", "")) if line == EXCHANGE else None,
    )


def placed_of(placed_id: str, values: Mapping[str, str], line: str) -> PlacedArrival:
    """A call of ours that was answered: which try, in whose name, by whom. Who presses a key is a person."""
    arrival = arrival_of(values, line)
    by = PERSON if values.get("Digits") else values.get("AnsweredBy", "")
    return PlacedArrival(placed_id, try_of(values), arrival, by)


def told_of(values: Mapping[str, str]) -> Told:
    """What a line tells of a call of ours."""
    return Told(values.get("CallSid", ""), values.get("CallStatus", ""), values.get("AnsweredBy", ""))


def try_of(values: Mapping[str, str]) -> int:
    """Which try a request is about; 0 where it does not say."""
    text = values.get("try", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 3 else 0


def reached_of(values: Mapping[str, str]) -> Reached:
    """What answers the turn: a recording, the end of dialling, keys, or nothing at all."""
    if values.get("RecordingUrl"):
        return delivered_of(values)
    if status := values.get("DialCallStatus"):
        return Dialled(is_answered=status in {"completed", "answered"})
    if values.get("silence"):
        return Silence()
    keys = _NOT_A_KEY.sub("", values.get("Digits", ""))[:_MOST_KEYS]
    return Pressed(keys) if keys else Silence()


def delivered_of(values: Mapping[str, str]) -> Delivered:
    """A finished recording. A platform that names no RecordingSid is told apart by the address."""
    url = values["RecordingUrl"]
    seconds = _seconds(values.get("RecordingDuration") or values.get("Duration"))
    sid = values.get("RecordingSid") or urlsplit(url).path.rsplit("/", 1)[-1]
    return Delivered(sid, url, seconds, _ended_by(values, seconds))


def _ended_by(values: Mapping[str, str], seconds: float | None) -> Ended:
    keys = values.get("Digits", "")
    if keys == "hangup":
        return "hangup"
    if keys:
        return "key"
    limit = _seconds(values.get("limit"))
    is_full = limit is not None and seconds is not None and seconds >= limit - _LIMIT_SLACK_SECONDS
    return "limit" if is_full else "silence"


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if 0 <= seconds < 86_400 else None
