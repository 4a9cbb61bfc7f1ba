"""Opinions as platforms see them: redacted words, counts, public replies; never a number, never a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.orm import Session

from sync.matters import standings
from sync.records.tables import Community, Opinion, Reaction, Reply, Transcript
from sync.upsert import is_among

STATES = ("waiting", "review", "approved", "rejected", "withdrawn", "erased")
GONE = frozenset({"withdrawn", "erased"})
UNREVIEWED = "feedback:unreviewed"

Json = dict[str, Any]

_PLAIN = (
    "id", "kind", "topic_id", "state", "stage", "channel", "evidence", "release", "category",
    "category_confidence", "purpose", "purpose_confidence", "urgency", "needs_listening", "is_practice",
    "said_at", "version",
)  # fmt: skip


def opinions(community_id: str, with_practice: bool) -> Select[Any]:
    """The opinions of a community that platforms may know of, as rows that `shown_opinions` takes."""
    query = select(*(getattr(Opinion, name) for name in _PLAIN)).where(Opinion.community_id == community_id)
    return query if with_practice else query.where(Opinion.is_practice.is_(False))


def is_demo(session: Session, community_id: str) -> bool:
    """Whether practice counts in this community."""
    return bool(session.scalar(select(Community.is_demo).where(Community.id == community_id)))


def shown_opinions(
    session: Session, rows: Sequence[Row[Any]], scopes: frozenset[str], with_practice: bool
) -> list[Json]:
    """Rows of `opinions` as a platform with these scopes sees them, with a few queries however many."""
    ids = [row.id for row in rows]
    words = _words(session, ids)
    reactions = reactions_to(session, ids, with_practice)
    replies = _replies(session, ids)
    places = standings(session, ids, with_practice)
    readable = readable_states(scopes)
    found: list[Json] = []
    for row in rows:
        if row.state in GONE:
            found.append(tombstone(row.id, row.state, version=row.version))
            continue
        item = dict(zip(_PLAIN, row, strict=True))
        item["said_at"] = row.said_at.isoformat()
        item["text"] = words.get(row.id) if row.state in readable else None
        item["reactions"] = reactions.get(row.id, {})
        item["replies"] = replies.get(row.id, [])
        item["joined_to"], item["voices"] = places[row.id].joined_to, places[row.id].voices
        found.append(item)
    return found


def tombstone(record_id: str, state: str, **more: Any) -> Json:
    """All that is left of what was taken back."""
    return {"id": record_id, "state": state, **more}


def reactions_to(session: Session, ids: Iterable[str], with_practice: bool) -> Mapping[str, dict[str, int]]:
    """How many chose what about each of these opinions, in one query."""
    grouped = (Reaction.opinion_id, Reaction.choice)
    query = (
        select(*grouped, func.count())
        .where(is_among(session, Reaction.opinion_id, list(ids)))
        .group_by(*grouped)
    )
    if not with_practice:
        query = query.where(Reaction.is_practice.is_(False))
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    for opinion_id, choice, count in session.connection().execute(query.order_by(*grouped)).all():
        counts[opinion_id][choice] = count
    return counts


def shown_reply(reply_id: str, spoken: str, published_at: datetime) -> Json:
    """A public answer."""
    return {"id": reply_id, "text": spoken, "published_at": published_at.isoformat()}


def readable_states(scopes: frozenset[str]) -> frozenset[str]:
    """The machine hides most names, not all: words leave the desk only after a person has read them."""
    return frozenset({"approved", "review"} if UNREVIEWED in scopes else {"approved"})


def _words(session: Session, ids: Sequence[str]) -> Mapping[str, str | None]:
    rows = session.connection().execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(is_among(session, Transcript.opinion_id, ids))
        .order_by(Transcript.opinion_id, Transcript.version)
    )
    return dict(iter(rows.all()))  # the newest version stands


def _replies(session: Session, ids: Sequence[str]) -> Mapping[str, list[Json]]:
    """Public ones; a private reply is for its asker alone."""
    rows = session.connection().execute(
        select(Reply.opinion_id, Reply.id, Reply.spoken, Reply.published_at)
        .where(is_among(session, Reply.opinion_id, ids), Reply.is_private.is_(False))
        .order_by(Reply.published_at, Reply.id)
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for opinion_id, reply_id, spoken, published_at in rows.all():
        found[opinion_id].append(shown_reply(reply_id, spoken, published_at))
    return found
