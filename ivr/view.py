"""What a call sees of its community when it begins, read from the records in a handful of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ivr.dialogue.view import CommunityView, OwnView, TopicView, VoiceView
from ivr.live import FINISHED
from ivr.neighbours import voices_of
from sync.people import roster_seats
from sync.records.tables import (
    Call,
    Community,
    Number,
    Opinion,
    Person,
    ProgressUpdate,
    Reply,
    Setting,
    Topic,
)

RESUME_MINUTES = 30
MOST_TOPICS = 9
MOST_PAST_TOPICS = 6
MOST_UPDATES = 3
MOST_OWN = 5
DEFAULT_SEATS = 2
DEFAULT_KEEP_MONTHS = 12


def community_view(
    session: Session, community: Community, number: Number | None, now: datetime
) -> CommunityView:
    """The view of a call from `number` (None when withheld) that begins at `now`."""
    settings = settings_of(session, community.id)
    people = _people_at(session, number)
    return CommunityView(
        name=community.name,
        topics=_topics(session, community, people, now),
        own=_own(session, people),
        person_number=str(settings.get("person_number") or ""),
        seats=_seats(session, number, settings),
        notice_version=str(settings.get("notice_version") or "1"),
        keep_months=int(settings.get("keep_months") or DEFAULT_KEEP_MONTHS),
        is_slow=number is not None and number.is_slow,
        is_first_call=number is not None and number.last_called_at is None,
        resume_step=_dropped_at(session, people, now),
    )


def settings_of(session: Session, community_id: str) -> Mapping[str, Any]:
    """The settings of a community by name."""
    rows = session.execute(select(Setting.name, Setting.value).where(Setting.community_id == community_id))
    return {row.name: row.value for row in rows}


def _people_at(session: Session, number: Number | None) -> tuple[str, ...]:
    if number is None:
        return ()
    return tuple(session.scalars(select(Person.id).where(Person.number_id == number.id)))


def _seats(session: Session, number: Number | None, settings: Mapping[str, Any]) -> int:
    """As many as the roster knows residents at this number, else the community's setting."""
    if number is None:  # nobody could be found at such a telephone again
        return 1
    return roster_seats(session, number) or int(settings.get("seats_per_number") or DEFAULT_SEATS)


# --- topics ---
def _topics(
    session: Session, community: Community, people: Sequence[str], now: datetime
) -> tuple[TopicView, ...]:
    rows = session.scalars(
        select(Topic)
        .where(Topic.community_id == community.id, Topic.state.in_(("open", "paused", "closed", "decided")))
        .order_by(Topic.rank, Topic.created_at, Topic.id)
    ).all()
    current = [topic for topic in rows if is_open_at(topic, now)][:MOST_TOPICS]
    past = [topic for topic in rows if not is_open_at(topic, now) and (topic.opens_at or now) <= now]
    past = past[-MOST_PAST_TOPICS:]
    voices = voices_of(session, community, [topic.id for topic in current], people)
    updates = _updates(session, [topic.id for topic in (*current, *past)], now)
    return tuple(_topic(topic, voices[topic.id], updates[topic.id], now) for topic in (*current, *past))


def is_open_at(topic: Topic, now: datetime) -> bool:
    """Whether a topic takes ballots at `now`."""
    return (
        topic.state == "open"
        and (topic.opens_at is None or topic.opens_at <= now)
        and (topic.closes_at is None or now < topic.closes_at)
    )


def _topic(topic: Topic, voices: Sequence[VoiceView], updates: Sequence[str], now: datetime) -> TopicView:
    return TopicView(
        topic_id=topic.id,
        title=topic.spoken_title or topic.title,
        background=topic.spoken_background or topic.text,
        options=tuple((str(choice), str(label)) for choice, label in topic.options),
        voices=tuple(voices),
        updates=tuple(updates),
        is_open=is_open_at(topic, now),
        decision=topic.decision,
    )


def _updates(session: Session, topic_ids: Sequence[str], now: datetime) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    if topic_ids:
        rows = session.execute(
            select(ProgressUpdate.topic_id, ProgressUpdate.spoken)
            .where(ProgressUpdate.topic_id.in_(topic_ids), ProgressUpdate.published_at <= now)
            .order_by(ProgressUpdate.published_at.desc())
        )
        for topic_id, spoken in rows:
            if len(found[topic_id]) < MOST_UPDATES:
                found[topic_id].append(spoken)
    return found


# --- the caller ---
def _own(session: Session, people: Sequence[str]) -> tuple[OwnView, ...]:
    if not people:
        return ()
    rows = session.execute(
        select(Opinion.id, Opinion.receipt, Opinion.stage, Topic.title, Topic.spoken_title)
        .join(Topic, Topic.id == Opinion.topic_id, isouter=True)
        .where(
            Opinion.person_id.in_(people),
            Opinion.receipt.is_not(None),
            Opinion.state.not_in(("withdrawn", "erased")),
        )
        .order_by(Opinion.said_at.desc(), Opinion.id)
        .limit(MOST_OWN)
    ).all()
    replies = latest_replies(session, [row.id for row in rows])
    return tuple(
        OwnView(
            opinion_id=row.id,
            receipt=row.receipt,
            stage=row.stage,
            topic_title=row.spoken_title or row.title,
            reply=replies[row.id].spoken if row.id in replies else None,
            is_new=row.id in replies and replies[row.id].heard_at is None,
            is_private=row.id in replies and replies[row.id].is_private,
        )
        for row in rows
    )


def latest_replies(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, Reply]:
    """The newest reply to each opinion that has one."""
    if not opinion_ids:
        return {}
    rows = session.scalars(
        select(Reply).where(Reply.opinion_id.in_(opinion_ids)).order_by(Reply.published_at, Reply.id)
    )
    return {reply.opinion_id: reply for reply in rows}


def _dropped_at(session: Session, people: Sequence[str], now: datetime) -> str | None:
    """The step at which this number's last call broke off less than half an hour ago."""
    if not people:
        return None
    last = session.execute(
        select(Call.place, Call.end_status, Call.turned_at)
        .where(Call.person_id.in_(people))
        .order_by(Call.began_at.desc())
        .limit(1)
    ).first()
    if (
        last is None
        or last.end_status == FINISHED
        or last.turned_at < now - timedelta(minutes=RESUME_MINUTES)
    ):
        return None
    return str(last.place.get("step")) or None
