"""What a community's loudspeakers are to play on the next days, as files for those no network reaches.

Only approved programmes leave, with the sound that was approved, at times that are not quiet. What is carried
away can't be called back: words taken back later stay on the stick until somebody deletes them, as the page
beside them asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from ivr.broadcast.airing import total_seconds
from ivr.broadcast.carrying import Approved, Slot, files, named
from ivr.broadcast.loudspeakers import BroadcastError
from ivr.broadcast.planning import Wanted, all_hours, drafted, moments
from ivr.broadcast.store import SoundStore
from ivr.broadcast.timetable import Hours, silent_because
from sync.broadcasting.approving import may_be_loud
from sync.desk import DeskError, NotThere
from sync.export.zipped import File
from sync.records.tables import Community, Programme

_AN_INSTANT = timedelta(microseconds=1)
MOST_DAYS = 31


def community_files(
    session: Session, sounds: SoundStore, community_id: str, first: date, days: int, now: datetime
) -> Iterator[File]:
    """The timetable of some local days from `first` on, with its sounds, for `zipped` or `write_folder`.

    Raises DeskError for more than a month, NotThere. The session is done with when this returns.
    """
    if not 1 <= days <= MOST_DAYS:
        raise DeskError(f"1 to {MOST_DAYS} days", "schedule_out_of_range")
    community = session.get(Community, community_id)
    if community is None:
        raise NotThere("there is no such community", "not_there")
    slots = slots_of(session, sounds, community, first, days)
    return files(named(slots), community.name, now.astimezone(ZoneInfo(community.time_zone)))


def programme_files(
    session: Session, sounds: SoundStore, community_id: str, programme_id: str, now: datetime
) -> Iterator[File]:
    """One programme, to be played whenever somebody likes. Raises DeskError, NotThere."""
    programme = session.get(Programme, programme_id)
    community = session.get(Community, community_id)
    if programme is None or community is None or programme.community_id != community_id:
        raise NotThere("there is no such programme", "not_there")
    local = now.astimezone(ZoneInfo(community.time_zone))
    if programme.state == "withdrawn" or _is_past(programme, local.date()):
        raise DeskError("it was withdrawn, or its last day is over", "programme_withdrawn")
    if not may_be_loud(programme):
        raise DeskError("first those have to approve it who must", "not_approved")
    approved = approved_of(programme, sounds)
    if approved is None:
        raise DeskError("its sound is still being made", "sound_not_ready")
    return files(named([Slot(approved)]), community.name, local)


def slots_of(
    session: Session, sounds: SoundStore, community: Community, first: date, days: int
) -> list[Slot]:
    """Every moment of these local days at which something approved is to be played."""
    hours = all_hours(session).get(community.id)
    if hours is None:
        return []
    begin, end = (
        datetime.combine(first + timedelta(days=count), time(), hours.zone).astimezone(UTC) - _AN_INSTANT
        for count in (0, days)
    )
    due = moments(session, {community.id: hours}, begin, end)
    found = [_slot(session, sounds, one, hours) for one in due]
    return [slot for slot in found if slot is not None]


def approved_of(programme: Programme, sounds: SoundStore) -> Approved | None:
    """A programme with the sound that was approved; None where nobody has, or the sound is not there."""
    digest, by, at = programme.approved_digest, programme.approved_by, programme.approved_at
    if not may_be_loud(programme) or digest is None or by is None or at is None:
        return None
    if programme.sound_digest != digest or programme.sound_state != "ready":
        return None
    try:
        sound = sounds.file(digest, "mp3")
    except BroadcastError:
        return None
    return Approved(
        programme.id,
        programme.title,
        sound.path,
        sound.sha256,
        sound.seconds,
        digest,
        by,
        at,
        programme.second_approved_by,
        programme.second_approved_at,
    )


def _slot(session: Session, sounds: SoundStore, wanted: Wanted, hours: Hours) -> Slot | None:
    schedule, due = wanted.schedule, wanted.due
    about = schedule.programme_id or drafted(session, schedule.id, due)
    programme = session.get(Programme, about) if about else None
    approved = approved_of(programme, sounds) if programme and not _is_past(programme, due.day) else None
    if approved is None:
        return None
    if silent_because(hours, due.at, total_seconds(approved.seconds, schedule.repeats)):
        return None
    return Slot(approved, due.day, due.time, schedule.repeats, tuple(schedule.areas), schedule.volume)


def _is_past(programme: Programme, day: date) -> bool:
    return programme.last_day is not None and programme.last_day < day.isoformat()
