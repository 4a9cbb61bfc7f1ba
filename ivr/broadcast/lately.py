"""What the loudspeakers of a community played in the last days, as it may be heard again on the telephone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ivr.broadcast.script import Content, Notice, OfProgress, OfTopic, OwnVoice, Said, Voice, write_script
from ivr.dialogue.hearing_again import MOST_BROADCASTS
from ivr.dialogue.view import BroadcastItemView, BroadcastView, VoiceView
from ivr.neighbours import broadcast_voices
from sync.called_after import WAS_HEARD
from sync.records.tables import Airing, Play, Programme, ProgrammeItem, ProgressUpdate, Topic
from sync.wording import LONGEST_TITLE, SPOKEN, WORDED

HEARD_AGAIN_DAYS = 7


def broadcast_lately(
    session: Session, community_id: str, language: str, now: datetime
) -> tuple[BroadcastView, ...]:
    """Programmes that at least one loudspeaker began to play in the last seven days, the last played first.

    They say what they say now. One that was taken back, or is being changed, is left out: nobody stands by
    its words just now.
    """
    played = _played(session, community_id, now)
    if not played:
        return ()
    items = _items(session, played, language)
    views = (BroadcastView(one, title[:LONGEST_TITLE], items.get(one, ())) for one, title, _ in played)
    return tuple(view for view in views if view.items)


class _Played(NamedTuple):
    programme_id: str
    title: str
    is_emergency: bool


def _played(session: Session, community_id: str, now: datetime) -> Sequence[_Played]:
    """The last played first."""
    since, last = now - timedelta(days=HEARD_AGAIN_DAYS), func.max(Airing.began_at)
    rows = session.execute(
        select(Programme.id, Programme.title, Programme.priority)
        .join(Airing, Airing.programme_id == Programme.id)
        .join(Play, Play.airing_id == Airing.id)
        .where(
            Airing.community_id == community_id,
            Airing.due_at >= since,
            Airing.began_at <= now,
            Programme.state == "approved",
            WAS_HEARD,
        )
        .group_by(Programme.id, Programme.title, Programme.priority)
        .order_by(last.desc(), Programme.id)
        .limit(MOST_BROADCASTS)
    )
    return [_Played(programme_id, title, priority == "emergency") for programme_id, title, priority in rows]


def _items(
    session: Session, played: Sequence[_Played], language: str
) -> Mapping[str, tuple[BroadcastItemView, ...]]:
    """What was said in each, without chime, greeting and the number to call: who listens has called."""
    programmes = {one.programme_id: one for one in played}
    rows = session.execute(
        select(ProgrammeItem, Topic, ProgressUpdate)
        .join(ProgressUpdate, (ProgressUpdate.id == ProgrammeItem.progress_id) & SPOKEN, isouter=True)
        .join(Topic, Topic.id == func.coalesce(ProgrammeItem.topic_id, ProgressUpdate.topic_id), isouter=True)
        .where(ProgrammeItem.programme_id.in_(programmes), or_(Topic.id.is_(None), WORDED))
        .order_by(ProgrammeItem.programme_id, ProgrammeItem.position)
    ).all()
    voices = broadcast_voices(session, {(i.opinion_id, i.is_own_voice) for i, *_ in rows if i.opinion_id})
    found: dict[str, tuple[BroadcastItemView, ...]] = defaultdict(tuple)
    for item, topic, update in rows:
        is_emergency = programmes[item.programme_id].is_emergency
        voice = voices.get((item.opinion_id or "", item.is_own_voice))
        content = _voice(voice) if voice else _content(item, topic, update, is_emergency)
        if content is not None:
            said = _said(content, language)
            found[item.programme_id] += (BroadcastItemView(said, voice, item.is_own_voice),)
    return found


def _content(
    item: ProgrammeItem, topic: Topic | None, update: ProgressUpdate | None, is_emergency: bool
) -> Content | None:
    title = "" if topic is None else topic.spoken_title or topic.title
    match item.kind:
        case "notice":
            return Notice(item.text, is_emergency)
        case "progress" if update is not None:
            return OfProgress(title, update.spoken)
        case "topic" if topic is not None:
            return OfTopic(title, topic.spoken_background or topic.text, topic.decision or "")
    return None


def _voice(voice: VoiceView) -> Content:
    return OwnVoice(voice.opinion_id, "", 0.0) if voice.recording_id else Voice(voice.words)


def _said(content: Content, language: str) -> tuple[str, ...]:
    """The sentences of an item, in the very pieces the loudspeakers played; a resident's words left out."""
    parts = write_script([content], language, voice="").parts
    return tuple(part.text for part in parts if isinstance(part, Said) and not part.is_personal)
