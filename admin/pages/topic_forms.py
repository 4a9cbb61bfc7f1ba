"""What staff type about a topic, read from its form and put back into it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sync.desk import DeskError
from sync.records.tables import Topic
from sync.topic_desk import MOST_OPTIONS

_MINUTES = "%Y-%m-%dT%H:%M"
RESULTS = ("open", "voted", "closed")


def typed_topic(form: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    """A form as `sync.topics.write` wants it, its times in the community's zone. DeskError `no_such_time`."""
    given: dict[str, Any] = {
        name: form.get(name, "").strip() for name in ("title", "text", "spoken_title", "spoken_background")
    }
    given["opens_at"] = _moment(form.get("opens_at", ""), zone)
    given["closes_at"] = _moment(form.get("closes_at", ""), zone)
    given["options"] = _options(form)
    given["rules"] = {
        "counts": "households" if form.get("counts") == "households" else "persons",
        "electorate": form.get("electorate", "").strip()[:100] or None,
        "electorate_size": _number(form.get("electorate_size", "")),
        "quorum": _number(form.get("quorum", "")),
        "results": form.get("results") if form.get("results") in RESULTS else None,
        "paper_outranks": form.get("paper_outranks") == "yes" or None,
        "named": form.get("named") == "yes" or None,
    }
    return given


def form_of(topic: Topic, zone: ZoneInfo) -> dict[str, str]:
    """What stands in the form of a topic."""
    rules = topic.rules or {}
    typed = {
        "title": topic.title,
        "text": topic.text,
        "spoken_title": topic.spoken_title or "",
        "spoken_background": topic.spoken_background or "",
        "opens_at": _local(topic.opens_at, zone),
        "closes_at": _local(topic.closes_at, zone),
        "counts": str(rules.get("counts", "persons")),
        "results": str(rules.get("results", "open")),
        "paper_outranks": "yes" if rules.get("paper_outranks") else "",
        "named": "yes" if rules.get("named") else "",
    }
    typed |= {name: str(rules.get(name) or "") for name in ("electorate", "electorate_size", "quorum")}
    for place, (choice, label) in enumerate(topic.options, start=1):
        typed |= {f"choice_{place}": str(choice), f"label_{place}": str(label)}
    return typed


def _options(form: Mapping[str, str]) -> list[list[str]]:
    """Labels that were typed, each with the name its ballots go by: the one it had, or one that is free."""
    labels = [
        (form.get(f"choice_{n}", "").strip()[:40], form.get(f"label_{n}", "").strip())
        for n in range(1, MOST_OPTIONS + 1)
    ]
    taken = {choice for choice, label in labels if choice and label}
    found = []
    for choice, label in labels:
        if label:
            name = choice or next(f"option_{n}" for n in range(1, 10) if f"option_{n}" not in taken)
            taken.add(name)
            found.append([name, label])
    return found


def _moment(text: str, zone: ZoneInfo) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.strptime(text[:16], _MINUTES).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise DeskError("that is no time", "no_such_time") from error


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).strftime(_MINUTES) if moment else ""


def _number(text: str) -> int | None:
    return int(text) if text.strip().isascii() and text.strip().isdigit() and len(text) < 9 else None
