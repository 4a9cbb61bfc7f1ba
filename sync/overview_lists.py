"""What stands behind each number of the overview: pages of calls, opinions and corrections, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from sync.overview_queries import FINISHED, GONE, Scope, calls_of, counts
from sync.records.tables import Call, Correction, Opinion, Satisfaction

Marks = tuple[datetime, str]
Listed = Select[*tuple[Any, ...]]


def calls(scope: Scope, left_at: str, is_today: bool) -> Listed:
    """Calls; only those that were left at a step, where one is named (`topic.ballot`: of any topic)."""
    step = Call.place["step"].as_string()
    query = select(
        Call.id, Call.began_at, Call.ended_at, Call.end_status, Call.line, Call.is_practice, step
    ).where(*calls_of(scope))
    if is_today:
        query = query.where(Call.began_at >= scope.midnight)
    if left_at:
        first, _, rest = left_at.partition(".")
        at = step.like(f"topic.%.{rest}") if first == "topic" and rest else step == left_at
        is_left = func.coalesce(Call.end_status, "") != FINISHED
        query = query.where(at, Call.ended_at.is_not(None), is_left)
    return query


def opinions(scope: Scope, category: str | None, channel: str | None) -> Listed:
    """Opinions of a category ('' for none) or channel."""
    query = select(
        Opinion.id, Opinion.said_at, Opinion.category, Opinion.channel, Opinion.state, Opinion.stage
    ).where(
        Opinion.community_id == scope.community_id,
        Opinion.said_at >= scope.since,
        Opinion.state.not_in(GONE),
        counts(scope, Opinion.is_practice),
    )
    if category is not None:
        query = query.where(Opinion.category == category if category else Opinion.category.is_(None))
    return query if channel is None else query.where(Opinion.channel == channel)


def judged(scope: Scope, is_satisfied: bool) -> Listed:
    """Opinions whose speakers were content with the answer, or were not."""
    return (
        select(
            Opinion.id, Satisfaction.given_at, Opinion.category, Opinion.channel, Opinion.state, Opinion.stage
        )
        .join(Opinion, Opinion.id == Satisfaction.opinion_id)
        .where(
            Satisfaction.given_at >= scope.since,
            Satisfaction.is_satisfied.is_(is_satisfied),
            Opinion.community_id == scope.community_id,
            counts(scope, Opinion.is_practice),
        )
    )


def corrections(scope: Scope) -> Listed:
    """Corrections, with how much was wrong."""
    return select(
        Correction.opinion_id, Correction.made_at, Correction.engine, Correction.characters, Correction.wrong
    ).where(Correction.community_id == scope.community_id, Correction.made_at >= scope.since)


_ORDER: Mapping[str, tuple[Any, Any]] = MappingProxyType(
    {
        "calls": (Call.began_at, Call.id),
        "opinions": (Opinion.said_at, Opinion.id),
        "judged": (Satisfaction.given_at, Satisfaction.opinion_id),
        "corrections": (Correction.made_at, Correction.opinion_id),
    }
)


def page(session: Session, query: Listed, kind: str, after: Marks | None, size: int) -> list[Any]:
    """One row more than `size`, newest first, after the moment and id where the page before ended."""
    at, identity = _ORDER[kind]
    if after is not None:
        query = query.where(at <= after[0], _is_older(at, identity, after))
    return list(session.execute(query.order_by(at.desc(), identity.desc()).limit(size + 1)))


def _is_older(at: Any, identity: Any, after: Marks) -> ColumnElement[bool]:
    return or_(at < after[0], identity < after[1])
