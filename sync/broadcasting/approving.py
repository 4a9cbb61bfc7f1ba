"""A person lets a programme be loud: approved is the sound they heard, and nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError
from sync.broadcasting.programmes import locked
from sync.community_settings import audit, change_setting, setting
from sync.records.tables import Airing, Audit, Programme, Schedule
from sync.voiding import cut

PIN = "broadcast_pin"
SHORTEST_PIN = 6
WRONG_PINS = 5
WINDOW = timedelta(minutes=15)

_WRONG = "programme.wrong_pin"
_BY_PIN = "pin"
_HASHER = PasswordHasher()


def submit(session: Session, actor: Actor, programme_id: str, version: int, now: datetime) -> None:
    """Ask for approval: it is as it should be."""
    programme = locked(session, actor, programme_id, version)
    if programme.state == "draft":
        programme.state, programme.changed_by, programme.changed_at = "submitted", actor.id, now
        audit(session, actor.community_id, actor.id, "programme.submitted", programme.id)


def approve(session: Session, actor: Actor, programme_id: str, digest: str, now: datetime) -> None:
    """Let the sound of this digest be loud. An emergency needs two: called again by another person.

    Raises DeskError where its sound is another than the one heard, or is not there.
    """
    programme = _to_be_approved(session, actor, programme_id, digest)
    if programme.state == "approved":
        _second(session, programme, actor, actor.id, now)
        return
    programme.state, programme.approved_digest = "approved", digest
    programme.approved_by, programme.approved_at, programme.problem = actor.id, now, None
    audit(session, actor.community_id, actor.id, "programme.approved", programme.id, digest=digest)


def approve_by_pin(
    session: Session, actor: Actor, programme_id: str, digest: str, pin: str, now: datetime
) -> bool:
    """Approve an emergency with the PIN in place of a second person. False: wrong, and that is written down.

    Commit in either case. Raises DeskError after too many wrong ones, or where no PIN is set.
    """
    programme = _to_be_approved(session, actor, programme_id, digest)
    kept = setting(session, actor.community_id, PIN)
    if not kept:
        raise DeskError("no PIN is set", "no_pin")
    if _wrong_lately(session, actor, now) >= WRONG_PINS:
        raise DeskError("too many wrong PINs: wait a quarter of an hour", "pin_locked")
    try:
        _HASHER.verify(str(kept), pin)
    except (VerificationError, InvalidHashError):
        audit(session, actor.community_id, actor.id, _WRONG, programme.id)
        return False
    if programme.state != "approved":
        approve(session, actor, programme_id, digest, now)
    _second(session, programme, actor, _BY_PIN, now)
    return True


def set_pin(session: Session, actor: Actor, pin: str) -> None:
    """Another PIN for emergencies: digits. Only a hash of it is kept."""
    if not (pin.isascii() and pin.isdigit() and len(pin) >= SHORTEST_PIN):
        raise DeskError(f"at least {SHORTEST_PIN} digits", "pin_too_short", SHORTEST_PIN)
    change_setting(session, actor.community_id, PIN, _HASHER.hash(pin), actor.id)


def withdraw(session: Session, actor: Actor, programme_id: str, reason: str, now: datetime) -> None:
    """Never play it again: what plays of it falls silent, its schedules end."""
    programme = locked(session, actor, programme_id, None)
    if not reason.strip():
        raise DeskError("say why", "broadcast_reason_needed")
    if programme.state == "withdrawn":
        return
    programme.state, programme.changed_by, programme.changed_at = "withdrawn", actor.id, now
    programme.version += 1
    programme.approved_digest = None
    cut(session, Airing.programme_id == programme.id, now, "withdrawn")
    ended = update(Schedule).where(Schedule.programme_id == programme.id, Schedule.state != "ended")
    session.execute(ended.values(state="ended").execution_options(synchronize_session="fetch"))
    audit(session, actor.community_id, actor.id, "programme.withdrawn", programme.id, reason.strip()[:200])


def may_be_loud(programme: Programme) -> bool:
    """Whether all have approved it who must."""
    if programme.state != "approved" or programme.approved_digest is None or programme.approved_by is None:
        return False
    return programme.priority != "emergency" or programme.second_approved_by is not None


def _to_be_approved(session: Session, actor: Actor, programme_id: str, digest: str) -> Programme:
    programme = locked(session, actor, programme_id, None)
    if programme.state == "withdrawn":
        raise DeskError("it was withdrawn", "programme_withdrawn")
    if programme.sound_state != "ready":
        raise DeskError("its sound is still being made", "sound_not_ready")
    if not digest or programme.sound_digest != digest:
        raise DeskError("it is another one than the one you heard: listen again", "not_as_heard")
    return programme


def _second(session: Session, programme: Programme, actor: Actor, by: str, now: datetime) -> None:
    if programme.priority != "emergency" or programme.second_approved_by is not None:
        return
    if by == programme.approved_by:
        raise DeskError("an emergency needs a second person, or the PIN", "second_person_needed")
    programme.second_approved_by, programme.second_approved_at = by, now
    audit(session, actor.community_id, actor.id, "programme.approved_too", programme.id, by=by)


def _wrong_lately(session: Session, actor: Actor, now: datetime) -> int:
    wrong = select(func.count()).where(
        Audit.act == _WRONG, Audit.community_id == actor.community_id, Audit.at > now - WINDOW
    )
    return session.scalar(wrong) or 0
