"""Which loudspeakers an airing takes, what sounds on them already, and what gives way to an emergency."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.plays import OPEN
from sync.records.tables import Airing, Loudspeaker, Play, record_id
from sync.upsert import insert_new, insert_or_ignore
from sync.voiding import cut

SETTLING = timedelta(seconds=5)  # between two programmes on the same loudspeakers
RESUMES_WITHIN = timedelta(minutes=20)


def speakers_of(session: Session, airing: Airing) -> Sequence[Loudspeaker]:
    """The active loudspeakers it is for; one that resumes is for those that were cut."""
    query = select(Loudspeaker).where(
        Loudspeaker.community_id == airing.community_id, Loudspeaker.state == "active"
    )
    if airing.resumes_id is not None:
        were_cut = select(Play.loudspeaker_id).where(Play.airing_id == airing.resumes_id, Play.state == "cut")
        query = query.where(Loudspeaker.id.in_(were_cut))
    rows = session.scalars(query.order_by(Loudspeaker.id)).all()
    wanted = set(airing.areas)
    return [row for row in rows if not wanted or wanted & {row.area, *row.groups}]


def others_on(session: Session, airing: Airing, speakers: set[str], now: datetime) -> Sequence[Airing]:
    """What else sounds on these loudspeakers at this moment."""
    rows = session.scalars(
        select(Airing)
        .where(Airing.community_id == airing.community_id, Airing.state == "airing", Airing.id != airing.id)
        .order_by(Airing.id)
        .with_for_update()
    ).all()
    sounding = [row for row in rows if now < _silent_at(row)]
    taken = select(Play.airing_id, Play.loudspeaker_id).where(
        Play.airing_id.in_([row.id for row in sounding]), Play.state.in_(OPEN)
    )
    busy = {airing_id for airing_id, speaker_id in session.execute(taken) if speaker_id in speakers}
    return [row for row in sounding if row.id in busy]


def _silent_at(airing: Airing) -> datetime:
    return (airing.began_at or airing.due_at) + timedelta(seconds=airing.seconds or 0.0) + SETTLING


def give_way(session: Session, other: Airing, emergency: Airing, now: datetime, seconds: float) -> None:
    """What an emergency cuts is played again after it, on those loudspeakers that had not finished."""
    cut(session, Airing.id == other.id, now, "emergency")
    key, after = f"again/{other.id}/{emergency.id}", now + timedelta(seconds=seconds) + SETTLING
    insert_or_ignore(
        session,
        Airing,
        ("natural_key",),
        id=record_id("air", key),
        natural_key=key,
        community_id=other.community_id,
        programme_id=other.programme_id,
        schedule_id=other.schedule_id,
        is_emergency=False,
        state="planned",
        repeats=other.repeats,
        areas=list(other.areas),
        volume=other.volume,
        resumes_id=other.id,
        due_at=after,
        expires_at=after + RESUMES_WITHIN,
        made_by="announcer",
    )


def write_plays(session: Session, airing: Airing, speakers: Sequence[Loudspeaker]) -> None:
    rows = [
        {
            "id": record_id("pl", airing.id, speaker.id),
            "airing_id": airing.id,
            "loudspeaker_id": speaker.id,
            "community_id": airing.community_id,
            "state": "waiting",
            "volume": speaker.volume if airing.volume is None else airing.volume,
            "due_at": airing.due_at,
        }
        for speaker in speakers
    ]
    insert_new(session, Play, ("airing_id", "loudspeaker_id"), rows)
