"""What the desk reads from the records: pages of opinions, one opinion with all that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ScalarSelect, func, select
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
from sync.upsert import is_among
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
    """These opinions with their topics, words and who has them in hand: two questions, however many."""
    ids = [one.id for one in page]
    transcripts, beside = _latest(session, ids), _beside(session, ids)
    return [
        Read(
            one,
            beside[one.id].topic,
            _unsealed(session, archive, one, transcripts.get(one.id)),
            transcripts.get(one.id),
            held=beside[one.id].held,
        )
        for one in page
    ]


def read_opinion(session: Session, archive: Archive, community_id: str, opinion_id: str) -> Read | None:
    """One opinion of this community, with its sounds and replies."""
    one = session.get(Opinion, opinion_id)
    if one is None or one.community_id != community_id:
        return None
    transcript, beside = _latest(session, [one.id]).get(one.id), _beside(session, [one.id])[one.id]
    return Read(
        one,
        beside.topic,
        _unsealed(session, archive, one, transcript),
        transcript,
        _sounds(session, one.id),
        session.scalars(select(Reply).where(Reply.opinion_id == one.id).order_by(Reply.published_at)).all(),
        beside.held,
    )


def count_open(session: Session, community_id: str) -> Mapping[str, str]:
    """How many opinions wait for words or for a person, as it is shown: beyond a thousand only `999+`."""
    states = ("waiting", "review")
    counts = session.execute(select(*(_counted(community_id, state) for state in states))).one()
    return {
        state: str(count) if count < _MOST_COUNTED else f"{_MOST_COUNTED - 1}+"
        for state, count in zip(states, counts, strict=True)
    }


def _counted(community_id: str, state: str) -> ScalarSelect[int]:
    some = select(Opinion.id).where(Opinion.community_id == community_id, Opinion.state == state)
    return select(func.count()).select_from(some.limit(_MOST_COUNTED).subquery()).scalar_subquery()


@dataclass(frozen=True)
class _Beside:
    """What stands beside an opinion. The person and the key are there so that unsealing asks no more."""

    topic: str | None
    held: Held | None
    person: Person
    key: Key


def _beside(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, _Beside]:
    if not opinion_ids:
        return {}
    rows = session.execute(
        select(Opinion.id, Topic.title, Assignment, Staff.name, Person, Key)
        .join(Person, Person.id == Opinion.person_id)
        .join(Key, Key.id == Person.key_id)
        .outerjoin(Topic, Topic.id == Opinion.topic_id)
        .outerjoin(Assignment, Assignment.opinion_id == Opinion.id)
        .outerjoin(Staff, Staff.id == Assignment.staff_id)
        .where(is_among(session, Opinion.id, opinion_ids))
    ).all()
    session.info["beside"] = rows  # a session knows what it has read only as long as somebody holds it
    return {
        one: _Beside(title, _held(given, name), person, key) for one, title, given, name, person, key in rows
    }


def _held(given: Assignment | None, name: str | None) -> Held | None:
    if given is None:
        return None
    return Held(given.staff_id, name or "", given.due_at, given.settled_at is not None)


def _latest(session: Session, opinion_ids: Sequence[str]) -> Mapping[str, Transcript]:
    """The newest version of each opinion's words."""
    if not opinion_ids:
        return {}
    rows = session.scalars(
        select(Transcript)
        .where(is_among(session, Transcript.opinion_id, opinion_ids))
        .order_by(Transcript.version)
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
