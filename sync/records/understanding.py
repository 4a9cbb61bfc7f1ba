"""What the machine understood of an opinion and why, and what it has learnt from the people at the desk."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id

USED = text("state = 'used'")


class Understanding(Base):
    """The machine's own answer about one opinion: `about` its category or its purpose.

    What stands is in the opinion's row, and may be a person's. `because` holds words of what may be
    published alone, and goes with its opinion. `model_id` is None where the word lists alone answered.
    """

    __tablename__ = "understandings"
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    about: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    confidence: Mapped[float]
    because: Mapped[list[Any]]
    model_id: Mapped[str | None] = mapped_column(Id)
    made_at: Mapped[datetime]


class Learned(Base):
    """One model that learnt a community's categories, and how it did on opinions it had not seen.

    `state`: used · kept (was used, or is not to be) · refused (it was no better) · gone (what it learnt from
    was taken back: its key is destroyed, its scores stay). `right` of `held` were right; `right_lists` by the
    word lists alone; `right_before` by the model in use then. `chance`: of doing so well by luck (McNemar).
    """

    __tablename__ = "learned"
    __table_args__ = (
        Index("ix_learned_made", "community_id", "made_at"),
        Index("ix_learned_used", "community_id", unique=True, sqlite_where=USED, postgresql_where=USED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("keys.id"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    state: Mapped[str]
    examples: Mapped[int]
    held: Mapped[int]
    right: Mapped[int]
    right_lists: Mapped[int]
    right_before: Mapped[int | None]
    chance: Mapped[float]
    kilobytes: Mapped[int]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
