"""Plants the demo community of `seed.toml`: through inbox, merge and desk, the way real voices come in."""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.demo.voices import plant_voices
from admin.roster import import_roster, read_roster
from admin.staff import add_staff, change_password
from sync.archive import Archive
from sync.changes import note
from sync.community_settings import change_setting
from sync.desk import Actor, publish_progress
from sync.platforms import add_platform
from sync.records.tables import Community, ProgressUpdate, Staff, Topic, record_id

COMMUNITY_ID = record_id("com", "demo")
_HERE = Path(__file__).parent
_ACTOR = "demo"


@dataclass(frozen=True)
class Account:
    """How to get into the demo: a sign-in for the desk, a key for the API. Kept in the home, mode 0600."""

    name: str
    password: str
    api_key: str


def read_story() -> dict[str, Any]:
    """The demo community as `seed.toml` tells it."""
    return tomllib.loads((_HERE / "seed.toml").read_text("utf-8"))


def seed(archive: Archive, home: Path, now: datetime | None = None) -> Account | None:
    """Plant the demo where no community is yet; its account, or None where the communities are real ones.

    Safe to repeat; what was cut off half-way is completed.
    """
    kept = home / "demo.json"
    with archive.database.read() as session:
        has_demo = session.get(Community, COMMUNITY_ID) is not None
        has_others = bool(session.scalar(select(func.count()).select_from(Community)))
    if has_demo and kept.exists():
        return Account(**json.loads(kept.read_text("utf-8")))
    if has_others and not has_demo:
        return None
    story, at = read_story(), now or datetime.now(UTC)
    topics = _plant(archive, story, at)
    plant_voices(archive, COMMUNITY_ID, _ACTOR, story["topics"], topics, at)
    _close(archive, story, topics, at)
    with archive.database.begin() as session:
        account = _account(session, story)
    _write_private(kept, json.dumps(asdict(account)))
    return account


def _plant(archive: Archive, story: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Community, roster, settings and topics; the topics' ids by their key."""
    with archive.database.begin() as session:
        if session.get(Community, COMMUNITY_ID) is None:
            told = story["community"]
            session.add(
                Community(
                    id=COMMUNITY_ID, name=told["name"], dialled_number=told["number"],
                    time_zone=told["time_zone"], is_demo=True, created_at=now,
                )
            )  # fmt: skip
            session.flush()
        import_roster(session, archive, COMMUNITY_ID, read_roster(_HERE / "roster.csv"))
        for name, value in story["settings"].items():
            change_setting(session, COMMUNITY_ID, name, value, _ACTOR)
        return {
            told["key"]: _topic(session, rank, told, now)
            for rank, told in enumerate(story["topics"], start=1)
        }


def _topic(session: Session, rank: int, told: Mapping[str, Any], now: datetime) -> str:
    topic_id = record_id("tp", "demo", told["key"])
    if session.get(Topic, topic_id) is None:
        closes = -told["closed_days_ago"] if "closed_days_ago" in told else told["closes_in_days"]
        session.add(
            Topic(
                id=topic_id,
                community_id=COMMUNITY_ID,
                owner="desk",
                title=told["title"],
                text=told["text"],
                spoken_title=told["spoken_title"],
                spoken_background=told["spoken_background"],
                options=told.get("options", []),
                rules={"counts": "persons"},
                state="open",
                rank=rank,
                opens_at=now - timedelta(days=told["opens_days_ago"]),
                closes_at=now + timedelta(days=closes),
                created_at=now - timedelta(days=told["opens_days_ago"]),
            )
        )
        note(session, "topic", topic_id, COMMUNITY_ID, "created", now)
    return topic_id


def _close(archive: Archive, story: Mapping[str, Any], topics: Mapping[str, str], now: datetime) -> None:
    """What became of the topics: progress in its order, then the decision."""
    actor = Actor(_ACTOR, COMMUNITY_ID)
    for told in story["topics"]:
        topic_id = topics[told["key"]]
        for update in told.get("progress", ()):
            if not _is_told(archive, topic_id, update["spoken"]):
                at = now - timedelta(days=update["days_ago"])
                publish_progress(
                    archive, actor, topic_id, update["stage"], update["spoken"], update["text"], at
                )
        with archive.database.begin() as session:
            topic = session.get_one(Topic, topic_id)
            if topic.state != told["state"]:
                topic.state, topic.decision = told["state"], told.get("decision")
                topic.version += 1
                note(session, "topic", topic_id, COMMUNITY_ID, "updated", now, state=topic.state)


def _is_told(archive: Archive, topic_id: str, spoken: str) -> bool:
    with archive.database.read() as session:
        told = select(ProgressUpdate.id).where(
            ProgressUpdate.topic_id == topic_id, ProgressUpdate.spoken == spoken
        )
        return session.scalar(told) is not None


def _account(session: Session, story: Mapping[str, Any]) -> Account:
    name, password = story["staff"]["name"], secrets.token_urlsafe(9)
    known = session.scalar(select(Staff).where(Staff.name == name))
    if known is None:
        add_staff(session, COMMUNITY_ID, name, password, story["staff"]["role"])
    else:
        change_password(known, password)
    told = story["platform"]
    _, key = add_platform(session, COMMUNITY_ID, told["name"], told["scopes"], actor=_ACTOR)
    return Account(name, password, key)


def _write_private(path: Path, text: str) -> None:
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
