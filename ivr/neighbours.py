"""Which neighbours a caller hears on a topic: a few approved opinions, from different sides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, zip_longest

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from ivr.dialogue.view import VoiceView
from sync.records.tables import Ballot, Community, Opinion, OpinionRecording, Recording, Transcript

MOST_VOICES = 3


def voices_of(
    session: Session, community: Community, topic_ids: Sequence[str], people: Sequence[str]
) -> Mapping[str, list[VoiceView]]:
    """Up to three opinions a topic, taken in turn from the sides their speakers voted for, newest first."""
    found: dict[str, list[VoiceView]] = defaultdict(list)
    sides = _sides(session, community, topic_ids, people) if topic_ids else {}
    chosen = {topic_id: _mixed(by_side.values()) for topic_id, by_side in sides.items()}
    everyone = [opinion_id for ids in chosen.values() for opinion_id in ids]
    words = _latest_words(session, everyone)
    sounds = _own_sounds(session, everyone)
    for topic_id, ids in chosen.items():
        heard = [VoiceView(one, words.get(one, ""), sounds.get(one)) for one in ids]
        found[topic_id] = [voice for voice in heard if voice.words or voice.recording_id][:MOST_VOICES]
    return found


def _sides(
    session: Session, community: Community, topic_ids: Sequence[str], people: Sequence[str]
) -> Mapping[str, Mapping[str, list[str]]]:
    side = func.coalesce(Ballot.choice, "").label("side")
    place = func.row_number().over(
        partition_by=(Opinion.topic_id, Ballot.choice), order_by=(Opinion.said_at.desc(), Opinion.id)
    )
    ranked = (
        select(Opinion.id, Opinion.topic_id, side, place.label("place"))
        .join(
            Ballot,
            and_(Ballot.topic_id == Opinion.topic_id, Ballot.person_id == Opinion.person_id),
            isouter=True,
        )
        .where(
            Opinion.topic_id.in_(topic_ids),
            Opinion.state == "approved",
            Opinion.release.in_(("words", "voice")),
            Opinion.person_id.not_in(people),
            or_(Opinion.is_practice.is_(False), Opinion.is_practice.is_(community.is_demo)),
        )
        .subquery()
    )
    rows = session.execute(
        select(ranked.c.topic_id, ranked.c.side, ranked.c.id)
        .where(ranked.c.place <= MOST_VOICES)
        .order_by(ranked.c.side, ranked.c.place)
    )
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for topic_id, choice, opinion_id in rows:
        found[topic_id][choice].append(opinion_id)
    return found


def _mixed(sides: Iterable[Sequence[str]]) -> list[str]:
    return [one for one in chain.from_iterable(zip_longest(*sides)) if one is not None]


def _latest_words(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, str]:
    if not opinion_ids:
        return {}
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(Transcript.opinion_id.in_(opinion_ids))
        .order_by(Transcript.version)
    )
    return {opinion_id: words or "" for opinion_id, words in rows}


def _own_sounds(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, str]:
    """The recording of each opinion released in its speaker's own voice and stored in one piece."""
    if not opinion_ids:
        return {}
    rows = session.execute(
        select(Opinion.id, func.min(Recording.id))
        .join(OpinionRecording, OpinionRecording.opinion_id == Opinion.id)
        .join(Recording, Recording.id == OpinionRecording.recording_id)
        .where(Opinion.id.in_(opinion_ids), Opinion.release == "voice")
        .group_by(Opinion.id)
        .having(func.count() == 1, func.min(Recording.state) == "stored")
    )
    return {row[0]: row[1] for row in rows}
