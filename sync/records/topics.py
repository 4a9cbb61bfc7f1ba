"""Topics, what became of them, and the ballots cast on them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class Topic(Base):
    """What is discussed. `options` lists [choice, spoken label] pairs; empty means agree / disagree / pass.

    `rules`: counts (`persons` | `households`), electorate (who may vote, in words), electorate_size, quorum
    (voters, or below 1 a share of the electorate), channel_rank (weakest first), paper_outranks,
    results (`open` | `closed`: hidden until the close | `voted`: until then told only to callers who have
    voted), named (staff see who chose what, by home or roster; else nobody does).
    """

    __tablename__ = "topics"
    __table_args__ = (Index(None, "community_id", "state"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    owner: Mapped[str]  # `desk` or the platform that may change it
    title: Mapped[str]
    text: Mapped[str]
    spoken_title: Mapped[str | None]  # ≤ 20 characters
    spoken_background: Mapped[str | None]  # ≤ 120 characters
    options: Mapped[list[Any]] = mapped_column(default=list)
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str]  # draft · open · paused · closed · decided
    rank: Mapped[int] = mapped_column(default=0)  # order on the phone, lowest first
    opens_at: Mapped[datetime | None]
    closes_at: Mapped[datetime | None]
    decision: Mapped[str | None]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class ProgressUpdate(Base):
    """What became of a topic: one spoken sentence, and the whole text for platforms."""

    __tablename__ = "progress_updates"
    __table_args__ = (Index(None, "topic_id", "published_at"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topics.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    stage: Mapped[str]
    spoken: Mapped[str]
    text: Mapped[str]
    published_at: Mapped[datetime]
    published_by: Mapped[str]


class Ballot(Base):
    """The standing choice of one voter on one topic. The captures are its history; this row is derived."""

    __tablename__ = "ballots"
    __table_args__ = (
        UniqueConstraint("topic_id", "voter_id"),
        Index(None, "topic_id", "choice"),
        Index("ix_ballots_counted", "topic_id", "is_practice", "channel"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topics.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    voter_id: Mapped[str] = mapped_column(Id)  # a person, or a household where the topic counts households
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    choice: Mapped[str]
    cast_at: Mapped[datetime]
    received_at: Mapped[datetime]
    channel: Mapped[str]
    evidence: Mapped[str]  # none · caller_id · roster · attested · linked
    source: Mapped[str]
    source_id: Mapped[str]
    is_practice: Mapped[bool] = mapped_column(Boolean, default=False)
