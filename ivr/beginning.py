"""The first moment of a call: which community was dialled, who calls, and what they will hear."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, UnknownNumber
from ivr.dialogue.plain import view_to_plain
from ivr.keeping import Speaker
from ivr.prompts.voice import voice_of
from ivr.view import community_view
from sync.archive import Archive
from sync.people import evidence_of, find_or_create_number, normalise_number, person_at
from sync.records.tables import Call, Community, new_id


def new_call(session: Session, archive: Archive, arrival: Arrival, now: datetime) -> Call:
    """The row of a call that has just come in, not yet added: its place is still to be found.

    A withheld number makes a person for this call alone. Raises UnknownNumber.
    """
    community = _dialled(session, arrival.dialled)
    e164 = normalise_number(arrival.caller)
    number = find_or_create_number(session, archive, community.id, e164) if e164 else None
    view = community_view(session, community, number, now)
    if number is not None:
        number.last_called_at = now
    return Call(
        id=new_id("cl"),
        sid=arrival.sid,
        community_id=community.id,
        number_id=number.id if number is not None else None,
        person_id=person_at(session, archive, community.id, number).id,
        line=arrival.line,
        handset=arrival.handset,
        is_practice=arrival.is_practice,
        evidence=evidence_of(session, number),
        language=community.language,
        voice=voice_of(session, community.id),
        view=view_to_plain(view),
        turn=0,
        began_at=now,
        turned_at=now,
    )


def speaker_of(call: Call) -> Speaker:
    """Who speaks when a call begins: the first seat of its number."""
    return Speaker(
        sid=call.sid,
        line=call.line,
        community_id=call.community_id,
        number_id=call.number_id,
        person_id=call.person_id,
        evidence=call.evidence,
        is_practice=call.is_practice,
    )


def _dialled(session: Session, raw: str) -> Community:
    numbers = {raw, normalise_number(raw) or raw}
    community = session.scalar(select(Community).where(Community.dialled_number.in_(numbers)))
    if community is None:
        raise UnknownNumber("no community has this number")
    return community
