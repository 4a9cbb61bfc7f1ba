"""What was broadcast is kept as long as what was said: then airings, plays and old programmes go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from sync.records.tables import Airing, Play, Programme, ProgrammeItem, Schedule

_CLOSED = ("done", "missed", "cut")


def forget_broadcasts(session: Session, community_id: str, before: datetime, limit: int = 500) -> int:
    """Delete closed airings due before then with their plays, and programmes nobody uses since; how many."""
    airings = session.scalars(
        select(Airing.id)
        .where(Airing.community_id == community_id, Airing.due_at < before, Airing.state.in_(_CLOSED))
        .limit(limit)
    ).all()
    session.execute(delete(Play).where(Play.airing_id.in_(airings)))
    session.execute(delete(Airing).where(Airing.id.in_(airings)))
    return len(airings) + _forget_programmes(session, _unused(session, community_id, before, limit))


def _unused(session: Session, community_id: str, before: datetime, limit: int) -> Sequence[str]:
    """Programmes last changed before then, without an airing that is kept or a schedule that goes on."""
    is_aired = exists().where(Airing.programme_id == Programme.id)
    is_scheduled = exists().where(Schedule.programme_id == Programme.id, Schedule.state != "ended")
    old = select(Programme.id).where(
        Programme.community_id == community_id, Programme.changed_at < before, ~is_aired, ~is_scheduled
    )
    return session.scalars(old.limit(limit)).all()


def _forget_programmes(session: Session, ids: Sequence[str]) -> int:
    """With the schedules of theirs that have ended, as far as no airing names them."""
    schedules = select(Schedule.id).where(
        Schedule.programme_id.in_(ids), ~exists().where(Airing.schedule_id == Schedule.id)
    )
    session.execute(delete(Schedule).where(Schedule.id.in_(schedules)))
    kept = set(session.scalars(select(Schedule.programme_id).where(Schedule.programme_id.in_(ids))))
    gone = [one for one in ids if one not in kept]
    session.execute(delete(ProgrammeItem).where(ProgrammeItem.programme_id.in_(gone)))
    session.execute(delete(Programme).where(Programme.id.in_(gone)))
    return len(gone)
