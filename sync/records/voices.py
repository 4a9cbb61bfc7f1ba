"""The inbox, and what speech becomes: opinions, transcripts, reactions, replies, satisfaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Serial

PENDING = text("state = 'pending'")  # written out, because SQLite uses a partial index only for a literal
WAITING = text("state = 'waiting'")
UNPRUNED = text("pruned_at IS NULL")
QUEUES = {  # what waits for a reviewer, most important first
    "urgent": text("state = 'review' AND urgency IS NOT NULL"),
    "listen": text("state = 'review' AND urgency IS NULL AND needs_listening"),
    "other": text("state = 'review' AND urgency IS NULL AND NOT needs_listening"),
}


class Capture(Base):
    """One thing given on one channel, kept the moment it is acknowledged. Holds ids and choices, never words.

    `kind`: ballot, reaction, opinion, opinion_dropped, release, consent, satisfaction, heard, request.
    `state`: pending → merged; refused, early, late or practice (not counted here) with `problem` saying why.
    Natural key (source, source_id). `subject_id` is the opinion it is about.
    """

    __tablename__ = "captures"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        Index("ix_captures_pending", "id", sqlite_where=PENDING, postgresql_where=PENDING),
        Index(None, "topic_id", "kind", "person_id"),
        Index(None, "subject_id"),
        Index(None, "person_id"),
    )
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    source: Mapped[str]
    source_id: Mapped[str]
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    topic_id: Mapped[str | None] = mapped_column(Id)
    subject_id: Mapped[str | None] = mapped_column(Id)
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    channel: Mapped[str]
    evidence: Mapped[str]
    is_practice: Mapped[bool] = mapped_column(default=False)
    cast_at: Mapped[datetime]
    received_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="pending")
    problem: Mapped[str | None]


class Opinion(Base):
    """Free speech on a topic, or a message to the community. Words live in transcripts, sound in recordings.

    `state`: waiting (for sound or words) → review → approved | rejected; withdrawn; erased.
    `release`: none · words · voice. `stage`: received · assigned · answered · settled · reopened.
    """

    __tablename__ = "opinions"
    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        UniqueConstraint("community_id", "receipt"),
        Index(None, "community_id", "state", "said_at"),
        Index("ix_opinions_said", "community_id", "said_at", "id"),
        Index("ix_opinions_category", "community_id", "category", "said_at", "id"),
        Index("ix_opinions_topic_said", "topic_id", "said_at", "id"),
        *(
            Index(
                f"ix_opinions_queue_{name}",
                "community_id",
                "said_at",
                "id",
                sqlite_where=condition,
                postgresql_where=condition,
            )
            for name, condition in QUEUES.items()
        ),
        Index(None, "topic_id", "state"),
        Index(None, "person_id"),
        Index("ix_opinions_waiting", "said_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    topic_id: Mapped[str | None] = mapped_column(ForeignKey("topics.id"))
    source: Mapped[str]
    source_id: Mapped[str]
    channel: Mapped[str]
    evidence: Mapped[str]
    kind: Mapped[str]  # opinion · message
    receipt: Mapped[str | None]
    state: Mapped[str] = mapped_column(default="waiting")
    stage: Mapped[str] = mapped_column(default="received")
    release: Mapped[str] = mapped_column(default="none")
    category: Mapped[str | None]
    category_confidence: Mapped[float | None]
    purpose: Mapped[str | None]  # 咨询 求助 投诉 举报 建议 表扬
    purpose_confidence: Mapped[float | None]
    urgency: Mapped[str | None]
    needs_listening: Mapped[bool] = mapped_column(default=False)
    is_practice: Mapped[bool] = mapped_column(default=False)
    said_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime | None]
    held_by: Mapped[str | None]  # the worker turning it into words just now
    problem: Mapped[str | None]


class OpinionRecording(Base):
    """The segments of an opinion, in order."""

    __tablename__ = "opinion_recordings"
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))


class Transcript(Base):
    """The words of an opinion in one version: 1 the machine's, 2… staff corrections; sealed by their key.

    `redacted` is the version that may leave the desk; it is deleted on erasure.
    """

    __tablename__ = "transcripts"
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    sealed_text: Mapped[bytes | None] = mapped_column(LargeBinary)
    sealed_words: Mapped[bytes | None] = mapped_column(LargeBinary)  # when each of the machine's was said
    redacted: Mapped[str | None]
    confidence: Mapped[float]
    language: Mapped[str]
    engine: Mapped[str]
    speech_seconds: Mapped[float]
    made_by: Mapped[str]
    made_at: Mapped[datetime]


class Receipt(Base):
    """A receipt number that was given out: never given twice in one community."""

    __tablename__ = "receipts"
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    digits: Mapped[str] = mapped_column(primary_key=True)


class Reaction(Base):
    """The standing choice of one person on a neighbour's opinion."""

    __tablename__ = "reactions"
    __table_args__ = (UniqueConstraint("opinion_id", "person_id"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    choice: Mapped[str]
    cast_at: Mapped[datetime]
    received_at: Mapped[datetime]
    channel: Mapped[str]
    evidence: Mapped[str]
    source: Mapped[str]
    source_id: Mapped[str]
    is_practice: Mapped[bool] = mapped_column(default=False)


class Reply(Base):
    """The community's answer to an opinion. `spoken` is what the caller hears.

    `repeats_id`: the reply to another opinion of the same matter that this one repeats to its own caller;
    `stage_before` is the stage its opinion had until then.
    """

    __tablename__ = "replies"
    __table_args__ = (Index(None, "opinion_id", "published_at"), Index(None, "community_id", "published_at"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    spoken: Mapped[str]
    is_private: Mapped[bool] = mapped_column(default=False)
    published_at: Mapped[datetime]
    published_by: Mapped[str]
    heard_at: Mapped[datetime | None]
    repeats_id: Mapped[str | None] = mapped_column(Id)
    stage_before: Mapped[str | None]


class Satisfaction(Base):
    """Whether the answer satisfied its asker; `no` reopens the opinion."""

    __tablename__ = "satisfactions"
    __table_args__ = (
        UniqueConstraint("opinion_id", "person_id"),
        Index("ix_satisfactions_given_at", "given_at"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    is_satisfied: Mapped[bool]
    given_at: Mapped[datetime]
    channel: Mapped[str]
    source: Mapped[str]
    source_id: Mapped[str]


class Request(Base):
    """A wish for a person to call back."""

    __tablename__ = "requests"
    __table_args__ = (UniqueConstraint("source", "source_id"), Index(None, "community_id", "settled_at"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str]
    source_id: Mapped[str]
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    asked_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]


class Unsaid(Base):
    """Words of a community were taken back: running calls look again, clips are deleted (`pruned_at`).

    Says neither whose nor which. Kept two days, longer than any call that may still know the words.
    """

    __tablename__ = "unsaid"
    __table_args__ = (
        Index(None, "community_id", "id"),
        Index("ix_unsaid_unpruned", "id", sqlite_where=UNPRUNED, postgresql_where=UNPRUNED),
    )
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    at: Mapped[datetime]
    pruned_at: Mapped[datetime | None]
