"""Topics as platforms read them: what they count to with how much evidence, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import false, select, tuple_
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.paging import After, page_of
from sync.api.problems import Problem
from sync.records.tables import ProgressUpdate, Topic
from sync.tally import tally


def list_topics(session: Session, asked: Asked) -> Json:
    """One page, oldest first. Drafts are not for platforms."""
    page = page_of(asked.arguments)
    place = tuple_(Topic.created_at, Topic.id)
    behind = place > tuple_(page.after.moment, page.after.id) if page.after else ~false()
    found = session.scalars(
        select(Topic)
        .where(Topic.community_id == asked.caller.community_id, Topic.state != "draft", behind)
        .order_by(Topic.created_at, Topic.id)
        .limit(page.limit + 1)
    ).all()
    shown = found[: page.limit]
    last = After(shown[-1].created_at, shown[-1].id) if len(found) > page.limit else None
    return {
        "items": _as_json(session, shown),
        "has_more": last is not None,
        "next_cursor": last.cursor() if last else None,
    }


def one_topic(session: Session, asked: Asked) -> Json:
    """One topic. Problem 404 where the platform's community has none of that id."""
    topic = session.get(Topic, asked.record_id)
    if topic is None or topic.community_id != asked.caller.community_id or topic.state == "draft":
        raise Problem(404, "no such topic")
    return _as_json(session, [topic])[0]


def _as_json(session: Session, topics: Sequence[Topic]) -> list[Json]:
    updates = _updates(session, [topic.id for topic in topics])
    return [
        _item(topic) | {"result": _result(session, topic), "updates": updates[topic.id]} for topic in topics
    ]


def _item(topic: Topic) -> Json:
    return {
        "id": topic.id,
        "title": topic.title,
        "text": topic.text,
        "spoken_title": topic.spoken_title,
        "spoken_background": topic.spoken_background,
        "options": [[str(word) for word in option] for option in topic.options],
        "state": topic.state,
        "opens_at": _moment(topic.opens_at),
        "closes_at": _moment(topic.closes_at),
        "decision": topic.decision,
        "created_at": topic.created_at.isoformat(),
        "version": topic.version,
    }


def _result(session: Session, topic: Topic) -> Json | None:
    """None while the topic hides its running result."""
    count = tally(session, topic.id)
    if not count.may_be_shown(datetime.now(UTC)):
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


def _updates(session: Session, ids: Sequence[str]) -> dict[str, list[Json]]:
    """Progress, oldest first, of all topics on a page in one query."""
    rows = session.scalars(
        select(ProgressUpdate)
        .where(ProgressUpdate.topic_id.in_(ids))
        .order_by(ProgressUpdate.published_at, ProgressUpdate.id)
    )
    found: dict[str, list[Json]] = defaultdict(list)
    for update in rows:
        found[update.topic_id].append(
            {
                "id": update.id,
                "stage": update.stage,
                "text": update.text,
                "published_at": update.published_at.isoformat(),
            }
        )
    return found


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
