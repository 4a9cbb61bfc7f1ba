"""Forgetting clips: words that were withdrawn, corrected or replaced do not stay in the store."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.previews import forget_previews, previewed
from ivr.prompts.readings import readings_of
from ivr.prompts.recorded import recorded_names
from ivr.prompts.tones import tone_names
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import wanted
from sync.records.tables import Community

if TYPE_CHECKING:
    from sync.archive import Archive


KEPT_SECONDS = 86_400.0
"""A sentence that nobody wants any more is kept so long: running calls may still come to it."""

_LOOK_SECONDS = 3600.0  # how exactly it is known when a clip was last wanted


def tidy(archive: Archive, clips: ClipStore, now: float | None = None) -> int:
    """Delete the clips that no community may play any more; gives how many. `now` in seconds since 1970.

    What residents said and were answered goes at once, and so does what staff replaced; the rest after a day.
    """
    now = time.time() if now is None else now
    forget_previews(archive, datetime.now(UTC))
    present = clips.traces()  # read before the records: a clip made meanwhile for a new one is left alone
    with archive.database.read() as session:
        rows = session.scalars(select(Community)).all()
        communities = [
            (row.id, row.language, voice_of(session, row.id), readings_of(session, row.id, clips.engine))
            for row in rows
        ]
        needed = set(tone_names(clips)) | previewed(session)
    for community_id, language, voice, readings in communities:
        needed |= recorded_names(archive, clips, community_id)
        for clip in wanted(archive, community_id, Book.load(language)):
            needed.add(readings.name(clips, clip.text, voice, clip.is_slow))
            if not readings.has(clips, clip.text, voice, clip.is_slow):
                needed.add(clips.spare_name(clip.text, voice, clip.is_slow))
    for name in present & needed:
        if clips.wanted_at(name) < now - _LOOK_SECONDS:
            clips.mark_wanted(name, now)
    unneeded = [name for name in present - needed if _is_over(clips, name, now)]
    for name in unneeded:
        clips.delete(name)
    return len(unneeded)


def _is_over(clips: ClipStore, name: str, now: float) -> bool:
    return clips.may_change(name) or clips.wanted_at(name) < now - KEPT_SECONDS
