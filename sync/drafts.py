"""Roster files on their way in: nothing of one stays that nobody has taken over within a day."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.records.tables import RosterImport

KEPT = timedelta(days=1)


def forget_drafts(archive: Archive, now: datetime) -> int:
    """Destroy what lies there longer than `KEPT`; how many. Safe to repeat."""
    with archive.database.begin() as session:
        old = select(RosterImport).where(
            RosterImport.sealed_entries.is_not(None), RosterImport.made_at < now - KEPT
        )
        rows = session.scalars(old.with_for_update(skip_locked=True)).all()
        for row in rows:
            close_draft(session, archive, row, "failed", now)
    return len(rows)


def close_draft(session: Session, archive: Archive, row: RosterImport, state: str, now: datetime) -> None:
    """End an import: its entries are gone for good, the numbers of it stay."""
    row.state, row.ended_at, row.sealed_entries = state, now, None
    archive.keyring.destroy(session, row.key_id)
