"""What all callers of a community see alike: topics, neighbours, settings; read anew when records change."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.orm import Session

from ivr.arrivals import UnknownNumber
from ivr.broadcast.lately import broadcast_lately
from ivr.dialogue.plain import view_to_plain
from ivr.dialogue.view import BroadcastView, CommunityView, TopicView
from ivr.neighbours import Sides, neighbours_on, voices_for
from ivr.prompts.voice import voice_of
from ivr.recent import Recent
from sync.community_settings import DEFAULT_KEEP_MONTHS
from sync.people import normalise_number
from sync.platforms import LINK
from sync.prepared import Prepared
from sync.records.tables import Change, Community, Platform, ProgressUpdate, Setting, Topic, record_id
from sync.tally import VOTED
from sync.unsaid import mark
from sync.wording import SPOKEN, WORDED

MOST_TOPICS = 9
MOST_PAST_TOPICS = 6
MOST_UPDATES = 3
DEFAULT_SEATS = 2
FRESH_SECONDS = 2.0
"""How long an outlook serves at most. Changes of records are seen at once; other edits after this."""

_HEARD = ("open", "paused", "closed", "decided")
_LAST_CHANGE = (
    select(Change.id)
    .where(Change.community_id == Community.id)
    .order_by(Change.xact.desc(), Change.id.desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_SETTING = select(func.max(Setting.changed_at)).where(Setting.community_id == Community.id)
_UNSAID = mark(Community.id).scalar_subquery()
_NUMBERED = or_(Community.dialled_number == bindparam("raw"), Community.dialled_number == bindparam("number"))
_DIALLED = Prepared(
    select(
        Community.id,
        Community.name,
        Community.language,
        Community.is_demo,
        _LAST_CHANGE,
        _LAST_SETTING.scalar_subquery(),
        _UNSAID,
    ).where(_NUMBERED)
)


@dataclass(frozen=True)
class Shared:
    """The plain part of a view that many callers share; `id` follows from its content and the day."""

    id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Outlook:
    """One community as it stood at `read_at`. `topics` lack voices: `sides` are the neighbours of each."""

    community_id: str
    name: str
    language: str
    voice: str
    settings: Mapping[str, Any]
    topics: tuple[TopicView, ...]
    may_link: bool
    broadcasts: tuple[BroadcastView, ...]
    sides: Mapping[str, Sides]
    read_at: datetime

    @property
    def seats(self) -> int:
        """How many may vote from one number."""
        return int(self.settings.get("seats_per_number") or DEFAULT_SEATS)

    def speakers(self) -> frozenset[str]:
        """The people whose opinions others may hear."""
        every = (side for sides in self.sides.values() for side in sides.values())
        return frozenset(one.person_id for side in every for one in side)

    def shared(self, people: Collection[str]) -> Shared:
        """What callers who are not about to hear themselves (`people`) see."""
        view = CommunityView(
            name=self.name,
            topics=tuple(self._heard(topic, people) for topic in self.topics),
            person_number=str(self.settings.get("person_number") or ""),
            notice_version=str(self.settings.get("notice_version") or "1"),
            keep_months=int(self.settings.get("keep_months") or DEFAULT_KEEP_MONTHS),
            may_link=self.may_link,
            broadcasts=self.broadcasts,
        )
        content = view_to_plain(view)
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        return Shared(record_id("sv", self.read_at.date().isoformat(), self.community_id, digest), content)

    def _heard(self, topic: TopicView, people: Collection[str]) -> TopicView:
        sides = self.sides.get(topic.topic_id)
        return topic if sides is None else replace(topic, voices=voices_for(sides, people))


@dataclass(frozen=True)
class Fresh:
    """An outlook, what most callers see of it, and what the records said when it was read."""

    outlook: Outlook
    speakers: frozenset[str]
    usual: Shared
    marks: tuple[object, ...]
    until: datetime

    @property
    def unsaid(self) -> int:
        """The mark of what had been taken back before it was read."""
        return int(str(self.marks[-1]))

    def shared(self, people: Collection[str]) -> Shared:
        """What a telephone with these people sees."""
        return self.outlook.shared(people) if self.speakers.intersection(people) else self.usual


class Outlooks:
    """The communities dialled lately, one query a call as long as nothing has changed."""

    def __init__(self) -> None:
        self._known = Recent[Fresh](most=500)

    def dialled(self, session: Session, raw: str, now: datetime) -> Fresh:
        """The community with this number, as it is now. Raises UnknownNumber."""
        numbers = {"raw": raw, "number": normalise_number(raw) or raw}
        rows = _DIALLED.rows(session.connection(), numbers)
        if not rows:
            raise UnknownNumber("no community has this number")
        community_id, name, language, is_demo, *_ = marks = rows[0]
        known = self._known.get(community_id)
        if known is None or known.marks != marks or not known.outlook.read_at <= now < known.until:
            topics = _topics(session, community_id)
            outlook = _read(session, (community_id, name, language, is_demo), topics, now)
            known = Fresh(outlook, outlook.speakers(), outlook.shared(()), marks, _until(topics, now))
            self._known.put(community_id, known)
        return known


def read_outlook(session: Session, community: Community, now: datetime) -> Outlook:
    """A community's outlook, read now whatever is remembered."""
    named = (community.id, community.name, community.language, community.is_demo)
    return _read(session, named, _topics(session, community.id), now)


