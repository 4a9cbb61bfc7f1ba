"""Topics as platforms see them: what they count to with how much evidence, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.records.tables import ProgressUpdate, Topic
from sync.tally import Tally, tallies
from sync.upsert import is_among
from sync.wording import is_worded

Json = dict[str, Any]


def shown_topics(session: Session, topics: Sequence[Topic], now: datetime) -> list[Json]:
    """Topics with result and progress, in three queries however many they are."""
    counts, updates = tallies(session, topics), _updates(session, [topic.id for topic in topics])
    return [
        _topic(topic) | {"result": shown_result(counts[topic.id], now), "updates": updates.get(topic.id, [])}
        for topic in topics
    ]


def shown_result(count: Tally, now: datetime, has_voted: bool = False) -> Json | None:
    """What a topic counts to; None while it hides its running result, maybe from all who haven't voted."""
    if not count.may_be_shown(now, has_voted):
        return None
    return {
        "counts": count.counts,
        "choices": dict(count.choices),
        "voters": count.voters,
        "evidence": dict(count.evidence),
        "channels": dict(count.channels),
        "practice": count.practice,
        "replaced": count.replaced,
        "early": count.early,
        "late": count.late,
        "electorate": count.electorate,
        "electorate_size": count.electorate_size,
        "quorum": count.quorum,
        "is_quorate": count.is_quorate,
    }


def shown_update(update: ProgressUpdate) -> Json:
    """One progress update."""
    return {
        "id": update.id,
        "stage": update.stage,
        "text": update.text,
        "published_at": update.published_at.isoformat(),
    }


def moment(at: datetime | None) -> str | None:
    """As written in JSON."""
    return at.isoformat() if at else None


def _topic(topic: Topic) -> Json:
    return {
        "id": topic.id,
        "title": topic.title,
        "text": topic.text,
        "spoken_title": topic.spoken_title,
        "spoken_background": topic.spoken_background,
        "owner": topic.owner,
        "waits_for_wording": not is_worded(topic),
        "options": [[str(word) for word in option] for option in topic.options],
        "rules": dict(topic.rules or {}),
        "state": topic.state,
        "opens_at": moment(topic.opens_at),
        "closes_at": moment(topic.closes_at),
        "decision": topic.decision,
        "created_at": topic.created_at.isoformat(),
        "version": topic.version,
    }


def _updates(session: Session, ids: Sequence[str]) -> Mapping[str, list[Json]]:
    """Progress, oldest first."""
    rows = session.scalars(
        select(ProgressUpdate)
        .where(is_among(session, ProgressUpdate.topic_id, ids))
        .order_by(ProgressUpdate.published_at, ProgressUpdate.id)
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for update in rows:
        found[update.topic_id].append(shown_update(update))
    return found
