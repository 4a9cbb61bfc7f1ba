"""What a community has promised to do about a topic: stages, each with somebody who answers for it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class Milestone(Base):
    """One stage of what becomes of a topic. `goal` says how anybody can see that it is reached.

    `state`: planned · doing · done · dropped. Days are of the community's calendar, as `2026-12-01`.
    """

    __tablename__ = "milestones"
    __table_args__ = (
        Index("ix_milestones_topic_id", "topic_id", "place"),
        Index("ix_milestones_due", "community_id", "state", "due_on"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    topic_id: Mapped[str] = mapped_column(ForeignKey("topics.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    place: Mapped[int]  # order within the topic, from 1
    title: Mapped[str]
    goal: Mapped[str]
    owner: Mapped[str]  # the office or the post that answers for it, never a resident
    due_on: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(default="planned")
    done_on: Mapped[str | None] = mapped_column(String(10))
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]
