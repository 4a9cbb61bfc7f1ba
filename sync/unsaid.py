"""Words taken back: whoever holds a copy of them is told in the same transaction, and forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from sync.records.tables import Call, CallTurn, Opinion, Person, Unsaid
from sync.records.voices import UNPRUNED

KEPT = timedelta(days=2)  # no call lasts longer, so no call still knows older words
_TOLD, _SPELT = "unsaid", "<Say"


def heard_as(opinion: Opinion) -> str:
    """How neighbours may hear it now: `none`, `words` or `voice`."""
    return opinion.release if opinion.state == "approved" else "none"


def unsay(session: Session, community_id: str, now: datetime) -> None:
    """Let nobody go on saying what this transaction takes back: calls look again, clips will be pruned."""
    told: set[str] = session.info.setdefault(_TOLD, set())
    if community_id in told:  # once in a transaction is enough
        return
    told.add(community_id)
    session.add(Unsaid(community_id=community_id, at=now))
    empty_documents(session, unended(community_id, now))


def unended(community_id: str, now: datetime) -> Select[Any]:
    """The query for calls of late whose end nobody has told."""
    return select(Call.id).where(
        Call.community_id == community_id, Call.began_at > now - KEPT, Call.ended_at.is_(None)
    )


def mark(community_id: SQLColumnExpression[str] | str) -> Select[Any]:
    """The query whose answer differs after words of the community were taken back.

    A sum, because on PostgreSQL a lower id may become visible after a higher one.
    """
    return select(func.coalesce(func.sum(Unsaid.id), 0)).where(Unsaid.community_id == community_id)


def unpruned(session: Session, most: int = 1000) -> Sequence[int]:
    """What was taken back and may still lie in a clip."""
    return session.scalars(select(Unsaid.id).where(UNPRUNED).order_by(Unsaid.id).limit(most)).all()


def pruned(session: Session, ids: Sequence[int], now: datetime) -> None:
    """The clips of these are gone. What calls cannot know any more is dropped."""
    session.execute(update(Unsaid).where(Unsaid.id.in_(ids)).values(pruned_at=now))
    session.execute(delete(Unsaid).where(Unsaid.pruned_at.is_not(None), Unsaid.at < now - KEPT))


def spells(call_id: SQLColumnExpression[str]) -> ColumnElement[bool]:
    """Whether a call's documents spell words out, because there was no clip of them."""
    return exists().where(CallTurn.call_id == call_id, CallTurn.answer.contains(_SPELT))


def empty_documents(session: Session, calls: Select[Any] | Sequence[str]) -> None:
    """Empty the documents of these calls that spell words out."""
    spelt = update(CallTurn).where(CallTurn.call_id.in_(calls), CallTurn.answer.contains(_SPELT))
    session.execute(spelt.values(answer="").execution_options(synchronize_session=False))


def forget_replies_told(session: Session, opinion: Opinion) -> None:
    """A reply read to who typed its receipt lies in the memory of that call, from whichever seat it came."""
    owner = select(Person.number_id).where(Person.id == opinion.person_id).scalar_subquery()
    people = select(Person.id).where(or_(Person.id == opinion.person_id, Person.number_id == owner))
    for call in session.scalars(select(Call).where(Call.person_id.in_(people)).with_for_update()):
        memory = call.place.get("memory") or {}
        if memory.get("opinion_id") == opinion.id and memory.get("reply"):
            call.place = {**call.place, "memory": {**memory, "reply": ""}}
