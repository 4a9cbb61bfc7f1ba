"""Which neighbours a caller hears on a topic: a few approved opinions of different sides, never their own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, zip_longest

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from ivr.dialogue.view import VoiceView
from sync.records.tables import Ballot, Opinion, OpinionRecording, Recording, Transcript

MOST_VOICES = 3
_MOST_OF_A_SIDE = 2 * MOST_VOICES


@dataclass(frozen=True)
class Neighbour:
    """Somebody's opinion that others may hear."""

    person_id: str
    voice: VoiceView


Sides = Mapping[str, Sequence[Neighbour]]
"""By what the speakers voted, newest first."""

Played = tuple[str, bool]
"""An opinion's id, and whether it is played as it was spoken."""


def voices_for(sides: Sides, people: Collection[str]) -> tuple[VoiceView, ...]:
    """Up to three opinions, taken in turn from the sides; `people` do not hear themselves."""
    others = ([one.voice for one in side if one.person_id not in people] for side in sides.values())
    return tuple(_in_turn(others))[:MOST_VOICES]


def _in_turn(sides: Iterable[Sequence[VoiceView]]) -> Iterable[VoiceView]:
    return (voice for voice in chain.from_iterable(zip_longest(*sides)) if voice is not None)


def neighbours_on(session: Session, topic_ids: Sequence[str], with_practice: bool) -> Mapping[str, Sides]:
    """Approved and released opinions by topic and side. Practice counts in a demo community only."""
    if not topic_ids:
        return {}
    rows = _newest(session, topic_ids, with_practice)
    everyone = [opinion_id for _, _, opinion_id, _ in rows]
    words, sounds = _latest_words(session, everyone), _spoken(session, everyone)
    found: dict[str, dict[str, list[Neighbour]]] = defaultdict(lambda: defaultdict(list))
    for topic_id, side, opinion_id, person_id in rows:
        voice = _voice(opinion_id, words, sounds)
        if voice.words or voice.recording_id:
            found[topic_id][side].append(Neighbour(person_id, voice))
    return found


def voices_now(session: Session, opinion_ids: Collection[str]) -> Mapping[str, VoiceView]:
    """Those of these opinions that others may still hear, as they may be heard now."""
    if not opinion_ids:
        return {}
    may_be_heard = select(Opinion.id).where(
        Opinion.id.in_(opinion_ids), Opinion.state == "approved", Opinion.release.in_(("words", "voice"))
    )
    there = session.scalars(may_be_heard).all()
    words, sounds = _latest_words(session, there), _spoken(session, there)
    return {one: _voice(one, words, sounds) for one in there}


def _voice(opinion_id: str, words: Mapping[str, str], sounds: Collection[str]) -> VoiceView:
    """`recording_id` is the opinion's own id where its sound may be heard: all its segments, bleeped."""
    return VoiceView(opinion_id, words.get(opinion_id, ""), opinion_id if opinion_id in sounds else None)


def broadcast_voices(session: Session, wanted: Collection[Played]) -> Mapping[Played, VoiceView]:
    """Those of these opinions that all may still hear, by (id, is it played as it was spoken)."""
    voices = voices_now(session, {opinion_id for opinion_id, _ in wanted})
    return {
        (one, is_own_voice): voices[one] if is_own_voice else replace(voices[one], recording_id=None)
        for one, is_own_voice in wanted
        if one in voices
    }


def _spoken(session: Session, opinion_ids: Sequence[str]) -> frozenset[str]:
    """Those whose speakers allow their own voice to be heard, and whose sound is there and was made out."""
    if not opinion_ids:
        return frozenset()
    rows = session.scalars(
        select(Opinion.id)
        .join(OpinionRecording, OpinionRecording.opinion_id == Opinion.id)
        .join(Recording, Recording.id == OpinionRecording.recording_id)
        .where(Opinion.id.in_(opinion_ids), Opinion.release == "voice", ~Opinion.needs_listening)
        .group_by(Opinion.id)
        .having(func.min(Recording.state) == "stored", func.max(Recording.state) == "stored")
    )
    return frozenset(rows)


def _newest(
    session: Session, topic_ids: Sequence[str], with_practice: bool
) -> Sequence[tuple[str, str, str, str]]:
    """(topic, side, opinion, person), the newest few of each side of each topic."""
    place = func.row_number().over(
        partition_by=(Opinion.topic_id, Ballot.choice), order_by=(Opinion.said_at.desc(), Opinion.id)
    )
    is_theirs = and_(Ballot.topic_id == Opinion.topic_id, Ballot.person_id == Opinion.person_id)
    ranked = (
        select(
            Opinion.topic_id,
            func.coalesce(Ballot.choice, "").label("side"),
            Opinion.id,
            Opinion.person_id,
            place.label("place"),
        )
        .join(Ballot, is_theirs, isouter=True)
        .where(
            Opinion.topic_id.in_(topic_ids),
            Opinion.state == "approved",
            Opinion.release.in_(("words", "voice")),
            or_(Opinion.is_practice.is_(False), Opinion.is_practice.is_(with_practice)),
        )
        .subquery()
    )
    columns = ranked.c
    rows = session.execute(
        select(columns.topic_id, columns.side, columns.id, columns.person_id)
        .where(columns.place <= _MOST_OF_A_SIDE)
        .order_by(columns.side, columns.place)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _latest_words(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, str]:
    if not opinion_ids:
        return {}
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .where(Transcript.opinion_id.in_(opinion_ids))
        .order_by(Transcript.version)
    )
    return {opinion_id: words or "" for opinion_id, words in rows}
