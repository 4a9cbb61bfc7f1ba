"""Calls that nobody answered, on purpose or not: who rang is called back, where their community wants it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, UnknownNumber
from ivr.beginning import Beginnings
from sync.archive import Archive
from sync.people import normalise_number
from sync.placing.policy import ALWAYS, MISSED_CALLS, OFF
from sync.placing.rules import MISSED
from sync.placing.wishes import wish_missed
from sync.records.tables import Community, PlacedCall, Setting

UNANSWERED = frozenset({"canceled", "no-answer"})
"""How a line says that a call was over before it was answered; Twilio used the first, now the second."""
REFUSED = "busy"
"""How it says that we did not take it."""


def note_missed(
    session: Session, archive: Archive, beginnings: Beginnings, arrival: Arrival, status: str, now: datetime
) -> bool:
    """Whether a call that ended so is one that we call back: that is written down now, once."""
    if status == REFUSED:
        known = exists().where(PlacedCall.reason == MISSED, PlacedCall.about == about_of(arrival))
        return bool(session.scalar(select(known)))
    if status not in UNANSWERED or arrival.is_practice:
        return False
    try:
        community_id, wanted = beginnings.missed_calls(session, arrival.dialled, now)
    except UnknownNumber:
        return False
    return wanted != OFF and wish_missed(
        session, archive, community_id, arrival.caller, about_of(arrival), arrival.rang_at(now)
    )


def unanswered(session: Session) -> list[str]:
    """The numbers of communities that call everybody back, as they may be dialled."""
    rows = session.execute(
        select(Community.dialled_number, Setting.value)
        .join(Setting, Setting.community_id == Community.id)
        .where(Setting.name == MISSED_CALLS)
    )
    dialled = [number for number, value in rows if value == ALWAYS]
    return sorted({*dialled, *(normalise_number(one) or one for one in dialled)})


def about_of(arrival: Arrival) -> str:
    """What a wish to be called back is about."""
    return f"{arrival.line}/{arrival.sid}"
