"""Feedback as platforms read it: opinions with redacted words, counts and replies; never a number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import ColumnElement, false, func, or_, select, tuple_
from sqlalchemy.orm import Session

from sync.api.access import Caller
from sync.api.asked import Asked, Json
from sync.api.paging import After, Page, page_of
from sync.api.problems import Problem
from sync.records.tables import Community, Opinion, Reaction, Reply, Transcript

STATES = ("waiting", "review", "approved", "rejected", "withdrawn", "erased")
LONGEST_ID = 40
_GONE = frozenset({"withdrawn", "erased"})
_UNREVIEWED = "feedback:unreviewed"


def list_feedback(session: Session, asked: Asked) -> Json:
    """One page, oldest first. `state` and `topic_id` narrow it."""
    caller, arguments = asked.caller, asked.arguments
    page = page_of(arguments)
    query = select(Opinion).where(_visible(session, caller))
    if state := arguments.get("state"):
        if state not in STATES:
            raise Problem(422, f"state is one of {', '.join(STATES)}")
        query = query.where(Opinion.state == state)
    if topic_id := arguments.get("topic_id"):
        if len(topic_id) > LONGEST_ID:
            raise Problem(422, f"an id has at most {LONGEST_ID} characters")
        query = query.where(Opinion.topic_id == topic_id)
    query = query.where(_behind(page)).order_by(Opinion.said_at, Opinion.id)
    found = session.scalars(query.limit(page.limit + 1)).all()
    shown = found[: page.limit]
    last = After(shown[-1].said_at, shown[-1].id) if len(found) > page.limit else None
    return {
        "items": _as_json(session, caller, shown),
        "has_more": last is not None,
        "next_cursor": last.cursor() if last else None,
    }


def one_feedback(session: Session, asked: Asked) -> Json:
    """One opinion. Problem 404 where the platform's community has none of that id."""
    query = select(Opinion).where(Opinion.id == asked.record_id, _visible(session, asked.caller))
    opinion = session.scalar(query)
    if opinion is None:
        raise Problem(404, "no such feedback")
    return _as_json(session, asked.caller, [opinion])[0]


def is_demo(session: Session, community_id: str) -> bool:
    """Whether practice counts in this community."""
    return session.get_one(Community, community_id).is_demo


def _visible(session: Session, caller: Caller) -> ColumnElement[bool]:
    own = Opinion.community_id == caller.community_id
    return own if is_demo(session, caller.community_id) else own & Opinion.is_practice.is_(False)


def _behind(page: Page) -> ColumnElement[bool]:
    if page.after is None:
        return ~false()
    place = tuple_(Opinion.said_at, Opinion.id)
    return place > tuple_(page.after.moment, page.after.id)


def _as_json(session: Session, caller: Caller, opinions: Sequence[Opinion]) -> list[Json]:
    """All of a page with three queries, however long it is."""
    ids = [opinion.id for opinion in opinions]
    words = _words(session, ids)
    reactions = _reactions(session, ids, counts_practice=is_demo(session, caller.community_id))
    replies = _replies(session, ids)
    return [
        _tombstone(opinion)
        if opinion.state in _GONE
        else _item(opinion)
        | {
            "text": words.get(opinion.id) if _may_read(caller, opinion) else None,
            "reactions": reactions[opinion.id],
            "replies": replies[opinion.id],
        }
        for opinion in opinions
    ]


def _item(opinion: Opinion) -> Json:
    return {
        "id": opinion.id,
        "kind": opinion.kind,
        "topic_id": opinion.topic_id,
        "state": opinion.state,
        "stage": opinion.stage,
        "channel": opinion.channel,
        "evidence": opinion.evidence,
        "release": opinion.release,
        "category": opinion.category,
        "category_confidence": opinion.category_confidence,
        "urgency": opinion.urgency,
        "needs_listening": opinion.needs_listening,
        "is_practice": opinion.is_practice,
        "said_at": opinion.said_at.isoformat(),
        "version": opinion.version,
    }


def _tombstone(opinion: Opinion) -> Json:
    """All that is left of what somebody took back."""
    return {"id": opinion.id, "state": opinion.state, "version": opinion.version}


def _may_read(caller: Caller, opinion: Opinion) -> bool:
    """The machine hides most names, not all: words leave the desk only after a person has read them."""
    return opinion.state == "approved" or (opinion.state == "review" and caller.may(_UNREVIEWED))


def _words(session: Session, ids: Sequence[str]) -> dict[str, str | None]:
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(Transcript.opinion_id.in_(ids))
        .order_by(Transcript.opinion_id, Transcript.version)
    )
    return dict(iter(rows))  # the newest version stands


def _reactions(session: Session, ids: Sequence[str], counts_practice: bool) -> dict[str, dict[str, int]]:
    rows = session.execute(
        select(Reaction.opinion_id, Reaction.choice, func.count())
        .where(Reaction.opinion_id.in_(ids))
        .where(or_(Reaction.is_practice.is_(False), ~false() if counts_practice else false()))
        .group_by(Reaction.opinion_id, Reaction.choice)
    )
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for opinion_id, choice, count in rows:
        counts[opinion_id][choice] = count
    return counts


def _replies(session: Session, ids: Sequence[str]) -> dict[str, list[Json]]:
    """Public ones; a private reply is for its asker alone."""
    rows = session.scalars(
        select(Reply)
        .where(Reply.opinion_id.in_(ids), Reply.is_private.is_(False))
        .order_by(Reply.published_at, Reply.id)
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for reply in rows:
        found[reply.opinion_id].append(
            {"id": reply.id, "text": reply.spoken, "published_at": reply.published_at.isoformat()}
        )
    return found
