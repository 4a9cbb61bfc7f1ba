"""An airing begins, is cut, ends: each in one transaction that looks at everything again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.broadcast.clock import Trust
from ivr.broadcast.plays import OPEN, move
from ivr.broadcast.reading import Unsayable, script_of
from ivr.broadcast.store import SoundStore
from ivr.broadcast.taking_turns import give_way, others_on, speakers_of, write_plays
from ivr.broadcast.timetable import Hours, latest_begin, silent_because
from sync.broadcasting.approving import may_be_loud
from sync.records.tables import Airing, Loudspeaker, Play, Programme
from sync.voiding import CHANGED, TAKEN_BACK, unapprove

BETWEEN_REPEATS_SECONDS = 1.0
GRACE = timedelta(seconds=90)  # for the last report, after which nobody waits any more

_SILENT = {"sent": "no_answer", "received": "never_began", "started": "no_end_told"}


@dataclass(frozen=True)
class Refused:
    """Why an airing doesn't begin: for good, or for now, if that may change before it expires (`waits`)."""

    reason: str
    waits: bool = False


def begin(
    session: Session, sounds: SoundStore, airing_id: str, hours: Hours | None, now: datetime, trust: Trust
) -> None:
    """Let a planned airing begin, wait or be missed. What stands in its way is its `reason`."""
    about = session.get_one(Airing, airing_id).programme_id  # held in the order in which staff hold them
    programme = session.get(Programme, about or "", with_for_update=True, populate_existing=True)
    airing = session.get_one(Airing, airing_id, with_for_update=True, populate_existing=True)
    if airing.state != "planned" or airing.due_at > now:
        return
    refused = _refusal(session, sounds, airing, programme, hours, now, trust)
    if refused is None:
        assert programme is not None
        assert hours is not None
        refused = _loud(session, sounds, airing, programme, hours, now, trust)
    if refused is None:
        return
    airing.reason = refused.reason
    if now >= airing.expires_at or not refused.waits:
        airing.state, airing.ended_at = "missed", now


def end(session: Session, airing_id: str, now: datetime) -> None:
    """Close an airing that is over: every play of it has a state that says what is known."""
    airing = session.get_one(Airing, airing_id, with_for_update=True, populate_existing=True)
    if airing.state != "airing":
        return
    plays = open_plays(session, airing_id)
    if plays and (airing.over_at is None or now < airing.over_at):
        return
    for play in plays:
        state, why = (
            ("expired", "never_sent") if play.state == "waiting" else ("unknown", _SILENT[play.state])
        )
        move(play, state, now, why)
        speaker = session.get_one(Loudspeaker, play.loudspeaker_id)
        speaker.problem = why
    airing.state, airing.ended_at = "done", now


def open_plays(session: Session, airing_id: str) -> Sequence[Play]:
    """The plays of an airing whose end is not known."""
    return session.scalars(
        select(Play)
        .where(Play.airing_id == airing_id, Play.state.in_(OPEN))
        .order_by(Play.id)
        .with_for_update()
    ).all()


def total_seconds(seconds: float, repeats: int) -> float:
    """How long a sound takes so many times in a row."""
    return seconds * repeats + BETWEEN_REPEATS_SECONDS * (repeats - 1)


def _refusal(
    session: Session,
    sounds: SoundStore,
    airing: Airing,
    programme: Programme | None,
    hours: Hours | None,
    now: datetime,
    trust: Trust,
) -> Refused | None:
    if now >= airing.expires_at:
        return Refused(airing.reason or "too_late")
    if hours is None:
        return Refused("unknown_zone")
    if airing.schedule_id is not None and not trust.is_settled:
        return Refused("clock_jumped", waits=True)
    if programme is None:
        return Refused("nothing_drafted")
    if programme.state == "withdrawn":
        return Refused("withdrawn")
    if programme.last_day and now.astimezone(hours.zone).date().isoformat() > programme.last_day:
        return Refused("past_last_day")
    if not may_be_loud(programme) or not is_as_approved(session, programme, now):
        return Refused(_unapproved(programme), waits=True)
    if not sounds.has(programme.approved_digest):
        programme.sound_state = "wanted"
        return Refused("no_sound", waits=True)
    return None


def _unapproved(programme: Programme) -> str:
    return programme.problem if programme.problem in {CHANGED, TAKEN_BACK} else "not_approved"


def is_as_approved(session: Session, programme: Programme, now: datetime) -> bool:
    """Whether an approved programme still says what was approved; one that doesn't is a draft again."""
    try:
        problem = CHANGED if script_of(session, programme).digest != programme.approved_digest else None
    except Unsayable as gone:
        problem = str(gone)
        programme.sound_digest = programme.sound_seconds = None  # its files say what may not be said
    if problem is not None:
        unapprove(session, programme, now, "announcer", problem)
    return problem is None


def _loud(
    session: Session,
    sounds: SoundStore,
    airing: Airing,
    programme: Programme,
    hours: Hours,
    now: datetime,
    trust: Trust,
) -> Refused | None:
    """Make the plays of an airing that may begin, if its loudspeakers are free or it cuts in."""
    digest = programme.approved_digest or ""
    seconds = total_seconds(sounds.file(digest, "mp3").seconds, airing.repeats)
    if not airing.is_emergency:
        latest = latest_begin(hours, now, seconds)
        if latest is None:
            return Refused(silent_because(hours, now, seconds) or "quiet_hours")
        is_by_clock = airing.schedule_id is not None and trust.other_at is not None
        if is_by_clock and silent_because(hours, trust.other_at or now, seconds):
            return Refused("clock_jumped", waits=True)
        airing.expires_at = min(airing.expires_at, latest + timedelta(milliseconds=1))
    speakers = speakers_of(session, airing)
    if not speakers:
        return Refused("no_loudspeakers")
    others = others_on(session, airing, {speaker.id for speaker in speakers}, now)
    if any(other.is_emergency or not airing.is_emergency for other in others):
        return Refused("busy", waits=True)
    for other in others:
        give_way(session, other, airing, now, seconds)
    write_plays(session, airing, speakers)
    airing.state, airing.began_at, airing.reason = "airing", now, None
    airing.digest, airing.seconds = digest, seconds
    airing.over_at = airing.expires_at + timedelta(seconds=seconds) + GRACE
    return None
