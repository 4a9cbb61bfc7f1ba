"""Who has a matter in hand, and until when: given, changed, taken back; answered matters leave the list."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.deadlines import end_of
from sync.desk import Actor, DeskError, acting_on, changed
from sync.records.tables import Assignment, Opinion, Staff


def assign(
    archive: Archive,
    actor: Actor,
    opinion_id: str,
    staff_id: str,
    until: date,
    now: datetime,
    version: int | None = None,
) -> None:
    """Give an opinion to somebody of the same community, to be answered by the end of a day.

    Raises NotThere and ChangedMeanwhile as every act does, DeskError for an unknown person or a day gone by.
    """
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        staff = session.get(Staff, staff_id)
        if staff is None or staff.community_id != actor.community_id or staff.disabled_at is not None:
            raise DeskError("there is nobody of that name at this desk", "nobody_there")
        due_at = end_of(session, actor.community_id, until)
        if due_at < now and until < now.astimezone(due_at.tzinfo).date():
            raise DeskError("that day is over", "day_over")
        row = session.get(Assignment, opinion_id) or Assignment(
            opinion_id=opinion_id, community_id=opinion.community_id
        )
        row.staff_id, row.due_at, row.settled_at = staff_id, due_at, None
        row.assigned_at, row.assigned_by = now, actor.id
        session.add(row)
        if opinion.stage in {"received", "reopened"}:
            opinion.stage = "assigned"
        changed(session, actor, opinion, "assigned", now, to=staff_id)


def unassign(
    archive: Archive, actor: Actor, opinion_id: str, now: datetime, version: int | None = None
) -> None:
    """Undo it: nobody has it in hand. DeskError where nobody had."""
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        row = session.get(Assignment, opinion_id)
        if row is None or row.settled_at is not None:
            raise DeskError("nobody has it in hand", "nothing_to_undo")
        session.delete(row)
        if opinion.stage == "assigned":
            opinion.stage = "received"
        changed(session, actor, opinion, "unassigned", now)


def in_hand(session: Session, opinion: Opinion) -> tuple[Assignment, str] | None:
    """The assignment of an opinion and the name of who has it; None where nobody has."""
    found = session.execute(
        select(Assignment, Staff.name)
        .join(Staff, Staff.id == Assignment.staff_id)
        .where(Assignment.opinion_id == opinion.id)
    ).first()
    return (found[0], found[1]) if found is not None else None


def colleagues(session: Session, community_id: str) -> list[tuple[str, str]]:
    """(id, name) of everybody a matter can be given to: auditors change nothing, so not to them."""
    rows = session.execute(
        select(Staff.id, Staff.name)
        .where(Staff.community_id == community_id, Staff.disabled_at.is_(None), Staff.role != "auditor")
        .order_by(Staff.name)
    )
    return [(staff_id, name) for staff_id, name in rows]
