"""What became of all topics, as one list."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.paging import After, id_of, page_of
from sync.records.tables import ProgressUpdate, Topic
from sync.shown.topics import shown_update


def list_progress(session: Session, asked: Asked) -> Json:
    """One page of progress updates, oldest first. `topic_id` narrows it."""
    page = page_of(asked.arguments)
    known = (
        select(ProgressUpdate)
        .join(Topic, Topic.id == ProgressUpdate.topic_id)
        .where(ProgressUpdate.community_id == asked.caller.community_id, Topic.state != "draft")
    )
    if topic_id := id_of(asked.arguments, "topic_id"):
        known = known.where(ProgressUpdate.topic_id == topic_id)
    found = session.scalars(page.of(known, ProgressUpdate.published_at, ProgressUpdate.id)).all()
    return page.answer(
        found,
        lambda update: After(update.published_at, update.id),
        lambda updates: [shown_update(one) | {"topic_id": one.topic_id} for one in updates],
    )
