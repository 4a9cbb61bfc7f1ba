"""What may be put into a programme: topics, what became of them, residents' approved words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ivr.broadcast.reading import national
from ivr.broadcast.script import (
    CallUs,
    Chime,
    Content,
    Greeting,
    Notice,
    OfProgress,
    OfTopic,
    OwnVoice,
    Voice,
    seconds_of,
)
from sync.broadcasting import Item
from sync.records.tables import (
    Community,
    Opinion,
    OpinionRecording,
    ProgressUpdate,
    Recording,
    Topic,
    Transcript,
)
from sync.wording import SPOKEN, WORDED

MOST_OFFERED = 40
_TOLD = ("open", "paused", "closed", "decided")


@dataclass(frozen=True)
class OfferedVoice:
    """An approved opinion. `own_seconds` is the length of its sound where it may be played; else None."""

    words: str
    topic: str
    own_seconds: float | None


@dataclass(frozen=True)
class Offers:
    """Everything of one community that may be said, by id, the newest first."""

    community: str
    number: str
    language: str
    topics: Mapping[str, OfTopic]
    updates: Mapping[str, OfProgress]
    voices: Mapping[str, OfferedVoice]

    def content(self, item: Item, is_emergency: bool = False) -> Content | None:
        """What an item says; None where it may not be said any more."""
        match item.kind:
            case "chime":
                return Chime()
            case "greeting":
                return Greeting(self.community, item.text)
            case "notice":
                return Notice(item.text, is_emergency)
            case "topic":
                return self.topics.get(item.topic_id or "")
            case "progress":
                return self.updates.get(item.progress_id or "")
            case "voice":
                return self._voice(item)
            case "call":
                return CallUs(national(self.number))
        return None

    def seconds(self, item: Item, is_emergency: bool = False) -> float:
        """About how long an item is; 0 where it can't be said."""
        content = self.content(item, is_emergency)
        return 0.0 if content is None else seconds_of(content, self.language)

    def _voice(self, item: Item) -> Content | None:
        voice = self.voices.get(item.opinion_id or "")
        if voice is None:
            return None
        if not item.is_own_voice:
            return Voice(voice.words)
        return None if voice.own_seconds is None else OwnVoice(item.opinion_id or "", "", voice.own_seconds)


def offers_for(session: Session, community_id: str, items: tuple[Item, ...] = ()) -> Offers:
    """What is offered, and what `items` hold already however old it is."""
    community = session.get_one(Community, community_id)
    return Offers(
        community.name,
        community.dialled_number,
        community.language,
        _topics(session, community_id),
        _updates(session, community_id, [item.progress_id or "" for item in items]),
        _voices(session, community, [item.opinion_id or "" for item in items]),
    )


def _topics(session: Session, community_id: str) -> Mapping[str, OfTopic]:
    rows = session.scalars(
        select(Topic)
        .where(Topic.community_id == community_id, Topic.state.in_(_TOLD), WORDED)
        .order_by(Topic.created_at.desc(), Topic.id)
    )
    return {topic.id: _of_topic(topic) for topic in rows}


def _of_topic(topic: Topic) -> OfTopic:
    title, background = topic.spoken_title or topic.title, topic.spoken_background or topic.text
    return OfTopic(title, background, topic.decision or "")


def _updates(session: Session, community_id: str, held: list[str]) -> Mapping[str, OfProgress]:
    here = (ProgressUpdate.community_id == community_id, SPOKEN)
    newest = select(ProgressUpdate.id).where(*here).order_by(ProgressUpdate.published_at.desc())
    rows = session.execute(
        select(ProgressUpdate, Topic)
        .join(Topic, Topic.id == ProgressUpdate.topic_id)
        .where(*here, or_(ProgressUpdate.id.in_(newest.limit(MOST_OFFERED)), ProgressUpdate.id.in_(held)))
        .order_by(ProgressUpdate.published_at.desc(), ProgressUpdate.id)
    )
    return {update.id: OfProgress(_of_topic(topic).title, update.spoken) for update, topic in rows}


def _voices(session: Session, community: Community, held: list[str]) -> Mapping[str, OfferedVoice]:
    here = [
        Opinion.community_id == community.id,
        Opinion.state == "approved",
        Opinion.release.in_(("words", "voice")),
    ]
    if not community.is_demo:
        here.append(Opinion.is_practice.is_(False))
    newest = select(Opinion.id).where(*here).order_by(Opinion.said_at.desc()).limit(MOST_OFFERED)
    rows = session.execute(
        select(Opinion, Topic)
        .join(Topic, Topic.id == Opinion.topic_id, isouter=True)
        .where(*here, or_(Opinion.id.in_(newest), Opinion.id.in_(held)))
        .order_by(Opinion.said_at.desc(), Opinion.id)
    ).all()
    everyone = [opinion.id for opinion, _ in rows]
    words, lengths = _words(session, everyone), _lengths(session, everyone)
    return {
        opinion.id: OfferedVoice(
            words[opinion.id],
            "" if topic is None else _of_topic(topic).title,
            lengths.get(opinion.id) if opinion.release == "voice" else None,
        )
        for opinion, topic in rows
        if words.get(opinion.id)
    }


def _words(session: Session, opinions: list[str]) -> Mapping[str, str]:
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(Transcript.opinion_id.in_(opinions))
        .order_by(Transcript.version)
    )
    return {opinion_id: words or "" for opinion_id, words in rows}


def _lengths(session: Session, opinions: list[str]) -> Mapping[str, float]:
    """Of those whose sound is all there."""
    rows = session.execute(
        select(OpinionRecording.opinion_id, func.sum(func.coalesce(Recording.seconds, 0.0)))
        .join(Recording, Recording.id == OpinionRecording.recording_id)
        .where(OpinionRecording.opinion_id.in_(opinions))
        .group_by(OpinionRecording.opinion_id)
        .having(func.min(Recording.state) == "stored", func.max(Recording.state) == "stored")
    )
    return {opinion_id: float(seconds) for opinion_id, seconds in rows}
