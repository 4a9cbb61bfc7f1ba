"""The voices of the demo: ballots and opinions put into the inbox, merged, reviewed, answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from speech.errors import SpeechError
from speech.recognize import Recognizer
from sync import desk
from sync.archive import Archive
from sync.desk import Actor
from sync.inbox import Given, keep
from sync.people import evidence_of, find_or_create_number, person_at
from sync.receipts import allot
from sync.records.tables import Capture, Opinion, Reply, record_id
from sync.settle import settle_batch
from sync.typed import seal_words
from sync.words import transcribe_opinion

SOURCE = "demo"

# Who they are is in roster.csv; here only which of its telephones each of them speaks on.
TELEPHONES: Mapping[str, str] = {
    "wang_guilan": "+8613800000001",
    "li_jianguo": "+8613800000002",
    "zhao_xiuying": "+8613800000003",
    "chen_defa": "+8613800000004",
    "liu_fengxia": "+8613800000005",
    "sun_yulan": "+8613800000006",
    "zhou_mingde": "+8613800000007",
    "wu_guoqiang": "+8613800000008",
}


def plant_voices(
    archive: Archive,
    community_id: str,
    actor_id: str,
    told: Sequence[Mapping[str, Any]],
    topics: Mapping[str, str],
    now: datetime,
) -> None:
    """Give every ballot and opinion of the story `told`, settle, approve and answer them. Safe to repeat."""
    with archive.database.begin() as session:
        for given in _all_given(session, archive, community_id, told, topics, now):
            keep(session, given, given.cast_at)
    settle_batch(archive)
    actor = Actor(actor_id, community_id)
    for topic in told:
        for place, opinion in enumerate(topic.get("opinions", ())):
            this = opinion_id(topic["key"], place)
            transcribe_opinion(archive, this, _nobody_listens, lambda: now)
            _review(archive, actor, this, opinion, now)


def opinion_id(topic_key: str, place: int) -> str:
    """The id of the opinion at a place (from 0) of a topic of the story."""
    return record_id("op", SOURCE, topic_key, str(place))


def _all_given(
    session: Session,
    archive: Archive,
    community_id: str,
    told: Sequence[Mapping[str, Any]],
    topics: Mapping[str, str],
    now: datetime,
) -> Iterator[Given]:
    for topic in told:
        topic_id = topics[topic["key"]]
        cast_at = now - timedelta(days=topic["opens_days_ago"]) + timedelta(hours=3)
        for name, choice in topic["votes"].items():
            who = _who(session, archive, community_id, name)
            source_id = f"{topic['key']} {name}"
            ballot = {"choice": choice}
            yield Given(
                SOURCE, source_id, **who, kind="ballot", topic_id=topic_id, payload=ballot, cast_at=cast_at
            )
        for place, opinion in enumerate(topic.get("opinions", ())):
            who = _who(session, archive, community_id, opinion["by"])
            yield from _opinion(session, archive, community_id, who, topic, topic_id, place, opinion, now)


def _who(session: Session, archive: Archive, community_id: str, name: str) -> dict[str, Any]:
    number = find_or_create_number(session, archive, community_id, TELEPHONES[name])
    return {
        "community_id": community_id,
        "person_id": person_at(session, archive, community_id, number).id,
        "channel": "phone",
        "evidence": evidence_of(session, number),
        "is_practice": False,
    }


def _opinion(
    session: Session,
    archive: Archive,
    community_id: str,
    who: Mapping[str, Any],
    topic: Mapping[str, Any],
    topic_id: str,
    place: int,
    opinion: Mapping[str, Any],
    now: datetime,
) -> Iterator[Given]:
    said_at = now - timedelta(days=opinion["days_ago"])
    this, source_id = opinion_id(topic["key"], place), f"{topic['key']} said {place}"
    known = select(Capture.id).where(Capture.source == SOURCE, Capture.source_id == source_id)
    if session.scalar(known) is not None:
        return
    written = {
        "opinion_id": this,
        "recordings": [],
        "kind": "opinion",
        "receipt": allot(session, community_id),
        "sealed_text": seal_words(session, archive, who["person_id"], this, opinion["says"]),
    }
    yield Given(SOURCE, source_id, **who, kind="opinion", topic_id=topic_id, payload=written, cast_at=said_at)
    yield Given(SOURCE, f"{source_id} release", **who, kind="release", topic_id=topic_id,
                payload={"opinion_id": this, "release": "words"}, cast_at=said_at)  # fmt: skip


def _nobody_listens() -> Recognizer:
    raise SpeechError("what is written needs no recognizer", permanent=True)


def _review(archive: Archive, actor: Actor, this: str, told: Mapping[str, Any], now: datetime) -> None:
    """What a staff member did: let it out, answered it."""
    with archive.database.read() as session:
        state = session.get_one(Opinion, this).state
        has_reply = session.scalar(select(Reply.id).where(Reply.opinion_id == this)) is not None
    at = now - timedelta(days=told["days_ago"]) + timedelta(hours=2)
    if state != "approved":
        desk.approve(archive, actor, this, at)
    if "reply" in told and not has_reply:
        desk.reply(archive, actor, this, told["reply"], at + timedelta(days=1))
