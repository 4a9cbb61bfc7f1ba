"""Feedback over the API: lists and single opinions, as `sync.shown` shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select
from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.paging import After, id_of, page_of
from sync.api.problems import Problem
from sync.records.tables import Opinion
from sync.shown.opinions import STATES, is_demo, opinions, shown_opinions


def list_feedback(session: Session, asked: Asked) -> Json:
    """One page, oldest first. `state` and `topic_id` narrow it."""
    page = page_of(asked.arguments)
    query = _visible(session, asked)
    if state := asked.arguments.get("state"):
        if state not in STATES:
            raise Problem(422, f"state is one of {', '.join(STATES)}")
        query = query.where(Opinion.state == state)
    if topic_id := id_of(asked.arguments, "topic_id"):
        query = query.where(Opinion.topic_id == topic_id)
    found = session.execute(page.of(query, Opinion.said_at, Opinion.id)).all()
    return page.answer(
        found, lambda row: After(row.said_at, row.id), lambda rows: _shown(session, asked, rows)
    )


def one_feedback(session: Session, asked: Asked) -> Json:
    """One opinion. Problem 404 where the platform's community has none of that id."""
    query = _visible(session, asked).where(Opinion.id == asked.record_id)
    found = session.execute(query).all()
    if not found:
        raise Problem(404, "no such feedback")
    return _shown(session, asked, found)[0]


def _visible(session: Session, asked: Asked) -> Select[Any]:
    community_id = asked.caller.community_id
    return opinions(community_id, is_demo(session, community_id))


def _shown(session: Session, asked: Asked, rows: Sequence[Row[Any]]) -> list[Json]:
    caller = asked.caller
    return shown_opinions(session, rows, caller.scopes, is_demo(session, caller.community_id))
