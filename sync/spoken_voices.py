"""The voices of spoken replies: which of them may still be heard, and which are thrown away."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.records.tables import Recording, Reply, SpokenReply

_FORGOTTEN_AFTER = timedelta(days=7)  # what nobody published by then


def voices_of(session: Session, community_id: str) -> list[tuple[str, Recording]]:
    """(words, recording) of every published spoken reply that has not been taken back."""
    rows = session.execute(
        select(Reply.spoken, Recording)
        .join(SpokenReply, SpokenReply.reply_id == Reply.id)
        .join(Recording, Recording.id == SpokenReply.recording_id)
        .where(Reply.community_id == community_id, Reply.spoken != "", Recording.state == "stored")
    )
    return [(words.strip(), recording) for words, recording in rows]


def forget_spoken(archive: Archive, now: datetime) -> int:
    """Throw away what was spoken long ago and never published; how many."""
    old = SpokenReply.made_at < now - _FORGOTTEN_AFTER, SpokenReply.state.in_(("waiting", "ready"))
    with archive.database.begin() as session:
        rows = session.scalars(select(SpokenReply).where(*old).limit(500)).all()
        for row in rows:
            drop(session, row)
    return len(rows)


def drop(session: Session, row: SpokenReply) -> None:
    """Throw a draft away, its sound too; a published one stays."""
    if row.state != "published":
        row.state, row.sealed_text = "dropped", None
        session.get_one(Recording, row.recording_id).state = "erased"
