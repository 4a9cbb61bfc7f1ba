"""Calls that we place: each wish once, and every try to fulfil it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from sync.records.base import Base, Id

OPEN = text("state IN ('waiting', 'calling')")


class PlacedCall(Base):
    """A wish that somebody be called. Natural key (reason, about): the same wish is placed once.

    `reason`: missed (about: line/sid of the call nobody answered) · request (its id) · reply (its id) ·
    danger (the id of the opinion with the alert; called until somebody presses a key).
    `state`: waiting (due at `next_try_at`) ⇄ calling (a try is under way, looked at again at `next_try_at`)
    → reached · unreached · expired · canceled · refused, with `problem` saying why. `tries`: how many
    of its tries have been made. An erased person's wish has no `number_id`.
    """

    __tablename__ = "placed_calls"
    __table_args__ = (
        UniqueConstraint("reason", "about"),
        Index(None, "community_id", "made_at"),
        Index(None, "number_id"),
        Index(None, "person_id"),
        Index("ix_placed_calls_open", "next_try_at", sqlite_where=OPEN, postgresql_where=OPEN),
    )
    id: Mapped[str] = mapped_column(Id, primary_key=True)
    community_id: Mapped[str] = mapped_column(ForeignKey("communities.id"))
    number_id: Mapped[str | None] = mapped_column(ForeignKey("numbers.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("people.id"))
    reason: Mapped[str]
    about: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")
    tries: Mapped[int] = mapped_column(default=0)
    next_try_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    made_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]
    problem: Mapped[str | None]


class PlacedTry(Base):
    """One try: written before the line is asked, so that nobody is called twice for it.

    `status` only moves forward: asked → queued → initiated → ringing → in-progress → completed · busy ·
    failed · no-answer · canceled · lost (nobody knows). `sid` is the line's id of the call, once it is known;
    `answered_by` human · machine · fax · unknown, where the line could tell; `begun_at`: somebody listened.
    """

    __tablename__ = "placed_tries"
    __table_args__ = (Index(None, "sid"), Index(None, "tried_at"))
    placed_id: Mapped[str] = mapped_column(ForeignKey("placed_calls.id"), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[str]
    sid: Mapped[str | None]
    status: Mapped[str] = mapped_column(default="asked")
    answered_by: Mapped[str | None]
    tried_at: Mapped[datetime]
    begun_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
