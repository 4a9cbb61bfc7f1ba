"""Approval taken away: by a change, by words taken back, by what it speaks of having become another."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.records.broadcasts import OPEN_AIRING
from sync.records.tables import Airing, Programme, ProgrammeItem

TAKEN_BACK = "words_taken_back"
CHANGED = "content_changed"
RESTORED = "restored"


def unapprove(session: Session, programme: Programme, now: datetime, actor: str, problem: str | None) -> None:
    """Make it a draft in a new version, whose sound is still to be made; what plays of it falls silent.

    `problem` says why to those who had approved it, None where they changed it themselves.
    """
    was_approved = programme.state == "approved"
    programme.state = "draft"
    programme.version += 1
    programme.approved_digest = programme.approved_by = programme.approved_at = None
    programme.second_approved_by = programme.second_approved_at = None
    programme.sound_state, programme.problem = "wanted", problem
    programme.tries, programme.next_try_at = 0, None
    programme.changed_by, programme.changed_at = actor, now
    playing = and_(Airing.programme_id == programme.id, Airing.state == "airing")
    cut(session, playing, now, problem or "edited")
    if was_approved:
        audit(session, programme.community_id, actor, "programme.unapproved", programme.id, problem)


def void_with(session: Session, opinion_ids: Collection[str], now: datetime) -> None:
    """Words were taken back: programmes lose the items that hold them, and their approval with it.

    Their sound is forgotten in the same breath: nothing says its file may be kept or handed out any more.
    """
    holding = select(ProgrammeItem).where(ProgrammeItem.opinion_id.in_(opinion_ids))
    items = session.scalars(holding.with_for_update()).all()
    for programme_id in sorted({item.programme_id for item in items}):
        programme = session.get_one(Programme, programme_id, with_for_update=True)
        if programme.state != "withdrawn":
            unapprove(session, programme, now, "taken back", TAKEN_BACK)
        else:
            cut(session, Airing.programme_id == programme.id, now, TAKEN_BACK)
        programme.sound_digest = programme.sound_seconds = None
        if programme.state == "withdrawn":
            programme.sound_state = "erased"
    for item in items:
        session.delete(item)
    session.flush()


def void_restored(session: Session, now: datetime) -> None:
    """After a restore nothing is loud until a person says so again.

    What was withdrawn, taken back or played since the backup was made is not known any more.
    """
    cut(session, Airing.id.is_not(None), now, RESTORED)
    approved = update(Programme).where(Programme.state == "approved")
    unsaid = dict.fromkeys(("approved_digest", "approved_by", "approved_at"), None)
    second = dict.fromkeys(("second_approved_by", "second_approved_at"), None)
    session.execute(approved.values(state="submitted", problem=RESTORED, **unsaid, **second))


def cut(session: Session, which: ColumnElement[bool], now: datetime, reason: str) -> None:
    """End airings that plan to play or play now: the announcer makes their loudspeakers silent."""
    over = update(Airing).where(which, OPEN_AIRING)
    ended = {"reason": reason, "ended_at": now}
    playing = over.where(Airing.state == "airing")
    session.execute(playing.values(state="cut", **ended).execution_options(synchronize_session="fetch"))
    session.execute(over.values(state="missed", **ended).execution_options(synchronize_session="fetch"))
