"""What reviewing leaves behind: who has a matter in hand, what was learned from it, words to search by."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id, Serial

IN_HAND = text("settled_at IS NULL")
WAITING = text("state = 'waiting'")


class Assignment(Base):
    """Who answers for an opinion, and until when. `settled_at`: it was answered; NULL again if reopened."""

    __tablename__ = "assignments"
    __table_args__ = (
        Index("ix_assignments_mine", "staff_id", "due_at", sqlite_where=IN_HAND, postgresql_where=IN_HAND),
        Index("ix_assignments_due", "community_id", "due_at", sqlite_where=IN_HAND, postgresql_where=IN_HAND),
    )
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    staff_id: Mapped[str] = mapped_column(ForeignKey("staff.id"))
    due_at: Mapped[datetime]
    assigned_at: Mapped[datetime]
    assigned_by: Mapped[str]
    settled_at: Mapped[datetime | None]


class Searched(Base):
    """An opinion that can be found by its words; `number` grows, so that the newest come first."""

    __tablename__ = "searched"
    __table_args__ = {"info": {"is_derived": True}}  # noqa: RUF012
    number: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"), unique=True)
    made_at: Mapped[datetime]


class SearchTerm(Base):
    """One word of one opinion, as a keyed hash: the words themselves lie sealed in the transcripts alone."""

    __tablename__ = "search_terms"
    __table_args__ = (
        Index(None, "number"),
        {"sqlite_with_rowid": False, "info": {"is_derived": True}},
    )
    term: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class Lesson(Base):
    """What a correction teaches: `heard` by the machine, `meant` in truth; `kind`: word · category.

    Words are taken from what may be published alone, and go with their opinion.
    """

    __tablename__ = "lessons"
    __table_args__ = (Index(None, "opinion_id"), Index(None, "community_id", "kind", "id"))
    id: Mapped[int] = mapped_column(Serial, primary_key=True, autoincrement=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    kind: Mapped[str]
    heard: Mapped[str]
    meant: Mapped[str]
    taught_at: Mapped[datetime]
    taught_by: Mapped[str]


class SpokenReply(Base):
    """A reply that staff spoke: a recording under its opinion's key, its words until they are published.

    `state`: waiting (for its words) → ready → published; dropped. `reply_id` once it is published.
    """

    __tablename__ = "spoken_replies"
    __table_args__ = (
        Index(None, "opinion_id", "made_at"),
        Index(None, "reply_id"),
        Index("ix_spoken_replies_waiting", "made_at", sqlite_where=WAITING, postgresql_where=WAITING),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    opinion_id: Mapped[str] = mapped_column(ForeignKey("opinions.id"))
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    state: Mapped[str] = mapped_column(default="waiting")
    sealed_text: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries: Mapped[int] = mapped_column(default=0)
    reply_id: Mapped[str | None] = mapped_column(Id)
    made_by: Mapped[str]
    made_at: Mapped[datetime]
