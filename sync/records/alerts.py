"""Alerts: somebody may be in danger, and somebody of the community has to know at once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id

UNTAKEN = text("taken_at IS NULL")


class Alert(Base):
    """What one opinion told of danger: raised with its words, until it is taken. No word of it, no number.

    `danger` and `confidence` are the machine's; `said_at` when the call ended, or the words came in.
    `taken_by`: a member of staff, or `phone` where a key was pressed at the duty phone.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "ix_alerts_untaken", "community_id", "raised_at", sqlite_where=UNTAKEN, postgresql_where=UNTAKEN
        ),
    )
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    danger: Mapped[str]
    confidence: Mapped[float]
    said_at: Mapped[datetime]
    raised_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    taken_by: Mapped[str | None] = mapped_column(Id)
