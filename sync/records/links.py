"""As whom somebody counts who is known in several places: accounts, links, the codes that make them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id


class Account(Base):
    """Somebody's account on a platform, matched by keyed HMAC: its name is never stored.

    `is_attested`: the platform has told the account's telephone number, and the person is the one there.
    """

    __tablename__ = "accounts"
    __table_args__ = (Index(None, "person_id"),)
    platform_id: Mapped[str] = mapped_column(ForeignKey("platforms.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    is_attested: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Link(Base):
    """Two people are one, from `made_at` until before `undone_at`. The history of links is kept.

    `how`: code · attested. `made_by`: the platform or line on which the code was typed.
    """

    __tablename__ = "links"
    __table_args__ = (
        Index(None, "community_id", "made_at"),
        Index(None, "person_id"),
        Index(None, "other_id"),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    other_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    how: Mapped[str]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None]


class LinkCode(Base):
    """A six-digit code that was given out, by its keyed HMAC; one a person, gone once used."""

    __tablename__ = "link_codes"
    __table_args__ = (Index(None, "person_id"), Index(None, "community_id", "expires_at"))
    digest: Mapped[str] = mapped_column(primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    expires_at: Mapped[datetime]
