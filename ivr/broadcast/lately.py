"""What the loudspeakers of a community played in the last days, as it may be heard again on the telephone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from ivr.dialogue.hearing_again import MOST_BROADCASTS
from ivr.dialogue.view import BroadcastItemView, BroadcastView
from ivr.neighbours import broadcast_voices
from sync.records.tables import Airing, Play, Programme, ProgrammeItem, ProgressUpdate, Topic
from sync.wording import LONGEST_TITLE, SPOKEN, WORDED

HEARD_AGAIN_DAYS = 7

_HEARD = or_(Play.state.in_(("started", "finished")), Play.started_at.is_not(None))


def broadcast_lately(session: Session, community_id: str, now: datetime) -> tuple[BroadcastView, ...]:
    """Programmes that at least one loudspeaker began to play in the last seven days, the last played first.

    One that was taken back, or is being changed, is left out: nobody stands by its words just now.
    """
    played = _played(session, community_id, now)
    if not played:
        return ()
    items = _items(session, [programme_id for programme_id, _ in played])
    views = (BroadcastView(one, title[:LONGEST_TITLE], items.get(one, ())) for one, title in played)
    return tuple(view for view in views if view.items)


def _played(session: Session, community_id: str, now: datetime) -> Sequence[tuple[str, str]]:
    """(programme, title), the last played first."""
    since, last = now - timedelta(days=HEARD_AGAIN_DAYS), func.max(Airing.began_at)
    rows = session.execute(
        select(Programme.id, Programme.title)
        .join(Airing, Airing.programme_id == Programme.id)
        .join(Play, Play.airing_id == Airing.id)
        .where(
            Airing.community_id == community_id,
            Airing.due_at >= since,
            Airing.began_at <= now,
            Programme.state == "approved",
            _HEARD,
        )
        .group_by(Programme.id, Programme.title)
        .order_by(last.desc(), Programme.id)
        .limit(MOST_BROADCASTS)
    )
    return [(programme_id, title) for programme_id, title in rows]


def _items(session: Session, programmes: Sequence[str]) -> Mapping[str, tuple[BroadcastItemView, ...]]:
    """What was said in each, without chime, greeting and the number to call: who listens has called."""
    rows = session.execute(
        select(ProgrammeItem, Topic, ProgressUpdate.spoken)
        .join(Topic, (Topic.id == ProgrammeItem.topic_id) & WORDED, isouter=True)
        .join(ProgressUpdate, (ProgressUpdate.id == ProgrammeItem.progress_id) & SPOKEN, isouter=True)
        .where(ProgrammeItem.programme_id.in_(programmes))
        .order_by(ProgrammeItem.programme_id, ProgrammeItem.position)
    ).all()
    spoken_by = {(item.opinion_id, item.is_own_voice) for item, *_ in rows if item.opinion_id}
    voices = broadcast_voices(session, spoken_by)
    found: dict[str, tuple[BroadcastItemView, ...]] = defaultdict(tuple)
    for item, topic, spoken in rows:
        if voice := voices.get((item.opinion_id or "", item.is_own_voice)):
            found[item.programme_id] += (BroadcastItemView((), voice, item.is_own_voice),)
        elif sentences := _sentences(item, topic, spoken):
            found[item.programme_id] += (BroadcastItemView(sentences),)
    return found


def _sentences(item: ProgrammeItem, topic: Topic | None, spoken: str | None) -> tuple[str, ...]:
    said: tuple[str, ...] = ()
    match item.kind:
        case "notice":
            said = (item.text,)
        case "progress":
            said = (spoken or "",)
        case "topic" if topic is not None:
            told = topic.decision or topic.spoken_background or topic.text
            said = (topic.spoken_title or topic.title, told)
    return tuple(sentence for sentence in said if sentence.strip())
