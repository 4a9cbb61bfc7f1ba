"""How a community says words of its own: which sentences it touches, and under which names they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.prompts.clips import ClipStore
from speech.synthesize import TEACHABLE
from sync.records.tables import Pronunciation


@dataclass(frozen=True)
class Readings:
    """The pronunciations of one community, as far as its engine can follow them."""

    community_id: str
    words: Mapping[str, str] = field(default_factory=dict)

    def mark(self, text: str) -> str:
        """What a clip of `text` remembers of them; '' where they do not touch it."""
        touching = sorted(f"{word}={pinyin}" for word, pinyin in self.words.items() if word in text)
        return hashlib.sha256("\n".join(touching).encode()).hexdigest()[:16] if touching else ""

    def name(self, clips: ClipStore, text: str, voice: str, is_slow: bool) -> str:
        """The clip that says `text` as this community does."""
        if self.mark(text):
            return clips.own_name(text, voice, is_slow, self.community_id)
        return clips.name(text, voice, is_slow)

    def has(self, clips: ClipStore, text: str, voice: str, is_slow: bool) -> bool:
        """Whether that clip is there, rendered by the pronunciations of now."""
        name = self.name(clips, text, voice, is_slow)
        return clips.has(name) and (not (mark := self.mark(text)) or clips.reading(name) == mark)


def readings_of(session: Session, community_id: str, engine: str) -> Readings:
    """A community's own pronunciations for an engine; none for one that can't be taught."""
    if engine not in TEACHABLE:
        return Readings(community_id)
    rows = session.execute(
        select(Pronunciation.word, Pronunciation.pinyin).where(Pronunciation.community_id == community_id)
    )
    return Readings(community_id, {row.word: row.pinyin for row in rows})
