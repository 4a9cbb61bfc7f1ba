"""Communities, their settings, their roster."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Json, Serial


class Community(Base):
    """One community, chosen by the number dialled. Moments are UTC; schedules use `time_zone`."""

    __tablename__ = "communities"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    dialled_number: Mapped[str] = mapped_column(unique=True)
    time_zone: Mapped[str] = mapped_column(default="Asia/Shanghai")
    language: Mapped[str] = mapped_column(default="zh")
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Setting(Base):
    """A setting of a community (`voice`, `person_number`, `seats_per_number`, …); every change is audited."""

    __tablename__ = "settings"
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(Json)
    changed_at: Mapped[datetime]
    changed_by: Mapped[str]


class Household(Base):
    """A home of the roster. `reference` is the community's own word for it (building-unit-room)."""

    __tablename__ = "households"
    __table_args__ = (UniqueConstraint("community_id", "reference"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    reference: Mapped[str]


class Resident(Base):
    """A person of the roster: their name sealed, tied to a number where one is known."""

    __tablename__ = "residents"
    __table_args__ = (
        Index(None, "community_id", "number_id"),
        Index("ix_residents_household_id", "household_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[str | None] = mapped_column(ForeignKey("households.id"))
    number_id: Mapped[str | None] = mapped_column(ForeignKey("numbers.id"))
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    sealed_name: Mapped[bytes] = mapped_column(LargeBinary)
    seat: Mapped[int] = mapped_column(default=1)


class Audit(Base):
    """Who saw or changed what, and why. Ids only, never words or numbers."""

    __tablename__ = "audits"
    __table_args__ = (
        Index(None, "community_id", "at"),
        Index("ix_audits_actor", "community_id", "actor", "at"),
        Index("ix_audits_act", "community_id", "act", "at"),
        Index("ix_audits_subject", "community_id", "subject", "at"),
    )
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    community_id: Mapped[str | None] = mapped_column(Id)
    at: Mapped[datetime]
    actor: Mapped[str]
    act: Mapped[str]
    subject: Mapped[str]
    reason: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
