"""Calls and their turns: all state of a live conversation, and the recordings made in it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id

UNTOLD = text("acknowledged_at IS NULL")  # its source may still hold a copy
UNCLAIMED = text("is_claimed IS FALSE")


class Call(Base):
    """One phone conversation. `id` is ours; `sid` the platform's.

    `view` is the caller's part of what its flow is built from; its `shared` names the SharedView with the
    rest. Both are kept without anybody's words. An erased caller's `view` and `place` are empty.
    """

    __tablename__ = "calls"
    __table_args__ = (Index(None, "community_id", "began_at"), Index(None, "person_id", "began_at"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    sid: Mapped[str] = mapped_column(unique=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    number_id: Mapped[str | None] = mapped_column(ForeignKey("numbers.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    line: Mapped[str]  # the platform or line it came through: `exchange`, `twilio`
    handset: Mapped[str]  # `phone`, `terminal`, `browser`, `sip`
    is_practice: Mapped[bool]
    evidence: Mapped[str] = mapped_column(default="none")  # how well the number is tied to a person
    language: Mapped[str] = mapped_column(default="zh")
    voice: Mapped[str] = mapped_column(default="")  # the synthesiser's voice this call is read in
    flow: Mapped[str] = mapped_column(default="hotline")
    view: Mapped[dict[str, Any]]
    place: Mapped[dict[str, Any]]
    turn: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime]
    turned_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    end_status: Mapped[str | None]


class SharedView(Base):
    """The part of a view that many calls share: topics, neighbours. Its id follows from content and day.

    Neighbours stand in it by their opinions' ids: their words are read from the records each time, so that
    none stay behind here. Kept no longer than two days.
    """

    __tablename__ = "shared_views"
    __table_args__ = (Index(None, "made_at"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    content: Mapped[dict[str, Any]]
    made_at: Mapped[datetime]


class CallTurn(Base):
    """One answered turn: what was heard and the document given. A repeated turn gets `answer` again.

    A document that spells out what it says (`<Say>`) is emptied when the call is over, or when words
    are taken back.
    """

    __tablename__ = "turns"
    call_id: Mapped[str] = mapped_column(ForeignKey("calls.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    heard: Mapped[dict[str, Any]]
    step: Mapped[str]
    answer: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime]


class Recording(Base):
    """Sound of one utterance. `announced` → `stored` (sealed on disk) · `missing` · `broken` · `erased`.

    `acknowledged_at`: the source was told that it may forget its copy. `held_by`: the worker fetching it now.
    """

    __tablename__ = "recordings"
    __table_args__ = (
        Index(None, "state", "next_try_at"),
        Index(None, "call_id", "turn"),
        Index("ix_recordings_untold", "created_at", sqlite_where=UNTOLD, postgresql_where=UNTOLD),
        Index("ix_recordings_unclaimed", "call_id", sqlite_where=UNCLAIMED, postgresql_where=UNCLAIMED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    call_id: Mapped[str | None] = mapped_column(ForeignKey("calls.id"))
    turn: Mapped[int | None]  # the turn whose Record made it: the next one takes it
    sid: Mapped[str] = mapped_column(unique=True)  # the platform's id of it
    line: Mapped[str]
    url: Mapped[str | None]
    seconds: Mapped[float | None]
    state: Mapped[str] = mapped_column(default="announced")
    is_claimed: Mapped[bool] = mapped_column(default=False)  # a turn has taken it into an opinion
    file: Mapped[str | None]  # name in the recording store
    sha256: Mapped[str | None]
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    held_by: Mapped[str | None]
    acknowledged_at: Mapped[datetime | None]
    problem: Mapped[str | None]
    created_at: Mapped[datetime]


class PromptRecording(Base):
    """A human recording that replaces a rendered sentence of the prompt book."""

    __tablename__ = "prompt_recordings"
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    prompt: Mapped[str] = mapped_column(primary_key=True)
    sound: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_by: Mapped[str]
    recorded_at: Mapped[datetime]
