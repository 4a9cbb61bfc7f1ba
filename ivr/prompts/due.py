"""What a community's clips still lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from ivr.prompts.readings import Readings, readings_of
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import Importance, Wanted, wanted
from sync.records.tables import Community

if TYPE_CHECKING:
    from sync.archive import Archive


@dataclass(frozen=True)
class Due:
    """What a community's clips lack: `total` clips are wanted, `missing` are not there yet."""

    language: str
    voice: str
    readings: Readings
    total: int
    missing: tuple[Wanted, ...]


def due(archive: Archive, clips: ClipStore, community_id: str, up_to: Importance = Importance.RECORDS) -> Due:
    """What is still to be rendered, most important first. Raises `LookupError` without the community."""
    with archive.database.read() as session:
        community = session.get(Community, community_id)
        if community is None:
            raise LookupError(f"no community {community_id}")
        language, voice = community.language, voice_of(session, community_id)
        readings = readings_of(session, community_id, clips.engine)
    needed = [clip for clip in wanted(archive, community_id, Book.load(language)) if clip.importance <= up_to]
    missing = tuple(clip for clip in needed if not readings.has(clips, clip.text, voice, clip.is_slow))
    return Due(language, voice, readings, len(needed), missing)
