"""What a platform's topic needs before the phone reads it: spoken words of its own, or staff wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from sync.changes import note
from sync.community_settings import audit
from sync.errors import RecordsError
from sync.records.tables import ProgressUpdate, Topic

DESK = "desk"
"""The owner of what staff wrote themselves, for the phone."""

LONGEST_TITLE = 20  # characters: said before every key, so that a caller knows what is meant
LONGEST_SPOKEN = 120  # characters: half a minute, after which nobody remembers the beginning

WORDED = or_(
    Topic.owner == DESK,
    and_(func.coalesce(Topic.spoken_title, "") != "", func.coalesce(Topic.spoken_background, "") != ""),
)
"""The condition on topics that the phone may read."""

SPOKEN = ProgressUpdate.spoken != ""
"""The condition on progress updates that the phone may read."""


@dataclass(frozen=True)
class Waiting:
    """What the phone does not read yet: topics, and progress updates of topics."""

    topics: Sequence[Topic]
    updates: Sequence[ProgressUpdate]


def is_worded(topic: Topic) -> bool:
    """Whether the phone may read a topic."""
    return topic.owner == DESK or bool(topic.spoken_title and topic.spoken_background)


def waiting(session: Session, community_id: str) -> Waiting:
    """What waits for staff wording in a community, oldest first."""
    topics = select(Topic).where(Topic.community_id == community_id, ~WORDED)
    updates = select(ProgressUpdate).where(ProgressUpdate.community_id == community_id, ~SPOKEN)
    return Waiting(
        session.scalars(topics.order_by(Topic.created_at, Topic.id)).all(),
        session.scalars(updates.order_by(ProgressUpdate.published_at, ProgressUpdate.id)).all(),
    )


def word_topic(
    session: Session, community_id: str, topic_id: str, title: str, background: str, actor: str, now: datetime
) -> Topic:
    """Give a topic what the phone reads; it is heard from the next call on. RecordsError where that fails."""
    spoken = _bounded(title, LONGEST_TITLE), _bounded(background, LONGEST_SPOKEN)
    topic = session.get(Topic, topic_id, with_for_update=True)
    if topic is None or topic.community_id != community_id:
        raise RecordsError("there is no such topic")
    topic.spoken_title, topic.spoken_background = spoken
    topic.version += 1
    note(session, "topic", topic.id, community_id, "updated", now, version=topic.version)
    audit(session, community_id, actor, "topic.worded", topic.id)
    return topic


def word_update(
    session: Session, community_id: str, update_id: str, spoken: str, actor: str, now: datetime
) -> ProgressUpdate:
    """Give a progress update the sentence that the phone reads. RecordsError where that fails."""
    sentence = _bounded(spoken, LONGEST_SPOKEN)
    update = session.get(ProgressUpdate, update_id, with_for_update=True)
    if update is None or update.community_id != community_id:
        raise RecordsError("there is no such progress update")
    update.spoken = sentence
    note(session, "progress", update.id, community_id, "updated", now, topic_id=update.topic_id)
    audit(session, community_id, actor, "progress.worded", update.id)
    return update


def _bounded(text: str, longest: int) -> str:
    words = " ".join(text.split())
    if not words or len(words) > longest or "\x00" in words:
        raise RecordsError(f"1 to {longest} characters, of which this has {len(words)}")
    return words
