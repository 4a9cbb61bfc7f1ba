"""What staff do with opinions about one matter: join them, and take one out again as if it never was in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, aliased

from sync.changes import note
from sync.community_settings import audit
from sync.desk import Actor, DeskError, NotThere
from sync.matters import OPEN, leader_of, members, note_changed, share_answer
from sync.records.tables import JoinedOpinion, Opinion, Reply, Satisfaction
from sync.unsaid import forget_replies_told, unsay

_ROUNDS = 5


def join(session: Session, actor: Actor, opinion_id: str, into: str, now: datetime) -> str:
    """Join the matter of one opinion to that of another (`into`: an id or a receipt); the leader's id.

    Everybody keeps their receipt; those who have not heard the matter's newest public answer get it.
    Raises NotThere for an unknown opinion, DeskError where they are one matter already or taken back.
    """
    one, other = _ours(session, actor, opinion_id), _ours(session, actor, into)
    below, leader = _locked_leaders(session, one, other)
    if below.id == leader.id:
        raise DeskError("they are one matter already", "joined_already")
    if not {one.state, other.state, below.state, leader.state} <= OPEN:
        raise DeskError("its speaker has taken it back", "taken_back")
    matter = members(session, below.id)
    session.execute(
        update(JoinedOpinion).where(JoinedOpinion.leader_id == below.id).values(leader_id=leader.id)
    )
    session.add(
        JoinedOpinion(
            opinion_id=below.id,
            community_id=actor.community_id,
            under_id=leader.id,
            leader_id=leader.id,
            joined_at=now,
            joined_by=actor.id,
        )
    )
    session.flush()
    _note_all(session, [leader, *matter], now, leader.id)
    share_answer(session, members(session, leader.id), now)
    audit(session, actor.community_id, actor.id, "opinion.joined", below.id, joined_to=leader.id)
    return leader.id


def part(session: Session, actor: Actor, opinion_id: str, now: datetime) -> None:
    """Take an opinion, and what had been joined to it before, out of its matter: as if never joined.

    Answers that came to either side only through the other are taken back, and stages are what they were.
    Raises NotThere for an unknown opinion, DeskError for one that is joined to nothing.
    """
    opinion = _ours(session, actor, opinion_id)
    (leader,) = _locked(session, [leader_of(session, opinion.id)])
    row = session.get(JoinedOpinion, opinion.id, with_for_update=True, populate_existing=True)
    if row is None:
        raise DeskError("it is joined to nothing", "not_joined")
    whole = members(session, leader.id)
    side = _below(session, leader.id, opinion.id)
    session.delete(row)
    session.flush()
    moved = update(JoinedOpinion).where(JoinedOpinion.opinion_id.in_(side))
    session.execute(moved.values(leader_id=opinion.id).execution_options(synchronize_session="fetch"))
    _note_all(session, [one for one in whole if one.id in side], now, opinion.id)
    _note_all(session, [one for one in whole if one.id not in side], now, leader.id)
    _take_answers_back(session, {one.id: one for one in whole}, side, now)
    audit(session, actor.community_id, actor.id, "opinion.parted", opinion.id, joined_to=leader.id)


def _ours(session: Session, actor: Actor, asked: str) -> Opinion:
    """The opinion of that id or receipt in the actor's community."""
    named = (Opinion.id == asked) | (Opinion.receipt == asked)
    opinion = session.scalar(select(Opinion).where(Opinion.community_id == actor.community_id, named))
    if opinion is None:
        raise NotThere("there is no such opinion", "not_there")
    return opinion


def _locked_leaders(session: Session, one: Opinion, other: Opinion) -> tuple[Opinion, Opinion]:
    """Who leads the matters of two opinions, held until the transaction ends: whoever joins holds these."""
    for _ in range(_ROUNDS):
        leaders = leader_of(session, one.id), leader_of(session, other.id)
        held = {row.id: row for row in _locked(session, sorted(set(leaders)))}
        if leaders == (leader_of(session, one.id), leader_of(session, other.id)):
            return held[leaders[0]], held[leaders[1]]
    raise DeskError("somebody else has just changed it: look again", "changed_meanwhile")


def _locked(session: Session, ids: Iterable[str]) -> list[Opinion]:
    query = select(Opinion).where(Opinion.id.in_(list(ids))).order_by(Opinion.id).with_for_update()
    return list(session.scalars(query.execution_options(populate_existing=True)))


def _below(session: Session, leader_id: str, opinion_id: str) -> frozenset[str]:
    """An opinion and all that were joined to it, directly or not."""
    under: dict[str, list[str]] = defaultdict(list)
    rows = select(JoinedOpinion.opinion_id, JoinedOpinion.under_id)
    for joined, above in session.execute(rows.where(JoinedOpinion.leader_id == leader_id)):
        under[above].append(joined)
    found, ahead = set[str](), [opinion_id]
    while ahead:
        found.add(one := ahead.pop())
        ahead += under[one]
    return frozenset(found)


def _note_all(session: Session, opinions: Iterable[Opinion], now: datetime, leader_id: str) -> None:
    for opinion in opinions:
        note_changed(session, opinion, now, joined_to=leader_id)


def _take_answers_back(
    session: Session, whole: Mapping[str, Opinion], side: Collection[str], now: datetime
) -> None:
    """Delete what each side heard only through the other; calls that know it look again."""
    original = aliased(Reply)
    rows = session.execute(
        select(Reply, original.opinion_id)
        .join(original, original.id == Reply.repeats_id)
        .where(Reply.opinion_id.in_(list(whole)), original.opinion_id.in_(list(whole)))
        .order_by(Reply.published_at, Reply.id)
    )
    lost: dict[str, list[Reply]] = defaultdict(list)
    for copy, from_id in rows:
        if (copy.opinion_id in side) != (from_id in side):
            lost[copy.opinion_id].append(copy)
    for opinion_id, copies in lost.items():
        opinion = whole[opinion_id]
        session.execute(delete(Reply).where(Reply.id.in_([copy.id for copy in copies])))
        for copy in copies:
            note(session, "reply", copy.id, copy.community_id, "deleted", now, opinion_id=opinion_id)
        forget_replies_told(session, opinion)
        unsay(session, opinion.community_id, now)
        opinion.stage = _stage_without(session, opinion, copies[0])
        opinion.version += 1
        note_changed(session, opinion, now)


def _stage_without(session: Session, opinion: Opinion, first: Reply) -> str:
    """The stage without an answer that is taken back: what it was then, unless its story went on since."""
    since = first.published_at
    replied = select(Reply.published_at).where(Reply.opinion_id == opinion.id, Reply.published_at >= since)
    judged = select(Satisfaction.given_at, Satisfaction.is_satisfied).where(
        Satisfaction.opinion_id == opinion.id, Satisfaction.given_at >= since
    )
    later = [(at, "answered") for at in session.scalars(replied)]
    later += [(at, "settled" if content else "reopened") for at, content in session.execute(judged)]
    return max(later)[1] if later else first.stage_before or "received"
