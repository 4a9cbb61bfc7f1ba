"""A standing rule at work: what changed since it last spoke becomes a draft, in time for a person to read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ivr.broadcast.planning import Wanted, moment_name
from ivr.broadcast.reading import Unsayable, content_of
from ivr.broadcast.script import BETWEEN_ITEMS_SECONDS, seconds_of
from sync.broadcasting.programmes import Item, write_items
from sync.community_settings import audit
from sync.records.tables import Change, Community, Opinion, Programme, ProgressUpdate, Topic, record_id
from sync.upsert import insert_or_ignore
from sync.wording import SPOKEN, WORDED

RULE = "standing rule"
MOST_VOICES = 2
FIRST_LOOKS_BACK = timedelta(days=1)
LEFT_OUT = "left_out"
_FRAME = (Item("chime"), Item("greeting"), Item("call"))


@dataclass(frozen=True)
class Draft:
    """The items that fit, and how many of what was new did not."""

    items: tuple[Item, ...]
    left_out: int


def draft_for(session: Session, wanted: Wanted, now: datetime) -> str | None:
    """Write the draft of one moment of a rule, once; its id, None where there is nothing new to tell."""
    schedule, day = wanted.schedule, moment_name(wanted.due)
    known = select(Programme.id).where(Programme.schedule_id == schedule.id, Programme.day == day)
    if (there := session.scalar(known)) is not None:
        return there
    community = session.get_one(Community, schedule.community_id)
    rule = schedule.rule or {}
    since = _last_drafted(session, schedule.id) or now - FIRST_LOOKS_BACK
    new = news(session, community, since, now)
    draft = fitting(session, community, new, float(rule.get("max_seconds", 180)))
    if len(draft.items) == len(_FRAME):
        return None
    programme_id = record_id("pg", schedule.id, day)
    is_ours = insert_or_ignore(
        session,
        Programme,
        ("schedule_id", "day"),
        id=programme_id,
        community_id=community.id,
        title=schedule.name,
        state="submitted",
        version=1,
        priority="normal",
        voice="",
        schedule_id=schedule.id,
        day=day,
        last_day=wanted.due.day.isoformat(),
        sound_state="wanted",
        created_by=RULE,
        created_at=now,
        changed_by=RULE,
        changed_at=now,
        tries=0,
        problem=LEFT_OUT if draft.left_out else None,
    )
    if is_ours:
        write_items(session, programme_id, draft.items)
        audit(session, community.id, RULE, "programme.drafted", programme_id, left_out=draft.left_out)
    return programme_id


def news(session: Session, community: Community, since: datetime, now: datetime) -> Sequence[Item]:
    """What has become new, most important first: progress, decisions, topics, a few neighbours' words."""
    return [
        *_progress(session, community.id, since, now),
        *_topics(session, community.id, since, now),
        *_voices(session, community, since),
    ]


def fitting(session: Session, community: Community, new: Iterable[Item], max_seconds: float) -> Draft:
    """As much of it, in order, as can be said in that time with all that stands around it."""
    probe = Programme(community_id=community.id, priority="normal")
    spent = sum(_seconds(session, community, probe, item) for item in _FRAME)
    chosen, left_out = [], 0
    for item in new:
        try:
            length = _seconds(session, community, probe, item)
        except Unsayable:
            continue
        if spent + length <= max_seconds:
            chosen.append(item)
            spent += length
        else:
            left_out += 1
    chime, greeting, call = _FRAME
    return Draft((chime, greeting, *chosen, call), left_out)


def _seconds(session: Session, community: Community, probe: Programme, item: Item) -> float:
    content = content_of(session, community, probe, item)
    return seconds_of(content, community.language) + BETWEEN_ITEMS_SECONDS


def _last_drafted(session: Session, schedule_id: str) -> datetime | None:
    return session.scalar(select(func.max(Programme.created_at)).where(Programme.schedule_id == schedule_id))


def _progress(session: Session, community_id: str, since: datetime, now: datetime) -> Iterable[Item]:
    rows = session.scalars(
        select(ProgressUpdate.id)
        .where(ProgressUpdate.community_id == community_id, SPOKEN)
        .where(ProgressUpdate.published_at > since, ProgressUpdate.published_at <= now)
        .order_by(ProgressUpdate.published_at, ProgressUpdate.id)
    )
    return [Item("progress", progress_id=one) for one in rows]


def _topics(session: Session, community_id: str, since: datetime, now: datetime) -> Iterable[Item]:
    """Decided ones first, then those that have opened."""
    touched = select(Change.record_id).where(
        Change.community_id == community_id, Change.record == "topic", Change.changed_at > since
    )
    rows = session.scalars(
        select(Topic)
        .where(Topic.community_id == community_id, Topic.state.in_(("open", "decided")), WORDED)
        .order_by(Topic.rank, Topic.created_at, Topic.id)
    ).all()
    changed = set(session.scalars(touched))
    decided = [row for row in rows if row.state == "decided" and row.decision and row.id in changed]
    opened = [row for row in rows if row.state == "open" and since < (row.opens_at or row.created_at) <= now]
    return [Item("topic", topic_id=row.id) for row in (*decided, *opened)]


def _voices(session: Session, community: Community, since: datetime) -> Iterable[Item]:
    """Words approved since then on open topics, read aloud: own voices are for staff to choose."""
    approved = select(Change.record_id).where(
        Change.community_id == community.id, Change.record == "opinion", Change.changed_at > since
    )
    query = (
        select(Opinion.id)
        .join(Topic, Topic.id == Opinion.topic_id)
        .where(Opinion.community_id == community.id, Opinion.id.in_(approved))
        .where(Opinion.state == "approved", Opinion.release.in_(("words", "voice")), Topic.state == "open")
        .order_by(Opinion.said_at.desc(), Opinion.id)
        .limit(MOST_VOICES)
    )
    if not community.is_demo:
        query = query.where(Opinion.is_practice.is_(False))
    return [Item("voice", opinion_id=one) for one in session.scalars(query)]
