"""Matters: opinions joined as one. Who leads, how many people stand behind it, one answer for them all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select, union_all, update
from sqlalchemy.orm import Session

from sync.changes import note
from sync.records.tables import JoinedOpinion, Opinion, Person, Reply, record_id
from sync.upsert import is_among

OPEN = frozenset({"waiting", "review", "approved", "rejected"})
_GONE = ("withdrawn", "erased")
_SETTLED = "settled"


@dataclass(frozen=True)
class Standing:
    """An opinion in its matter: `joined_to` leads it (None: itself), `voices` is people behind it."""

    joined_to: str | None
    voices: int


def standings(session: Session, opinion_ids: Collection[str], with_practice: bool) -> Mapping[str, Standing]:
    """How each of these stands, with two queries however many they are."""
    if not opinion_ids:
        return {}
    joined, leading = (
        is_among(session, column, list(opinion_ids))
        for column in (JoinedOpinion.opinion_id, JoinedOpinion.leader_id)
    )
    rows = session.execute(
        select(JoinedOpinion.opinion_id, JoinedOpinion.leader_id).where(joined | leading)
    ).all()
    leaders = dict(iter((row.opinion_id, row.leader_id) for row in rows))
    voices = _voices(session, set(leaders.values()), with_practice) if leaders else {}
    return {one: Standing(leaders.get(one), voices.get(leaders.get(one, one), 1)) for one in opinion_ids}


@dataclass(frozen=True)
class Matter:
    """A matter as staff see it: all its opinions, the leader first; `others` is empty where there is one."""

    leader_id: str
    voices: int
    others: Sequence[Opinion] = ()


def matter_of(session: Session, opinion_id: str) -> Matter:
    """The matter an opinion is part of."""
    leader_id = leader_of(session, opinion_id)
    found = members(session, leader_id)
    voices = standings(session, [leader_id], with_practice=True)[leader_id].voices
    return Matter(leader_id, voices, found if len(found) > 1 else ())


def leader_of(session: Session, opinion_id: str) -> str:
    """Who leads the matter of an opinion: itself where it is joined to none."""
    found = select(JoinedOpinion.leader_id).where(JoinedOpinion.opinion_id == opinion_id)
    return session.scalar(found) or opinion_id


def members(session: Session, leader_id: str) -> list[Opinion]:
    """All opinions of a matter, its leader first, the others as they were said."""
    joined = select(JoinedOpinion.opinion_id).where(JoinedOpinion.leader_id == leader_id)
    others = session.scalars(
        select(Opinion).where(Opinion.id.in_(joined)).order_by(Opinion.said_at, Opinion.id)
    ).all()
    return [session.get_one(Opinion, leader_id), *others]


def tell_all(session: Session, reply: Reply) -> None:
    """Repeat a public reply to all others of its matter: each has it to hear and to judge for themselves."""
    if reply.is_private:
        return
    matter = members(session, leader_of(session, reply.opinion_id))
    others = [one for one in matter if one.id != reply.opinion_id and one.state in OPEN]
    repeat(session, reply, others, reply.published_at)


def share_answer(session: Session, matter: Sequence[Opinion], now: datetime) -> None:
    """Let those of a matter who haven't heard its newest public answer have it; who is content is left so."""
    ids = [one.id for one in matter]
    newest = session.scalar(
        select(Reply)
        .where(Reply.opinion_id.in_(ids), Reply.repeats_id.is_(None))
        .where(Reply.is_private.is_(False), Reply.spoken != "")
        .order_by(Reply.published_at.desc(), Reply.id.desc())
        .limit(1)
    )
    if newest is None:
        return
    knowing = set(session.scalars(select(Reply.opinion_id).where(Reply.repeats_id == newest.id)))
    knowing.add(newest.opinion_id)
    wanting = [one for one in matter if one.id not in knowing and one.state in OPEN and one.stage != _SETTLED]
    repeat(session, newest, wanting, now)


