"""What the desk reads from the records: pages of opinions, one opinion with all that belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import KeyDestroyed
from sync.records.tables import (
    Assignment,
    Key,
    Opinion,
    OpinionRecording,
    Person,
    Recording,
    Reply,
    Staff,
    Topic,
    Transcript,
)
from sync.words import transcript_name

_MOST_COUNTED = 1_000  # nobody needs a queue's length beyond that


@dataclass(frozen=True)
class Held:
    """Who has an opinion in hand, and until when."""

    staff_id: str
    name: str
    due_at: datetime
    is_settled: bool


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
    held: Held | None = None


def read_rows(session: Session, archive: Archive, page: Sequence[Opinion]) -> list[Read]:
    """These opinions with their topics, words and who has them in hand; a fixed number of queries."""
    topics, transcripts = _topics(session, page), _latest(session, [one.id for one in page])
    held = _held(session, [one.id for one in page])
    _fetch_keys(session, page)
    return [
        Read(
            one,
            topics.get(one.topic_id or ""),
            _unsealed(session, archive, one, transcripts.get(one.id)),
            transcripts.get(one.id),
            held=held.get(one.id),
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
        _held(session, [one.id]).get(one.id),
    )


def count_open(session: Session, community_id: str) -> Mapping[str, str]:
    """How many opinions wait for words or for a person, as it is shown: beyond a thousand only `999+`."""
    return {state: _counted(session, community_id, state) for state in ("waiting", "review")}


def _counted(session: Session, community_id: str, state: str) -> str:
    some = select(Opinion.id).where(Opinion.community_id == community_id, Opinion.state == state)
    found = session.scalar(select(func.count()).select_from(some.limit(_MOST_COUNTED).subquery())) or 0
    return str(found) if found < _MOST_COUNTED else f"{_MOST_COUNTED - 1}+"


def _topics(session: Session, opinions: Iterable[Opinion]) -> Mapping[str, str]:
    ids = {one.topic_id for one in opinions if one.topic_id}
    rows = session.execute(select(Topic.id, Topic.title).where(Topic.id.in_(ids))) if ids else ()
    return {row[0]: row[1] for row in rows}


def _held(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, Held]:
    rows = session.execute(
        select(Assignment, Staff.name)
        .join(Staff, Staff.id == Assignment.staff_id)
        .where(Assignment.opinion_id.in_(opinion_ids))
    )
    return {
        row.Assignment.opinion_id: Held(
            row.Assignment.staff_id, row.name, row.Assignment.due_at, row.Assignment.settled_at is not None
        )
        for row in rows
    }


def _fetch_keys(session: Session, page: Sequence[Opinion]) -> None:
    """Into the session in two queries, so that unsealing asks no more."""
    people = session.scalars(select(Person).where(Person.id.in_([one.person_id for one in page]))).all()
    session.info["keys"] = session.scalars(
        select(Key).where(Key.id.in_([one.key_id for one in people]))
    ).all()
    session.info["people"] = people  # a session holds what it has read only as long as somebody else does


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
