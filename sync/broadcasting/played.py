"""What was really played: of every airing how many loudspeakers, and which stayed silent."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.records.tables import Airing, Loudspeaker, Play, Programme

OPEN = frozenset({"waiting", "sent", "received", "started"})
PLAYED = "finished"


@dataclass(frozen=True)
class Played:
    """One loudspeaker's part in an airing; `error` is why it did not play to the end."""

    loudspeaker_id: str
    name: str
    place: str
    state: str
    error: str | None
    started_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True)
class Outcome:
    """One airing as staff see it: "played on 17 of 18, silent: 村口2号".

    `silent` names those that did not play it to the end, as far as is known; `waiting` counts those still
    at it. `state`: planned · airing · done · missed · cut, with the `reason` of the last two.
    """

    airing_id: str
    programme_id: str | None
    title: str
    due_at: datetime
    state: str
    reason: str | None
    is_emergency: bool
    loudspeakers: int
    played: int
    waiting: int
    silent: tuple[str, ...]


def outcomes(
    session: Session, community_id: str, most: int = 50, since: datetime | None = None
) -> Sequence[Outcome]:
    """The latest airings, newest first, in two queries however many they are."""
    query = (
        select(Airing, Programme.title)
        .join(Programme, Programme.id == Airing.programme_id, isouter=True)
        .where(Airing.community_id == community_id)
        .order_by(Airing.due_at.desc(), Airing.id)
        .limit(most)
    )
    if since is not None:
        query = query.where(Airing.due_at >= since)
    return _outcomes(session, [(row[0], row[1]) for row in session.execute(query)])


def outcome_of(session: Session, airing_id: str) -> Outcome | None:
    """One airing; None where there is none."""
    query = select(Airing, Programme.title).join(Programme, Programme.id == Airing.programme_id, isouter=True)
    rows = session.execute(query.where(Airing.id == airing_id))
    return next(iter(_outcomes(session, [(row[0], row[1]) for row in rows])), None)


def plays_of(session: Session, airing_id: str) -> Sequence[Played]:
    """What each loudspeaker made of an airing, by its name."""
    rows = session.execute(
        select(Play, Loudspeaker.name, Loudspeaker.place)
        .join(Loudspeaker, Loudspeaker.id == Play.loudspeaker_id)
        .where(Play.airing_id == airing_id)
        .order_by(Loudspeaker.name)
    )
    return [
        Played(play.loudspeaker_id, name, place, play.state, play.error, play.started_at, play.ended_at)
        for play, name, place in rows
    ]


def _outcomes(session: Session, rows: Sequence[tuple[Airing, str | None]]) -> list[Outcome]:
    plays: dict[str, list[tuple[str, str]]] = defaultdict(list)
    found = session.execute(
        select(Play.airing_id, Play.state, Loudspeaker.name)
        .join(Loudspeaker, Loudspeaker.id == Play.loudspeaker_id)
        .where(Play.airing_id.in_([airing.id for airing, _ in rows]))
        .order_by(Loudspeaker.name)
    )
    for airing_id, state, name in found:
        plays[airing_id].append((state, name))
    return [_outcome(airing, title, plays[airing.id]) for airing, title in rows]


def _outcome(airing: Airing, title: str | None, plays: Sequence[tuple[str, str]]) -> Outcome:
    return Outcome(
        airing_id=airing.id,
        programme_id=airing.programme_id,
        title=title or "",
        due_at=airing.due_at,
        state=airing.state,
        reason=airing.reason,
        is_emergency=airing.is_emergency,
        loudspeakers=len(plays),
        played=sum(state == PLAYED for state, _ in plays),
        waiting=sum(state in OPEN for state, _ in plays),
        silent=tuple(name for state, name in plays if state not in OPEN | {PLAYED}),
    )