def repeat(session: Session, reply: Reply, opinions: Iterable[Opinion], published_at: datetime) -> None:
    """The same answer for each of these opinions, with an id that follows from both."""
    for opinion in opinions:
        copy = Reply(
            id=record_id("re", reply.id, opinion.id),
            opinion_id=opinion.id,
            community_id=opinion.community_id,
            spoken=reply.spoken,
            is_private=False,
            published_at=published_at,
            published_by=reply.published_by,
            repeats_id=reply.id,
            stage_before=opinion.stage,
        )
        session.add(copy)
        note(session, "reply", copy.id, copy.community_id, "created", published_at, opinion_id=opinion.id)
        opinion.stage = "answered"
        opinion.version += 1
        note_changed(session, opinion, published_at)
    session.flush()


def leave(session: Session, opinion: Opinion, now: datetime) -> None:
    """An opinion that was taken back drops out of its matter. Where it led, the oldest joined to it does."""
    leader_id = leader_of(session, opinion.id)
    rows = session.scalars(
        select(JoinedOpinion)
        .where(JoinedOpinion.leader_id == leader_id)
        .order_by(JoinedOpinion.opinion_id)
        .with_for_update()
    ).all()
    if not rows:
        return
    heir = None if opinion.id != leader_id else _oldest(session, opinion.id)
    own = next((row for row in rows if row.opinion_id == opinion.id), None)
    above, leads = (own.under_id, leader_id) if own is not None else (heir or "", heir or "")
    gone = delete(JoinedOpinion).where(JoinedOpinion.opinion_id.in_([opinion.id, heir or opinion.id]))
    session.execute(gone.execution_options(synchronize_session="fetch"))
    move = update(JoinedOpinion).where(JoinedOpinion.under_id == opinion.id).values(under_id=above)
    session.execute(move.execution_options(synchronize_session="fetch"))
    follow = update(JoinedOpinion).where(JoinedOpinion.leader_id == leader_id).values(leader_id=leads)
    session.execute(follow.execution_options(synchronize_session="fetch"))
    for other in {leads, *(row.opinion_id for row in rows)} - {opinion.id}:
        note_changed(session, session.get_one(Opinion, other), now, joined_to=leads)


def note_changed(session: Session, opinion: Opinion, now: datetime, **details: str) -> None:
    """Tell platforms that an opinion is other than before; who leads its matter, where that is new."""
    note(session, "opinion", opinion.id, opinion.community_id, "updated", now, state=opinion.state, **details)


def _oldest(session: Session, leader_id: str) -> str | None:
    """The oldest of those joined to it directly, who keep what was joined to them."""
    return session.scalar(
        select(Opinion.id)
        .join(JoinedOpinion, JoinedOpinion.opinion_id == Opinion.id)
        .where(JoinedOpinion.under_id == leader_id)
        .order_by(Opinion.said_at, Opinion.id)
        .limit(1)
    )


def _voices(session: Session, leaders: Collection[str], with_practice: bool) -> Mapping[str, int]:
    """How many people stand behind each matter; who said it twice, or on two channels linked, is one."""
    joined = select(JoinedOpinion.leader_id.label("leader_id"), JoinedOpinion.opinion_id.label("opinion_id"))
    leading = select(Opinion.id.label("leader_id"), Opinion.id.label("opinion_id"))
    matter = union_all(
        joined.where(JoinedOpinion.leader_id.in_(leaders)), leading.where(Opinion.id.in_(leaders))
    ).subquery()
    query = (
        select(matter.c.leader_id, func.count(func.coalesce(Person.root_id, Person.id).distinct()))
        .join(Opinion, Opinion.id == matter.c.opinion_id)
        .join(Person, Person.id == Opinion.person_id)
        .where(Opinion.state.not_in(_GONE))
        .group_by(matter.c.leader_id)
    )
    if not with_practice:
        query = query.where(Opinion.is_practice.is_(False))
    return dict(session.execute(query).all())
