"""What the desk reads from the records: pages of opinions, one opinion with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import KeyDestroyed
from sync.records.tables import Opinion, OpinionRecording, Person, Recording, Reply, Topic, Transcript
from sync.words import transcript_name

PAGE = 30


@dataclass(frozen=True)
class Sound:
    """One segment of an opinion: its place, id, length, and whether it can be played."""

    part: int
    recording_id: str
    seconds: float | None
    is_stored: bool


@dataclass(frozen=True)
class Read:
    """One opinion as staff see it. `words` are unsealed; None where there are none yet, or no more."""

    opinion: Opinion
    topic: str | None
    words: str | None = None
    transcript: Transcript | None = None
    sounds: Sequence[Sound] = field(default=())
    replies: Sequence[Reply] = field(default=())


def read_page(
    session: Session,
    archive: Archive,
    community_id: str,
    state: str | None,
    before: tuple[datetime, str] | None,
) -> list[Read]:
    """At most `PAGE` opinions, newest first, older than the moment and id in `before`."""
    wanted = select(Opinion).where(Opinion.community_id == community_id)
    if state:
        wanted = wanted.where(Opinion.state == state)
    if before:
        said_at, opinion_id = before
        is_older = or_(Opinion.said_at < said_at, and_(Opinion.said_at == said_at, Opinion.id < opinion_id))
        wanted = wanted.where(is_older)
    page = session.scalars(wanted.order_by(Opinion.said_at.desc(), Opinion.id.desc()).limit(PAGE)).all()
    topics, transcripts = _topics(session, page), _latest(session, [one.id for one in page])
    return [
        Read(
            one,
            topics.get(one.topic_id or ""),
            _unsealed(session, archive, one, transcripts.get(one.id)),
            transcripts.get(one.id),
        )
        for one in page
    ]


def read_opinion(session: Session, archive: Archive, community_id: str, opinion_id: str) -> Read | None:
    """One opinion of this community, with its sounds and replies."""
    one = session.get(Opinion, opinion_id)
    if one is None or one.community_id != community_id:
        return None
    transcript = _latest(session, [one.id]).get(one.id)
    return Read(
        one,
        _topics(session, [one]).get(one.topic_id or ""),
        _unsealed(session, archive, one, transcript),
        transcript,
        _sounds(session, one.id),
        session.scalars(select(Reply).where(Reply.opinion_id == one.id).order_by(Reply.published_at)).all(),
    )


def count_open(session: Session, community_id: str) -> Mapping[str, int]:
    """How many opinions wait for words or for a person."""
    rows = session.execute(
        select(Opinion.state, func.count())
        .where(Opinion.community_id == community_id, Opinion.state.in_(("waiting", "review")))
        .group_by(Opinion.state)
    )
    return {row[0]: row[1] for row in rows}


def _topics(session: Session, opinions: Iterable[Opinion]) -> Mapping[str, str]:
    ids = {one.topic_id for one in opinions if one.topic_id}
    rows = session.execute(select(Topic.id, Topic.title).where(Topic.id.in_(ids))) if ids else ()
    return {row[0]: row[1] for row in rows}


def _latest(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, Transcript]:
    """The newest version of each opinion's words."""
    if not opinion_ids:
        return {}
    rows = session.scalars(
        select(Transcript).where(Transcript.opinion_id.in_(opinion_ids)).order_by(Transcript.version)
    )
    return {row.opinion_id: row for row in rows}


def _unsealed(
    session: Session, archive: Archive, opinion: Opinion, transcript: Transcript | None
) -> str | None:
    if transcript is None or transcript.sealed_text is None:
        return None
    person = session.get_one(Person, opinion.person_id)
    about = transcript_name(opinion.id, transcript.version)
    try:
        return archive.keyring.unseal(session, person.key_id, transcript.sealed_text, about).decode()
    except KeyDestroyed:
        return None


def _sounds(session: Session, opinion_id: str) -> list[Sound]:
    rows = session.execute(
        select(OpinionRecording.part, Recording.id, Recording.seconds, Recording.state)
        .join(Recording, Recording.id == OpinionRecording.recording_id)
        .where(OpinionRecording.opinion_id == opinion_id)
        .order_by(OpinionRecording.part)
    )
    return [
        Sound(place, row.id, row.seconds, row.state == "stored") for place, row in enumerate(rows, start=1)
    ]
