"""What staff may do with the calls we place: see them, call one off, end the pause before the next try."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.errors import RecordsError
from sync.placing.claiming import give_up
from sync.records.tables import PlacedCall

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


def _open(session: Session, placed_id: str) -> PlacedCall:
    placed = session.get(PlacedCall, placed_id, with_for_update=True)
    if placed is None:
        raise RecordsError("there is no such call")
    if placed.state not in OPEN:
        raise RecordsError(f"it is over already: {placed.state}")
    return placed
