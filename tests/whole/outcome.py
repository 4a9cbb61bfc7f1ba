"""What ended in the records of everybody who called from one number: the only score of a call that counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from speech.audio import Audio, read_audio
from sync.archive import Archive
from sync.people import find_number
from sync.records.tables import (
    Ballot,
    Capture,
    Change,
    Consent,
    Number,
    Opinion,
    OpinionRecording,
    Person,
    Reaction,
    Recording,
    Request,
    Transcript,
)
from sync.sound import unsealed


@dataclass(frozen=True)
class Outcome:
    """The records of one number. Everything is sorted, so that two outcomes can be compared.

    `ballots` are (seat, topic, choice); `reactions` (opinion, choice); `consents` (purpose, answer);
    `opinions` (topic, kind, state, stage, release, recordings, transcripts); `captures` counts kinds;
    `recordings` are (state, is_claimed, is_acknowledged); `created` counts changes that made a record
    (how many updates follow depends on how captures fell into batches).
    """

    ballots: tuple[tuple[int, str, str], ...]
    reactions: tuple[tuple[str, str], ...]
    consents: tuple[tuple[str, str], ...]
    opinions: tuple[tuple[str | None, str, str, str, str, int, int], ...]
    receipts: tuple[str, ...]
    recordings: tuple[tuple[str, bool, bool], ...]
    requests: int
    captures: tuple[tuple[str, str, int], ...]
    created: tuple[tuple[str, str, int], ...]

    @property
    def without_receipts(self) -> Outcome:
        """The same, receipts counted only: two calls never get the same one."""
        counted = tuple("#" * len(receipt) for receipt in self.receipts)
        return Outcome(**{**vars(self), "receipts": counted})


def outcome(archive: Archive, community_id: str, caller: str) -> Outcome:
    """What the calls from `caller` left behind."""
    with archive.database.read() as session:
        number = find_number(session, archive, community_id, caller)
        assert number is not None, "this number has never called"
        seats = {one.id: one.seat for one in _people(session, number)}
        opinions = session.scalars(
            select(Opinion).where(Opinion.person_id.in_(seats)).order_by(Opinion.said_at, Opinion.id)
        ).all()
        ballots = session.scalars(select(Ballot).where(Ballot.person_id.in_(seats))).all()
        reactions = session.scalars(select(Reaction).where(Reaction.person_id.in_(seats))).all()
        consents = session.scalars(select(Consent).where(Consent.person_id.in_(seats))).all()
        captures = session.scalars(select(Capture).where(Capture.person_id.in_(seats))).all()
        recordings = session.scalars(select(Recording).where(Recording.person_id.in_(seats))).all()
        requests = session.scalars(select(Request).where(Request.person_id.in_(seats))).all()
        made = [one.id for one in (*opinions, *ballots, *reactions)]
        changes = session.scalars(
            select(Change).where(Change.record_id.in_(made), Change.act == "created")
        ).all()
        return Outcome(
            ballots=tuple(sorted((seats[one.person_id], one.topic_id, one.choice) for one in ballots)),
            reactions=tuple(sorted((one.opinion_id, one.choice) for one in reactions)),
            consents=tuple(sorted((one.purpose, one.answer) for one in consents)),
            opinions=tuple(_opinion(session, one) for one in opinions),
            receipts=tuple(one.receipt or "" for one in opinions),
            recordings=tuple(
                sorted((one.state, one.is_claimed, one.acknowledged_at is not None) for one in recordings)
            ),
            requests=len(requests),
            captures=_counted((one.kind, one.state) for one in captures),
            created=_counted((one.record, one.act) for one in changes),
        )


def sounds(archive: Archive, community_id: str, caller: str) -> list[Audio]:
    """The stored recordings of a number, oldest first, unsealed."""
    with archive.database.read() as session:
        number = find_number(session, archive, community_id, caller)
        people = [one.id for one in _people(session, number)] if number else []
        rows = select(Recording).where(Recording.person_id.in_(people), Recording.state == "stored")
        found = session.scalars(rows.order_by(Recording.created_at, Recording.turn)).all()
        return [read_audio(unsealed(session, archive, one)) for one in found]


def _people(session: Session, number: Number) -> list[Person]:
    return list(session.scalars(select(Person).where(Person.number_id == number.id)))


def _opinion(session: Session, one: Opinion) -> tuple[str | None, str, str, str, str, int, int]:
    parts = session.scalars(select(OpinionRecording).where(OpinionRecording.opinion_id == one.id)).all()
    texts = session.scalars(select(Transcript).where(Transcript.opinion_id == one.id)).all()
    return one.topic_id, one.kind, one.state, one.stage, one.release, len(parts), len(texts)


def _counted(pairs: object) -> tuple[tuple[str, str, int], ...]:
    return tuple(sorted((*pair, count) for pair, count in Counter(pairs).items()))  # type: ignore[call-overload]
