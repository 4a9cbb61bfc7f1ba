"""What platforms bring into the inbox: under their own ids, once, whatever is sent again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.accounts import Voice
from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.inbox import Given, keep_all
from sync.records.tables import Capture

CHANNEL = "web"
_OWN = frozenset({"receipt", "sealed_text", "version"})  # of a payload: made by us, other each time


def capture(
    asked: Asked,
    kind: str,
    source_id: str,
    voice: Voice,
    payload: Mapping[str, Any],
    cast_at: datetime,
    topic_id: str | None = None,
) -> Given:
    """One thing a platform brings; `source_id` is its own id after the kind: `ballot:17`."""
    return Given(
        source=asked.caller.id,
        source_id=source_id,
        community_id=asked.caller.community_id,
        person_id=voice.person_id,
        kind=kind,
        topic_id=topic_id,
        payload=payload,
        channel=CHANNEL,
        evidence=voice.evidence,
        is_practice=False,
        cast_at=cast_at,
    )


def keep_captures(session: Session, asked: Asked, given: Sequence[Given]) -> Json:
    """Put them in the inbox; how many are new, how many were known. Problem 409 for an id used otherwise."""
    in_order = sorted(given, key=lambda one: one.source_id)  # two calls never wait for each other
    fresh = keep_all(session, in_order, asked.now)
    if fresh < len(given):
        _compare(session, given)
    return {"kept": fresh, "known": len(given) - fresh}


def kept_before(session: Session, source: str, source_id: str) -> Capture | None:
    """The capture a platform brought under this id before."""
    return session.scalar(select(Capture).where(Capture.source == source, Capture.source_id == source_id))


def is_same(given: Given, before: Capture) -> bool:
    """Whether two captures say the same; which words, is not looked at."""
    return (given.kind, given.topic_id, _said(given.payload)) == (
        before.kind,
        before.topic_id,
        _said(before.payload),
    )


def used_otherwise(source_id: str) -> Problem:
    """The refusal of an id under which something else was kept."""
    return Problem(409, f"the id {source_id.partition(':')[2]} was used for something else")


def _compare(session: Session, given: Sequence[Given]) -> None:
    ids = [one.source_id for one in given]
    rows = session.scalars(
        select(Capture).where(Capture.source == given[0].source, Capture.source_id.in_(ids))
    )
    before = {row.source_id: row for row in rows}
    for one in given:
        if not is_same(one, before[one.source_id]):
            raise used_otherwise(one.source_id)


def _said(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in _OWN}
