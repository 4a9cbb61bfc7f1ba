"""Those who read and write the records from outside or at the desk: platforms, staff; the list of changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Json, Serial


class Change(Base):
    """One change of a record, appended in its transaction.

    The feed reads in the order (`xact`, `id`): `xact` is PostgreSQL's transaction id (0 on SQLite, whose
    writers are serial), so that a transaction that commits late is never skipped.
    """

    __tablename__ = "changes"
    __table_args__ = (Index(None, "community_id", "xact", "id"), Index(None, "record", "record_id"))
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    xact: Mapped[int] = mapped_column(BigInteger, default=0)
    community_id: Mapped[str] = mapped_column(Id)
    record: Mapped[str]  # topic · progress · opinion · ballot · reaction · reply · satisfaction
    record_id: Mapped[str] = mapped_column(Id)
    act: Mapped[str]  # created · updated · deleted
    changed_at: Mapped[datetime]
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Platform(Base):
    """An online service. Its key is kept as a hash only."""

    __tablename__ = "platforms"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]
    key_hash: Mapped[str] = mapped_column(unique=True)
    scopes: Mapped[list[Any]] = mapped_column(Json, default=list)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


class KeptAnswer(Base):
    """What a platform was answered to a write, kept a day for the same Idempotency-Key.

    `digest` is of the key, `fingerprint` of what was asked, both SHA-256 in hex. Answers hold ids, states and
    what the platform itself published; no resident's words.
    """

    __tablename__ = "kept_answers"
    __table_args__ = (Index(None, "kept_at"),)
    platform_id: Mapped[str] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    status: Mapped[int]
    media: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    kept_at: Mapped[datetime]


class Staff(Base):
    """A community worker at the desk. `role`: reviewer · publisher · auditor · administrator."""

    __tablename__ = "staff"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]
    role: Mapped[str]
    language: Mapped[str] = mapped_column(default="zh")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]
