"""Forgetting clips: words that were withdrawn, corrected or replaced do not stay in the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.recorded import recorded_names
from ivr.prompts.tones import tone_names
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import wanted
from sync.records.tables import Community

if TYPE_CHECKING:
    from sync.archive import Archive


def tidy(archive: Archive, clips: ClipStore) -> int:
    """Delete the clips that no community may play any more; gives how many."""
    present = clips.names()  # read before the records: a clip made meanwhile for a new sentence is left alone
    with archive.database.read() as session:
        rows = session.scalars(select(Community)).all()
        communities = [(row.id, row.language, voice_of(session, row.id)) for row in rows]
    needed = set(tone_names(clips))
    for community_id, language, voice in communities:
        needed |= recorded_names(archive, clips, community_id)
        for clip in wanted(archive, community_id, Book.load(language)):
            needed.add(clips.name(clip.text, voice, clip.is_slow))
    unneeded = present - needed
    for name in unneeded:
        clips.delete(name)
    return len(unneeded)
