"""Loudspeakers that somebody should look at: not seen, not answering, or silent when they should play."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.records.tables import Loudspeaker

SPEAKS_BY_ITSELF = frozenset({"mqtt"})  # of the other kinds nothing is heard between two programmes
UNSEEN_AFTER = timedelta(hours=24)


@dataclass(frozen=True)
class Unwell:
    """One loudspeaker and why: never_seen · gone · unseen, or what went wrong when it was to play last."""

    loudspeaker_id: str
    name: str
    place: str
    kind: str
    why: str
    last_seen_at: datetime | None


def unwell(session: Session, community_id: str, now: datetime) -> Sequence[Unwell]:
    """Active loudspeakers that are not well, by name."""
    rows = session.scalars(
        select(Loudspeaker)
        .where(Loudspeaker.community_id == community_id, Loudspeaker.state == "active")
        .order_by(Loudspeaker.name)
    )
    found = [(row, why_unwell(row, now)) for row in rows]
    return [
        Unwell(row.id, row.name, row.place, row.kind, why, row.last_seen_at)
        for row, why in found
        if why is not None
    ]


def why_unwell(speaker: Loudspeaker, now: datetime) -> str | None:
    """What is wrong with it, as far as is known; None where it is well."""
    if speaker.problem:
        return speaker.problem
    if speaker.kind not in SPEAKS_BY_ITSELF:
        return None
    if speaker.last_seen_at is None:
        return "never_seen"
    if speaker.presence == "gone":
        return "gone"
    return "unseen" if now - speaker.last_seen_at > UNSEEN_AFTER else None
