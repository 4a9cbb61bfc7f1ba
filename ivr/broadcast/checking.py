"""Looking again at programmes before they are due: what has changed since is a draft again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ivr.broadcast.airing import is_as_approved
from ivr.broadcast.reading import Unsayable, script_of
from ivr.broadcast.store import SoundStore
from sync.archive import Archive
from sync.records.tables import Airing, Programme, Schedule

LOOKED_AT = timedelta(days=30)  # a programme that nobody has touched or scheduled for so long rests


def check_programmes(archive: Archive, sounds: SoundStore, now: datetime) -> None:
    """Each programme that may still be played: its words, its approval, its sound."""
    with archive.database.read() as session:
        ids = _living(session, now)
        stale = [one for one in ids if _is_stale(session, sounds, session.get_one(Programme, one))]
    for programme_id in stale:
        with archive.database.begin() as session:
            programme = session.get_one(Programme, programme_id, with_for_update=True, populate_existing=True)
            _freshen(session, sounds, programme, now)


def silence_taken_back(archive: Archive, now: datetime) -> None:
    """What plays now and may not be said any more is cut, however that came about."""
    with archive.database.read() as session:
        playing = session.scalars(
            select(Programme)
            .join(Airing, Airing.programme_id == Programme.id)
            .where(Airing.state == "airing", Programme.state == "approved")
            .distinct()
        ).all()
        taken_back = [one.id for one in playing if not _may_go_on(session, one)]
    for programme_id in taken_back:
        with archive.database.begin() as session:
            programme = session.get_one(Programme, programme_id, with_for_update=True, populate_existing=True)
            if programme.state == "approved":
                is_as_approved(session, programme, now)


def forget_sounds(archive: Archive, sounds: SoundStore) -> int:
    """Delete the sounds that no programme stands by any more; how many."""
    present = sounds.digests()  # read before the records: one that is finished meanwhile is left alone
    standing = select(Programme.sound_digest).where(
        Programme.sound_digest.is_not(None), Programme.state != "withdrawn"
    )
    with archive.database.read() as session:
        unwanted = present - set(session.scalars(standing))
    for digest in unwanted:
        sounds.delete(digest)
    return len(unwanted)


def _living(session: Session, now: datetime) -> Sequence[str]:
    scheduled = select(Schedule.programme_id).where(
        Schedule.state != "ended", Schedule.programme_id.is_not(None)
    )
    return session.scalars(
        select(Programme.id)
        .where(
            Programme.state != "withdrawn",
            Programme.sound_state.in_(("ready", "failed")),
            or_(Programme.changed_at > now - LOOKED_AT, Programme.id.in_(scheduled)),
        )
        .order_by(Programme.id)
    ).all()


def _is_stale(session: Session, sounds: SoundStore, programme: Programme) -> bool:
    try:
        digest = script_of(session, programme).digest
    except Unsayable as gone:
        return programme.sound_state != "failed" or programme.problem != str(gone)
    return programme.sound_digest != digest or not sounds.has(digest)


def _may_go_on(session: Session, programme: Programme) -> bool:
    """Only words taken back end what plays; other changes count from the next airing on."""
    try:
        script_of(session, programme)
    except Unsayable:
        return False
    return True


def _freshen(session: Session, sounds: SoundStore, programme: Programme, now: datetime) -> None:
    """Void what was approved and is another now; ask for the sound that is missing."""
    if programme.state == "withdrawn" or programme.sound_state == "wanted":
        return
    if programme.state == "approved" and not is_as_approved(session, programme, now):
        return
    try:
        digest = script_of(session, programme).digest
    except Unsayable as gone:
        programme.sound_state, programme.problem = "failed", str(gone)
        programme.sound_digest = None
        return
    if programme.sound_digest != digest or not sounds.has(digest):
        programme.sound_state, programme.tries, programme.next_try_at = "wanted", 0, None
