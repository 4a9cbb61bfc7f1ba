"""What an opinion probably belongs to: opinions of one matter with it, and a topic; how sure, from 0 to 1.

Compared is what others may read of an opinion (its redacted words), never what lies sealed; candidates come
from the sealed index (docs/decisions/0018) and from what was said of late: the cost does not grow with the
records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.records.tables import Opinion, Topic, Transcript
from sync.searching import alike
from sync.upsert import is_among

LATELY = 240
"""The newest opinions of the community that are looked at beside those that share words."""
MOST_NEAR, LEAST_NEAR = 3, 0.5
LEAST_TOPIC = 0.5
_SHARING = 40
_TOPICS = 60
_TOPIC_TEXT = 200  # characters of a topic's text beside its title, which counts twice
_VOICES = 3  # of a topic, the nearest: how alike it is to what is said there
_GONE = ("withdrawn", "erased", "waiting")


@dataclass(frozen=True)
class Belongs:
    """A topic that an opinion probably is about."""

    topic_id: str
    title: str
    sureness: float


@dataclass(frozen=True)
class Likely:
    """Opinions of one matter by their ids with how sure we are, the surest first; the topic, if any."""

    near: Sequence[tuple[str, float]] = ()
    topic: Belongs | None = None


def likely(session: Session, opinion: Opinion) -> Likely:
    """What this opinion is near to; nothing where it has no words."""
    texts = _texts(session, opinion)
    if opinion.id not in texts:
        return Likely()
    topics = _topics(session, opinion.community_id)
    told = {topic.id: f"{topic.title}。" * 2 + topic.text[:_TOPIC_TEXT] for topic in topics}
    cosines = _cosines(opinion.id, texts, told)
    near = [(one, _sure(cosines[one])) for one in texts if one != opinion.id]
    best = sorted((one for one in near if one[1] >= LEAST_NEAR), key=lambda one: (-one[1], one[0]))
    return Likely(best[:MOST_NEAR], _topic(session, opinion, topics, cosines, list(texts)))


def _topic(
    session: Session,
    opinion: Opinion,
    topics: Sequence[Topic],
    cosines: Mapping[str, float],
    others: Sequence[str],
) -> Belongs | None:
    """The topic whose own words, or what others said to it, is nearest; None where it is that one already."""
    voices: dict[str, list[float]] = {}
    rows = session.execute(
        select(Opinion.id, Opinion.topic_id).where(is_among(session, Opinion.id, list(others)))
    )
    for other, topic_id in rows:
        if topic_id and other != opinion.id:
            voices.setdefault(topic_id, []).append(cosines[other])
    best = max(topics, key=lambda topic: _near_topic(topic.id, cosines, voices), default=None)
    if best is None or best.id == opinion.topic_id:
        return None
    sureness = _sure(_near_topic(best.id, cosines, voices))
    return Belongs(best.id, best.title, sureness) if sureness >= LEAST_TOPIC else None


def _near_topic(topic_id: str, cosines: Mapping[str, float], voices: Mapping[str, list[float]]) -> float:
    said = sorted(voices.get(topic_id, ()), reverse=True)[:_VOICES]
    return max(cosines[topic_id], sum(said) / _VOICES)


def _cosines(opinion_id: str, texts: Mapping[str, str], told: Mapping[str, str]) -> dict[str, float]:
    from speech.likeness import Likeness  # its tables are large, and most who import this never compare

    names = [*texts, *told]
    found = Likeness.of([*texts.values(), *told.values()]).to(names.index(opinion_id))
    return dict(zip(names, map(float, found), strict=True))


def _sure(cosine: float) -> float:
    from speech.likeness import probability

    return probability(cosine)


def _topics(session: Session, community_id: str) -> Sequence[Topic]:
    """Those that still take opinions, the newest first."""
    query = select(Topic).where(Topic.community_id == community_id, Topic.state.in_(("open", "paused")))
    return session.scalars(query.order_by(Topic.created_at.desc(), Topic.id).limit(_TOPICS)).all()


def _texts(session: Session, opinion: Opinion) -> dict[str, str]:
    """The newest words of each candidate that others may read, this opinion's first."""
    lately = select(Opinion.id).where(
        Opinion.community_id == opinion.community_id, Opinion.state.not_in(_GONE)
    )
    recent = session.scalars(lately.order_by(Opinion.said_at.desc(), Opinion.id.desc()).limit(LATELY)).all()
    sharing = [one for one, _ in alike(session, opinion.id, most=_SHARING, least=0.15)]
    ids = list(dict.fromkeys([opinion.id, *sharing, *recent]))
    rows = session.execute(
        select(Transcript.opinion_id, Transcript.redacted)
        .join(Opinion, Opinion.id == Transcript.opinion_id)
        .where(is_among(session, Transcript.opinion_id, ids), Opinion.community_id == opinion.community_id)
        .order_by(Transcript.opinion_id, Transcript.version)
    )
    words = {one: redacted for one, redacted in rows if redacted}
    return {one: words[one] for one in ids if one in words}
