"""What staff keep in order: recorded prompts and their versions, pronunciations, previews, roster imports."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class PromptTake(Base):
    """One version of a prompt's voice, kept for good. No `sound`: the synthesizer's voice again.

    The version that is heard stands in `prompt_recordings`.
    """

    __tablename__ = "prompt_takes"
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    prompt: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sound: Mapped[bytes | None] = mapped_column(LargeBinary)
    seconds: Mapped[float | None]
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]


class Pronunciation(Base):
    """How a community says a word of its own: pinyin with tone numbers, one syllable a character."""

    __tablename__ = "pronunciations"
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    word: Mapped[str] = mapped_column(primary_key=True)
    pinyin: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class Preview(Base):
    """A sentence that staff want to hear before anybody else does; forgotten after an hour.

    Until it is rendered it has its `text`, afterwards the `clip` that says it, or the `problem` with it.
    """

    __tablename__ = "previews"
    __table_args__ = (Index("ix_previews_asked_at", "asked_at"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    text: Mapped[str] = mapped_column(Text)
    clip: Mapped[str | None]
    problem: Mapped[str | None]
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]


class RosterImport(Base):
    """A roster file on its way in: sealed until it is in, or given up; then its key is destroyed.

    `state`: checked · waiting · running · done · failed. `done` of `total` entries are in.
    """

    __tablename__ = "roster_imports"
    __table_args__ = (Index("ix_roster_imports_community_id", "community_id", "made_at"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    sealed_entries: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str] = mapped_column(default="checked")
    total: Mapped[int]
    done: Mapped[int] = mapped_column(default=0)
    households: Mapped[int] = mapped_column(default=0)
    residents: Mapped[int] = mapped_column(default=0)
    known: Mapped[int] = mapped_column(default=0)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class Correction(Base):
    """How far the recognizer's words were from what a person wrote: numbers only, which outlive the words.

    `wrong` is the edit distance in characters (marks and spaces left out), of `characters` in the correction.
    """

    __tablename__ = "corrections"
    __table_args__ = (Index("ix_corrections_community_id", "community_id", "made_at"),)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    engine: Mapped[str]
    characters: Mapped[int]
    wrong: Mapped[int]
    made_at: Mapped[datetime]
