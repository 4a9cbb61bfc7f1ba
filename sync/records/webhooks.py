"""Addresses that platforms want to be told at, and what came of each telling."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Json, Serial


class Endpoint(Base):
    """Where a platform is told of changes. Its secrets are sealed under `key_id`.

    `state`: active · paused (failed for too long, or by hand) · gone (it answered 410). `types` are the event
    types wanted; none: all. `cursor` is its own place in the feed. `failing_since` is when the row of
    failures began that has not ended.
    """

    __tablename__ = "endpoints"
    __table_args__ = (Index(None, "platform_id"), Index(None, "community_id"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    platform_id: Mapped[str] = mapped_column(ForeignKey("platforms.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    url: Mapped[str]
    types: Mapped[list[Any]] = mapped_column(Json, default=list)
    state: Mapped[str] = mapped_column(default="active")
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    sealed_secret: Mapped[bytes] = mapped_column(LargeBinary)
    sealed_old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    old_secret_until: Mapped[datetime | None]
    cursor: Mapped[str]
    created_at: Mapped[datetime]
    state_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None]
    next_try_at: Mapped[datetime | None]
    held_by: Mapped[str | None]
    problem: Mapped[str | None]


class Delivery(Base):
    """One try to tell one endpoint of one event: ids, an answer's status, how long it took; never words."""

    __tablename__ = "deliveries"
    __table_args__ = (Index(None, "endpoint_id", "id"), Index(None, "sent_at"))
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    endpoint_id: Mapped[str] = mapped_column(ForeignKey("endpoints.id"))
    event_id: Mapped[str]
    type: Mapped[str]
    subject: Mapped[str]
    sent_at: Mapped[datetime]
    status: Mapped[int | None]
    problem: Mapped[str | None]
    milliseconds: Mapped[int]
