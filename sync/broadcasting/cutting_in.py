"""Played at once: a programme by hand, an emergency before all else; and the key that makes silence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError, NotThere
from sync.broadcasting.approving import may_be_loud
from sync.broadcasting.programmes import programme_of
from sync.broadcasting.schedules import check_areas
from sync.community_settings import audit
from sync.records.tables import Airing, Programme, record_id
from sync.upsert import insert_or_ignore
from sync.voiding import cut

AT_ONCE = timedelta(minutes=5)  # what is asked for by hand begins by then, or not at all


def play_now(
    session: Session,
    actor: Actor,
    programme_id: str,
    request_id: str,
    now: datetime,
    areas: Sequence[str] = (),
    repeats: int = 1,
    volume: int | None = None,
) -> str:
    """Play an approved programme now, unless it is quiet time; the airing's id.

    `request_id` is the form's own: sent twice, it is one airing. Raises DeskError, NotThere.
    """
    return _begin(session, actor, programme_id, request_id, now, areas, repeats, volume)


def cut_in(
    session: Session,
    actor: Actor,
    programme_id: str,
    request_id: str,
    now: datetime,
    areas: Sequence[str] = (),
    repeats: int = 2,
    volume: int | None = None,
) -> str:
    """Let an emergency that two have approved (or one with the PIN) cut in now, at any hour; the airing's id.

    What the same loudspeakers play is cut; where it may still begin afterwards, it is played again.
    """
    if programme_of(session, actor, programme_id).priority != "emergency":
        raise DeskError("only an emergency cuts in", "not_an_emergency")
    return _begin(session, actor, programme_id, request_id, now, areas, repeats, volume)


def stop_airing(session: Session, actor: Actor, airing_id: str, now: datetime) -> None:
    """Silence: what plays of this airing ends, what is planned of it does not begin."""
    airing = session.get(Airing, airing_id, with_for_update=True)
    if airing is None or airing.community_id != actor.community_id:
        raise NotThere("there is no such airing", "not_there")
    cut(session, Airing.id == airing.id, now, "stopped")
    audit(session, actor.community_id, actor.id, "airing.stopped", airing.id)


def _begin(
    session: Session,
    actor: Actor,
    programme_id: str,
    request_id: str,
    now: datetime,
    areas: Sequence[str],
    repeats: int,
    volume: int | None,
) -> str:
    programme = programme_of(session, actor, programme_id)
    _need_loud(programme)
    check_areas(session, actor.community_id, areas)
    if not 1 <= repeats <= 5 or not (volume is None or 0 <= volume <= 100):
        raise DeskError("this can't be scheduled", "schedule_out_of_range")
    key = f"now/{actor.community_id}/{request_id}"
    airing_id = record_id("air", key)
    is_ours = insert_or_ignore(
        session,
        Airing,
        ("natural_key",),
        id=airing_id,
        natural_key=key,
        community_id=actor.community_id,
        programme_id=programme.id,
        is_emergency=programme.priority == "emergency",
        state="planned",
        repeats=repeats,
        areas=list(areas),
        volume=volume,
        due_at=now,
        expires_at=now + AT_ONCE,
        made_by=actor.id,
    )
    if is_ours:
        act = "airing.cut_in" if programme.priority == "emergency" else "airing.asked"
        audit(session, actor.community_id, actor.id, act, airing_id, programme=programme.id)
    elif session.scalar(select(Airing.programme_id).where(Airing.id == airing_id)) != programme.id:
        raise DeskError("this was asked for another programme already", "asked_already")
    return airing_id


def _need_loud(programme: Programme) -> None:
    if programme.state == "withdrawn":
        raise DeskError("it was withdrawn", "programme_withdrawn")
    if not may_be_loud(programme):
        code = "second_person_needed" if programme.state == "approved" else "not_approved"
        raise DeskError("first those have to approve it who must", code)
