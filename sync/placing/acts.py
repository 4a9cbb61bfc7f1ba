"""What staff may do with the calls we place: see them, call one off, end the pause before the next try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.errors import RecordsError
from sync.placing.claiming import give_up
from sync.placing.wishes import gather
from sync.records.tables import PlacedCall, PlacedTry

MOST_SHOWN = 200
OPEN = ("waiting", "calling")


def placed_calls(session: Session, community_id: str, also_over: bool = False) -> Sequence[PlacedCall]:
    """The calls of a community, the newest first, MOST_SHOWN at most. They hold ids, never a number."""
    query = select(PlacedCall).where(PlacedCall.community_id == community_id)
    if not also_over:
        query = query.where(PlacedCall.state.in_(OPEN))
    return session.scalars(query.order_by(PlacedCall.made_at.desc(), PlacedCall.id).limit(MOST_SHOWN)).all()


def call_off(session: Session, placed_id: str, actor: str, now: datetime) -> None:
    """Nobody is called for this wish any more; a call that goes on just now is not cut. Audited."""
    placed = _open(session, placed_id)
    give_up(placed, "canceled", "called_off", now)
    audit(session, placed.community_id, actor, "placed_call_canceled", placed.id)


def try_soon(session: Session, placed_id: str, actor: str, now: datetime) -> None:
    """The pause until its next try ends now. Quiet hours and every cap hold as always. Audited."""
    placed = _open(session, placed_id)
    if placed.state != "waiting":
        raise RecordsError("it is being called just now")
    placed.next_try_at = now
    audit(session, placed.community_id, actor, "placed_call_hurried", placed.id)


def call_all_off(session: Session, now: datetime) -> None:
    """Nobody is called for what was wished until now: after a restore, who was called since is not known.

    Replies are announced when their askers call, and who found all lines busy stays on the desk's list.
    """
    while gather(session, now):
        pass
    off = update(PlacedCall).where(PlacedCall.state.in_(OPEN))
    session.execute(off.values(state="canceled", settled_at=now, problem="restored"))


def erase_placed(session: Session, person_id: str, now: datetime) -> None:
    """An erased person is not called any more, and their calls lead to no number."""
    theirs = update(PlacedCall).where(PlacedCall.person_id == person_id)
    off = theirs.where(PlacedCall.state.in_(OPEN))
    session.execute(off.values(state="canceled", settled_at=now, problem="erased"))
    session.execute(theirs.values(number_id=None))


def forget_placed(session: Session, ids: Sequence[str]) -> int:
    """Delete these wishes and their tries; how many."""
    session.execute(delete(PlacedTry).where(PlacedTry.placed_id.in_(ids)))
    session.execute(delete(PlacedCall).where(PlacedCall.id.in_(ids)))
    return len(ids)


def _open(session: Session, placed_id: str) -> PlacedCall:
    placed = session.get(PlacedCall, placed_id, with_for_update=True)
    if placed is None:
        raise RecordsError("there is no such call")
    if placed.state not in OPEN:
        raise RecordsError(f"it is over already: {placed.state}")
    return placed