def _topics(session: Session, community_id: str) -> Sequence[Topic]:
    return session.scalars(
        select(Topic)
        .where(Topic.community_id == community_id, Topic.state.in_(_HEARD), WORDED)
        .order_by(Topic.rank, Topic.created_at, Topic.id)
    ).all()


def _until(topics: Sequence[Topic], now: datetime) -> datetime:
    """The next moment at which a topic opens or closes, or a little later than now."""
    edges = (edge for topic in topics for edge in (topic.opens_at, topic.closes_at))
    return min([edge for edge in edges if edge and edge > now] + [now + timedelta(seconds=FRESH_SECONDS)])


def _read(
    session: Session, community: tuple[str, str, str, bool], topics: Sequence[Topic], now: datetime
) -> Outlook:
    community_id, name, language, is_demo = community
    current = [topic for topic in topics if is_open_at(topic, now)][:MOST_TOPICS]
    past = [topic for topic in topics if not is_open_at(topic, now) and (topic.opens_at or now) <= now]
    heard = (*current, *past[-MOST_PAST_TOPICS:])
    updates = _updates(session, [topic.id for topic in heard], now)
    return Outlook(
        community_id=community_id,
        name=name,
        language=language,
        voice=voice_of(session, community_id),
        settings=_settings(session, community_id),
        topics=tuple(_topic(topic, updates[topic.id], now) for topic in heard),
        may_link=_may_link(session, community_id, now),
        broadcasts=broadcast_lately(session, community_id, language, now),
        sides=neighbours_on(session, [topic.id for topic in current], with_practice=is_demo),
        read_at=now,
    )


def is_open_at(topic: Topic, now: datetime) -> bool:
    """Whether a topic takes ballots at `now`."""
    return (
        topic.state == "open"
        and (topic.opens_at is None or topic.opens_at <= now)
        and (topic.closes_at is None or now < topic.closes_at)
    )


def _topic(topic: Topic, updates: Sequence[str], now: datetime) -> TopicView:
    return TopicView(
        topic_id=topic.id,
        title=topic.spoken_title or topic.title,
        background=topic.spoken_background or topic.text,
        options=tuple((str(choice), str(label)) for choice, label in topic.options),
        updates=tuple(updates),
        is_open=is_open_at(topic, now),
        decision=topic.decision,
        tells_voters=is_open_at(topic, now) and (topic.rules or {}).get("results") == VOTED,
    )


def _updates(session: Session, topic_ids: Sequence[str], now: datetime) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        select(ProgressUpdate.topic_id, ProgressUpdate.spoken)
        .where(ProgressUpdate.topic_id.in_(topic_ids), ProgressUpdate.published_at <= now, SPOKEN)
        .order_by(ProgressUpdate.published_at.desc())
    )
    for topic_id, spoken in rows:
        if len(found[topic_id]) < MOST_UPDATES:
            found[topic_id].append(spoken)
    return found


def _may_link(session: Session, community_id: str, now: datetime) -> bool:
    """Whether some platform takes the codes that callers hear."""
    platforms = select(Platform.scopes, Platform.expires_at).where(Platform.community_id == community_id)
    return any(
        LINK in scopes and (expires_at is None or expires_at > now)
        for scopes, expires_at in session.execute(platforms)
    )


def _settings(session: Session, community_id: str) -> Mapping[str, Any]:
    rows = session.execute(select(Setting.name, Setting.value).where(Setting.community_id == community_id))
    return {row.name: row.value for row in rows}
