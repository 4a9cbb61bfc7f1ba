"""What a community's feed must remember beside its changes: which life of the records it tells of."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class Feed(Base):
    """Which generation a feed is in and up to which place its oldest changes are gone.

    A community has no row until a restore begins a new generation or old changes are deleted.
    """

    __tablename__ = "feeds"
    community_id: Mapped[str] = mapped_column(Id, ForeignKey("communities.id"), primary_key=True)
    generation: Mapped[str] = mapped_column(String(16))
    pruned_xact: Mapped[int] = mapped_column(BigInteger, default=0)
    pruned_id: Mapped[int] = mapped_column(BigInteger, default=0)
    begun_at: Mapped[datetime]
