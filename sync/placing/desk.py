"""What the desk shows and does of the calls we place: a page of them, one called off, hurried, its number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError, NotThere
from sync.archive import Archive
from sync.community_settings import audit
from sync.errors import KeyDestroyed
from sync.people import readable_number
from sync.placing.acts import OPEN, call_off, try_soon
from sync.records.placed import OPEN as IS_OPEN
from sync.records.tables import Number, PlacedCall, PlacedTry
from sync.upsert import is_among

_LONGEST_REASON = 200


@dataclass(frozen=True)
class Shown:
    """One call with its tries, the first one first. It holds ids, never a number."""

    call: PlacedCall
    tries: Sequence[PlacedTry] = field(default=())

    @property
    def is_open(self) -> bool:
        """Whether it is still to be placed, or being placed."""
        return self.call.state in OPEN


def of_community(community_id: str, is_open: bool) -> Select[PlacedCall]:
    """The calls of a community that are to be placed, or all of them; the caller adds order and limit."""
    query = select(PlacedCall).where(PlacedCall.community_id == community_id)
    return query.where(IS_OPEN) if is_open else query


def with_tries(session: Session, calls: Sequence[PlacedCall]) -> list[Shown]:
    """These calls with their tries: one question, however many."""
    tries: dict[str, list[PlacedTry]] = {one.id: [] for one in calls}
    if calls:
        rows = select(PlacedTry).where(is_among(session, PlacedTry.placed_id, list(tries)))
        for tried in session.scalars(rows.order_by(PlacedTry.n)):
            tries[tried.placed_id].append(tried)
    return [Shown(one, tries[one.id]) for one in calls]


def withdraw(session: Session, actor: Actor, placed_id: str, now: datetime) -> None:
    """Nobody is called for this any more. Raises NotThere, DeskError where it is over already."""
    _open(session, actor, placed_id)
    call_off(session, placed_id, actor.id, now)


def hurry(session: Session, actor: Actor, placed_id: str, now: datetime) -> None:
    """Tried as soon as it may be: quiet hours and every cap hold. Raises NotThere, DeskError."""
    if _open(session, actor, placed_id).state == "calling":
        raise DeskError("it is being called just now", "placed_calling")
    try_soon(session, placed_id, actor.id, now)


def number_for(session: Session, archive: Archive, actor: Actor, placed_id: str, reason: str) -> str:
    """The number in the clear, E.164; who saw it, and why, is written down. Raises NotThere, DeskError."""
    if not reason.strip():
        raise DeskError("seeing a number needs a reason", "number_reason_needed")
    placed = _of(session, actor, placed_id)
    number = session.get(Number, placed.number_id) if placed.number_id else None
    try:
        shown = readable_number(session, archive, number) if number else ""
    except KeyDestroyed:
        shown = ""
    if not shown:
        raise DeskError("this number has been erased", "number_gone")
    audit(session, actor.community_id, actor.id, "number_seen", placed.id, reason.strip()[:_LONGEST_REASON])
    return shown


def _of(session: Session, actor: Actor, placed_id: str) -> PlacedCall:
    placed = session.get(PlacedCall, placed_id)
    if placed is None or placed.community_id != actor.community_id:
        raise NotThere("there is no such call", "not_there")
    return placed


def _open(session: Session, actor: Actor, placed_id: str) -> PlacedCall:
    placed = _of(session, actor, placed_id)
    session.refresh(placed, with_for_update=True)
    if placed.state not in OPEN:
        raise DeskError(f"it is over already: {placed.state}", "placed_over")
    return placed
