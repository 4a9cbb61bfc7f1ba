"""Moments in bodies: as our clock sees them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sync.api.asked import Asked
from sync.api.problems import Problem
from sync.merge import is_ahead


def moment(given: Mapping[str, Any], name: str) -> datetime | None:
    """A moment of a body in UTC, None where it isn't given; its schema has left only those there are."""
    said = given.get(name)
    return None if said is None else datetime.fromisoformat(said).astimezone(UTC)


def past_moment(asked: Asked, given: Mapping[str, Any], name: str, place: str = "") -> datetime:
    """When something was said or cast; now, where that isn't given.

    Problem 409 where it lies more than two minutes ahead of our clock: nothing of the call is kept then.
    """
    found = moment(given, name) or asked.now
    if is_ahead(found, asked.now):
        raise Problem(409, f"{place}{name}: more than two minutes ahead of our clock")
    return found
