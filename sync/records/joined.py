"""Opinions that staff joined because they are about one matter."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class JoinedOpinion(Base):
    """One opinion joined to another. The one that leads the matter has no row: it stands at the top.

    `under_id` is what it was joined to, so that taking it out restores exactly what was there before;
    `leader_id` is who leads the whole matter, kept so that a matter is found with one look.
    """

    __tablename__ = "joined_opinions"
    __table_args__ = (Index(None, "leader_id"), Index(None, "under_id"))
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    under_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    leader_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    joined_at: Mapped[datetime]
    joined_by: Mapped[str] = mapped_column(Id)
