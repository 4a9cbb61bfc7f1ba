"""Changed records as a platform may see them now, whatever kind they are, with a few queries a page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from sync.changes import details
from sync.records.tables import Ballot, Opinion, ProgressUpdate, Reaction, Reply, Satisfaction, Topic
from sync.shown.opinions import GONE, opinions, reactions_to, shown_opinions, shown_reply, tombstone
from sync.shown.topics import shown_topics, shown_update
from sync.upsert import is_among

KINDS: Mapping[str, tuple[str, ...]] = {
    "feedback:read": ("opinion", "reaction", "reply", "satisfaction"),
    "topics:read": ("ballot", "progress", "topic"),
}
"""Which records a scope lets a platform know of."""

URGENT = "urgent"
"""The act of an alert of danger: `cn.tingjian.opinion.urgent`."""
_OF_DANGER = ("id", "topic_id", "state", "urgency", "said_at", "is_practice")

Json = dict[str, Any]
Shown = Mapping[str, Json | None]  # by record id; None: not for this platform; without an entry: gone


@dataclass(frozen=True)
class Eyes:
    """Who looks at a community's records, and when; and whether its practice counts."""

    community_id: str
    scopes: frozenset[str]
    now: datetime
    with_practice: bool


def kinds_for(scopes: frozenset[str]) -> frozenset[str]:
    """The kinds of records that these scopes show."""
    return frozenset(kind for scope, kinds in KINDS.items() if scope in scopes for kind in kinds)


def as_now(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> list[Json | None]:
    """For each change its record as it is now, a tombstone once it is gone; None where nothing is shown."""
    by_kind: dict[str, list[Row[Any]]] = defaultdict(list)
    for change in changes:
        by_kind[change.record].append(change)
    shown = {kind: _READ[kind](session, eyes, rows) for kind, rows in by_kind.items()}
    gone = [one for one in changes if one.record_id not in shown[one.record]]
    about = details(session, [one.id for one in gone])
    left = {one.record_id: _left(one.record_id, about[one.id]) for one in gone}
    return [
        _told(one, left[one.record_id] if one.record_id in left else shown[one.record][one.record_id])
        for one in changes
    ]


def _told(change: Row[Any], data: Json | None) -> Json | None:
    """That somebody may be in danger goes out in a hurry: ids and the kind of danger, nothing else."""
    if data is None or change.act != URGENT:
        return data
    return {name: data[name] for name in _OF_DANGER if name in data}


def _left(record_id: str, about: Mapping[str, Any]) -> Json:
    """Of what was deleted whole only its change says where it belonged."""
    owner = {name: about[name] for name in ("opinion_id", "topic_id") if name in about}
    return tombstone(record_id, "deleted", **owner)


def _opinions(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    ids = _ids(changes)
    rows = (
        session.connection()
        .execute(opinions(eyes.community_id, eyes.with_practice).where(is_among(session, Opinion.id, ids)))
        .all()
    )
    shown = shown_opinions(session, rows, eyes.scopes, eyes.with_practice)
    return dict.fromkeys(ids) | {one["id"]: one for one in shown}


def _topics(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    """A draft is not for platforms, however often it is changed."""
    ids = _ids(changes)
    rows = session.scalars(
        select(Topic).where(is_among(session, Topic.id, ids), Topic.state != "draft")
    ).all()
    return dict.fromkeys(ids) | {one["id"]: one for one in shown_topics(session, rows, eyes.now)}


def _progress(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    query = select(ProgressUpdate).where(is_among(session, ProgressUpdate.id, _ids(changes)))
    return {one.id: shown_update(one) | {"topic_id": one.topic_id} for one in session.scalars(query)}


def _ballots(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    """That somebody has voted and how; never what: a result is only ever told as a whole."""
    names = ("id", "topic_id", "channel", "evidence", "is_practice", "cast_at")
    query = select(*(getattr(Ballot, name) for name in names)).where(
        is_among(session, Ballot.id, _ids(changes))
    )
    found: dict[str, Json | None] = {}
    for row in session.connection().execute(query).all():
        item = dict(zip(names, row, strict=True))
        item["cast_at"] = row.cast_at.isoformat()
        found[row.id] = None if row.is_practice and not eyes.with_practice else item
    return found


def _reactions(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    """Who reacted is nobody's business; what all reactions to the opinion come to is."""
    rows = _about_opinions(session, Reaction, changes, Reaction.is_practice)
    counts = reactions_to(session, {row.opinion_id for row in rows}, eyes.with_practice)

    def item(row: Row[Any]) -> Json | None:
        if row.is_practice and not eyes.with_practice:
            return None
        return {"id": row.id, "opinion_id": row.opinion_id, "reactions": counts.get(row.opinion_id, {})}

    return _under_opinions(rows, eyes.with_practice, item)


def _replies(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    rows = _about_opinions(session, Reply, changes, Reply.spoken, Reply.is_private, Reply.published_at)

    def item(row: Row[Any]) -> Json | None:
        if row.is_private:
            return None
        return shown_reply(row.id, row.spoken, row.published_at) | {"opinion_id": row.opinion_id}

    return _under_opinions(rows, eyes.with_practice, item)


def _satisfactions(session: Session, eyes: Eyes, changes: Sequence[Row[Any]]) -> Shown:
    rows = _about_opinions(session, Satisfaction, changes, Satisfaction.is_satisfied, Satisfaction.given_at)

    def item(row: Row[Any]) -> Json:
        given = {"is_satisfied": row.is_satisfied, "given_at": row.given_at.isoformat()}
        return {"id": row.id, "opinion_id": row.opinion_id, **given}

    return _under_opinions(rows, eyes.with_practice, item)


def _about_opinions(
    session: Session, record: Any, changes: Sequence[Row[Any]], *columns: Any
) -> Sequence[Row[Any]]:
    """What belongs to an opinion, with the state its opinion is in."""
    opinion = (Opinion.state.label("opinion_state"), Opinion.is_practice.label("on_practice"))
    query: Select[Any] = select(record.id, record.opinion_id, *opinion, *columns)
    return (
        session.connection()
        .execute(
            query.join(Opinion, Opinion.id == record.opinion_id).where(
                is_among(session, record.id, _ids(changes))
            )
        )
        .all()
    )


def _under_opinions(
    rows: Sequence[Row[Any]], with_practice: bool, item: Callable[[Row[Any]], Json | None]
) -> Shown:
    found: dict[str, Json | None] = {}
    for row in rows:
        if row.on_practice and not with_practice:
            found[row.id] = None
        elif row.opinion_state in GONE:
            found[row.id] = item(row) and tombstone(row.id, row.opinion_state, opinion_id=row.opinion_id)
        else:
            found[row.id] = item(row)
    return found


def _ids(changes: Sequence[Row[Any]]) -> list[str]:
    return list({change.record_id for change in changes})


_READ: Mapping[str, Callable[[Session, Eyes, Sequence[Row[Any]]], Shown]] = {
    "opinion": _opinions,
    "reaction": _reactions,
    "reply": _replies,
    "satisfaction": _satisfactions,
    "ballot": _ballots,
    "progress": _progress,
    "topic": _topics,
}
