"""What may be written into a topic, whoever writes it: a platform over the API, staff at the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sync.errors import RecordsError
from sync.records.tables import Topic

OVER = frozenset({"closed", "decided"})
_PLAIN = ("title", "text", "decision")
_SPOKEN = ("spoken_title", "spoken_background")


class TopicRefused(RecordsError):
    """What was given contradicts itself; `code` names the contradiction."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


def write(topic: Topic, given: Mapping[str, Any], now: datetime) -> None:
    """Write what `given` names: words, `options` as [choice, label] pairs, `rules`, window, `state`.

    Moments are datetimes or None; of `rules` None takes one away (RFC 7396). Raises TopicRefused, after which
    the topic must not be kept. Whoever calls this recounts where the rules became others.
    """
    for name in _PLAIN:
        if name in given:
            setattr(topic, name, given[name])
    for name in _SPOKEN:
        if name in given:
            setattr(topic, name, one_line(given[name]))
    if "options" in given:
        topic.options = _options(given["options"])
    if "rules" in given:
        topic.rules = _merged(topic.rules or {}, given["rules"])
    _write_window(topic, given, now)
    if topic.state == "decided" and not topic.decision:
        raise TopicRefused("decision: a topic that is decided says what was decided", "decision_missing")
    if topic.state != "decided" and "decision" in given:
        raise TopicRefused("decision: only with the state decided", "decision_too_early")


def one_line(text: str) -> str:
    """Words that are spoken: without line breaks or spaces that nobody hears."""
    return " ".join(text.split())


def _write_window(topic: Topic, given: Mapping[str, Any], now: datetime) -> None:
    """State and window agree: what is open can still be voted on, what is over ends now at the latest."""
    for name in ("opens_at", "closes_at"):
        if name in given:
            setattr(topic, name, given[name])
    if topic.opens_at and topic.closes_at and topic.closes_at <= topic.opens_at:
        raise TopicRefused("closes_at: not after opens_at", "window_backwards")
    state = given.get("state", topic.state)
    if state in OVER and topic.state not in OVER:
        topic.closes_at = min(topic.closes_at or now, now)
    if state not in OVER and topic.state in OVER and topic.closes_at and topic.closes_at <= now:
        raise TopicRefused(
            "closes_at: a topic that is opened again closes later, or never (null)", "window_over"
        )
    topic.state = state


def _options(given: Sequence[Sequence[str]]) -> list[list[str]]:
    options = [[one_line(word) for word in option] for option in given]
    if len({choice for choice, _ in options}) < len(options):
        raise TopicRefused("options: each choice has a name of its own", "options_alike")
    return options


def _merged(rules: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**rules, **given}.items() if value is not None}
