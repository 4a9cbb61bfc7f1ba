"""Topics over the API, as `sync.shown` shows them. Drafts are not for platforms."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.paging import After, page_of
from sync.api.problems import Problem
from sync.records.tables import Topic
from sync.shown.topics import shown_topics


def list_topics(session: Session, asked: Asked) -> Json:
    """One page, oldest first."""
    page = page_of(asked.arguments)
    known = select(Topic).where(Topic.community_id == asked.caller.community_id, Topic.state != "draft")
    found = session.scalars(page.of(known, Topic.created_at, Topic.id)).all()
    return page.answer(
        found,
        lambda topic: After(topic.created_at, topic.id),
        lambda topics: shown_topics(session, topics, asked.now),
    )


def one_topic(session: Session, asked: Asked) -> Json:
    """One topic. Problem 404 where the platform's community has none of that id."""
    return shown_topics(session, [topic_of(session, asked)], asked.now)[0]


def topic_of(session: Session, asked: Asked) -> Topic:
    """The topic that a call is about. Problem 404 where its platform may know of none of that id."""
    topic = session.get(Topic, asked.record_id)
    if topic is None or topic.community_id != asked.caller.community_id or topic.state == "draft":
        raise Problem(404, "no such topic")
    return topic
