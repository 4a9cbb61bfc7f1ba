"""A community with something of everything that can be read aloud."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.people import find_or_create_number, person_at
from sync.records.tables import (
    Community,
    Opinion,
    Person,
    ProgressUpdate,
    Reply,
    Setting,
    Topic,
    Transcript,
)

NOW = datetime.now(UTC)
CALLER = "+8613800000001"
NEIGHBOUR = "+8613800000002"


def topic(community_id: str, name: str, state: str = "open", **more: object) -> Topic:
    """A topic called `name`, open since a week ago."""
    return Topic(
        id=f"tp_{name}",
        community_id=community_id,
        owner="desk",
        title=f"{name}的全称",
        text=f"{name}的全文。",
        spoken_title=name,
        spoken_background=f"{name}的背景，大家都来说说。",
        options=more.pop("options", []),
        rules={},
        state=state,
        rank=more.pop("rank", 0),
        opens_at=NOW - timedelta(days=7),
        created_at=NOW - timedelta(days=8),
        **more,
    )


def opinion(
    session: Session, community_id: str, person_id: str, name: str, topic_id: str | None, **more: object
) -> Opinion:
    """An approved opinion whose words are `name`的话, released as words."""
    told = Opinion(
        id=f"op_{name}",
        community_id=community_id,
        person_id=person_id,
        topic_id=topic_id,
        source="call",
        source_id=name,
        channel="phone",
        evidence="caller_id",
        kind="opinion",
        state=more.pop("state", "approved"),
        release=more.pop("release", "words"),
        said_at=NOW - timedelta(days=1),
        **more,
    )
    session.add(told)
    session.flush()
    session.add(
        Transcript(
            opinion_id=told.id,
            version=1,
            redacted=f"{name}的话",
            confidence=0.9,
            language="zh",
            engine="test",
            speech_seconds=3.0,
            made_by="machine",
            made_at=NOW,
        )
    )
    return told


def enrich(archive: Archive, community: Community) -> None:
    """Topics open, with options, decided; neighbours' opinions; own opinions answered, one privately."""
    with archive.database.begin() as session:

        def person(e164: str) -> Person:
            number = find_or_create_number(session, archive, community.id, e164)
            return person_at(session, archive, community.id, number)

        mine, theirs = person(CALLER), person(NEIGHBOUR)
        session.add_all(
            [
                Setting(
                    community_id=community.id,
                    name="person_number",
                    value="+8657188886666",
                    changed_at=NOW,
                    changed_by="test",
                ),
                topic(community.id, "电梯", rank=1),
                topic(community.id, "食堂", rank=2, options=[["noon", "只开午饭"], ["both", "午饭和晚饭"]]),
                topic(community.id, "停车", "decided", rank=3, decision="停车位按先来后到。"),
                topic(community.id, "草稿", "draft", rank=4),
            ]
        )
        session.flush()
        session.add(
            ProgressUpdate(
                id="pu_1",
                topic_id="tp_电梯",
                community_id=community.id,
                stage="survey",
                spoken="电梯的图纸画好了。",
                text="全文",
                published_at=NOW - timedelta(days=2),
                published_by="desk",
            )
        )
        for name in ("甲", "乙", "丙"):
            opinion(session, community.id, theirs.id, name, "tp_电梯")
        opinion(session, community.id, theirs.id, "没放行", "tp_电梯", release="none")
        opinion(session, community.id, theirs.id, "没审核", "tp_电梯", state="review")
        for name, receipt, is_private in (("我一", "12345674", False), ("我二", "22345673", True)):
            opinion(session, community.id, mine.id, name, "tp_电梯", receipt=receipt, stage="answered")
            session.add(
                Reply(
                    id=f"rp_{name}",
                    opinion_id=f"op_{name}",
                    community_id=community.id,
                    spoken=f"{name}的答复。",
                    is_private=is_private,
                    published_at=NOW - timedelta(hours=5),
                    published_by="desk",
                )
            )
