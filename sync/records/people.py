"""People behind voices: a number, a seat at it, a key that erases them, what they consented to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id

LINKED = text("root_id IS NOT NULL")


class Key(Base):
    """A data key wrapped by the master key. Destroying it (wrapped = None) erases all that it sealed."""

    __tablename__ = "keys"
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    wrapped: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    destroyed_at: Mapped[datetime | None]


class Number(Base):
    """A telephone number: matched by keyed HMAC, readable only through its key. No `digest` once erased."""

    __tablename__ = "numbers"
    __table_args__ = (UniqueConstraint("community_id", "digest"),)
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    digest: Mapped[str | None]
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    is_slow: Mapped[bool] = mapped_column(default=False)
    last_called_at: Mapped[datetime | None]


class Person(Base):
    """Number + seat. A withheld number makes one person per call (`number_id` None).

    Derived from the links: `root_id` is as whom, `home_id` as whose home somebody linked counts.
    """

    __tablename__ = "people"
    __table_args__ = (
        UniqueConstraint("number_id", "seat"),
        Index(None, "community_id"),
        Index("ix_people_linked", "root_id", sqlite_where=LINKED, postgresql_where=LINKED),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    number_id: Mapped[str | None] = mapped_column(ForeignKey("numbers.id"))
    household_id: Mapped[str | None] = mapped_column(ForeignKey("households.id"))
    seat: Mapped[int] = mapped_column(default=1)
    key_id: Mapped[str] = mapped_column(ForeignKey("keys.id"))
    created_at: Mapped[datetime]
    erased_at: Mapped[datetime | None]
    root_id: Mapped[str | None] = mapped_column(Id)
    home_id: Mapped[str | None] = mapped_column(Id)


class Consent(Base):
    """What a person answered to a notice, for one purpose.

    `pressed`, `spoke_after_notice`, `refused`; `told_staff`: they said so to who typed their words in.
    """

    __tablename__ = "consents"
    __table_args__ = (UniqueConstraint("source", "source_id"), Index(None, "person_id", "purpose"))
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    source: Mapped[str]
    source_id: Mapped[str]
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    purpose: Mapped[str]  # recording · neighbours_words · neighbours_voice · call_back
    answer: Mapped[str]
    version: Mapped[str]
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]
