"""Fields of bodies that a schema alone cannot judge: moments, and whose voice is meant."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from sync.accounts import Voice, voice_of
from sync.api.asked import Asked
from sync.api.problems import Problem
from sync.merge import is_ahead
from sync.people import normalise_number

ATTEST = "numbers:attest"
_VOUCHED = ("number", "household")  # told by a platform that has checked them


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


def voice_in(session: Session, asked: Asked, voice: Mapping[str, Any], place: str = "") -> Voice:
    """The person whose voice a platform brings. Problem 403 without the scope, 409 for no possible number."""
    for name in _VOUCHED:
        if name in voice and not asked.caller.may(ATTEST):
            raise Problem(403, f"{place}voice.{name}: this key lacks the scope {ATTEST}")
    if "number" in voice and normalise_number(voice["number"]) is None:
        raise Problem(409, f"{place}voice.number: that is no telephone number")
    return voice_of(
        session,
        asked.archive,
        asked.caller.id,
        asked.caller.community_id,
        voice["account"],
        voice.get("number"),
        voice.get("seat", 1),
        voice.get("household"),
    )
