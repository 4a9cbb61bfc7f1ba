"""A community with topics behind the door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from sync.archive import Archive
from sync.records.tables import Call, Capture, Community, Topic
from tests.web.platform import NoQueue, Platform, UnhurriedClock, open_app

LONG_AGO = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture
def queue() -> NoQueue:
    return NoQueue()


@pytest.fixture
def topics(archive: Archive, community: Community) -> list[str]:
    """Two open topics and a decided one."""
    add_topics(archive, community.id)
    return ["tp_road", "tp_light", "tp_park"]


@pytest.fixture
def clock() -> UnhurriedClock:
    return UnhurriedClock()


@pytest.fixture
def app(archive: Archive, queue: NoQueue, clock: UnhurriedClock, topics: list[str]) -> Flask:
    return open_app(archive, queue, clock)


@pytest.fixture
def phone(app: Flask) -> Callable[..., Platform]:
    """`phone()` is a caller who has not called yet."""
    return lambda **how: Platform(app.test_client(), **how)


def add_topics(archive: Archive, community_id: str) -> None:
    topics = [("tp_road", "修路", "open"), ("tp_light", "路灯", "open"), ("tp_park", "公园", "decided")]
    with archive.database.begin() as session:
        for rank, (topic_id, title, state) in enumerate(topics):
            session.add(
                Topic(
                    id=topic_id,
                    community_id=community_id,
                    owner="desk",
                    title=f"关于{title}",
                    text=f"{title}的背景",
                    spoken_title=title,
                    spoken_background=f"{title}的背景，大家怎么看",
                    options=[],
                    rules={},
                    state=state,
                    rank=rank,
                    opens_at=LONG_AGO,
                    closes_at=LONG_AGO + timedelta(days=3650),
                    decision="公园明年动工" if state == "decided" else None,
                    created_at=LONG_AGO,
                )
            )


def captures(archive: Archive) -> list[Capture]:
    """Everything kept, in order."""
    with archive.database.read() as session:
        return list(session.scalars(select(Capture).order_by(Capture.id)))


def kept(archive: Archive) -> list[tuple[str, str]]:
    """What was kept, as (kind, choice or answer)."""
    return [
        (one.kind, str(one.payload.get("choice") or one.payload.get("answer") or ""))
        for one in captures(archive)
    ]


def call_of(archive: Archive, sid: str) -> Call:
    with archive.database.read() as session:
        return session.scalars(select(Call).where(Call.sid == sid)).one()
