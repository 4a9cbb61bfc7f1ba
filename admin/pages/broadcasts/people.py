"""Who composed, who approved: names of staff for the pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.records.tables import Staff


def names_of(session: Session, ids: Collection[str | None]) -> Mapping[str, str]:
    """Names by id, of those that are staff."""
    theirs = Staff.id.in_([one for one in ids if one])
    return {row.id: row.name for row in session.execute(select(Staff.id, Staff.name).where(theirs))}


def name_of(session: Session, staff_id: str) -> str:
    """The name of one; what the records call it where it is nobody of staff."""
    return names_of(session, [staff_id]).get(staff_id, staff_id)
