"""Who chose what on a topic that votes by name: for its community's staff alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.ballots import may_name
from sync.errors import KeyDestroyed, RecordsError
from sync.people import readable_number
from sync.records.tables import Ballot, Number, Person, Resident, Topic

PAGE = 100
_SHOWN_DIGITS = 4


@dataclass(frozen=True)
class Voter:
    """One standing ballot. `name` as on the roster; `digits` are the last four of the number, if known."""

    ballot_id: str
    name: str | None
    digits: str | None
    choice: str
    channel: str
    evidence: str
    cast_at: datetime


def voters(session: Session, archive: Archive, topic: Topic, after: str = "") -> list[Voter]:
    """At most `PAGE` voters behind the ballot `after`. RecordsError for a topic that may name nobody."""
    if not may_name(topic):
        raise RecordsError("this topic is anonymous: nobody's choice is told")
    ballots = session.scalars(
        select(Ballot).where(Ballot.topic_id == topic.id, Ballot.id > after).order_by(Ballot.id).limit(PAGE)
    ).all()
    query = select(Person).where(Person.id.in_([ballot.person_id for ballot in ballots]))
    people = {person.id: person for person in session.scalars(query)}
    names = _names(session, archive, people.values())
    digits = _digits(session, archive, people.values())
    return [
        Voter(
            ballot.id,
            names.get(ballot.person_id),
            digits.get(people[ballot.person_id].number_id or ""),
            ballot.choice,
            ballot.channel,
            ballot.evidence,
            ballot.cast_at,
        )
        for ballot in ballots
    ]


def _names(session: Session, archive: Archive, people: Iterable[Person]) -> Mapping[str, str]:
    """By person: the name on the roster at their number and seat."""
    seated = {(one.number_id, one.seat): one.id for one in people if one.number_id}
    query = select(Resident).where(Resident.number_id.in_({number_id for number_id, _ in seated}))
    return {
        seated[resident.number_id or "", resident.seat]: archive.keyring.unseal(
            session, resident.key_id, resident.sealed_name, resident.id
        ).decode()
        for resident in session.scalars(query)
        if (resident.number_id or "", resident.seat) in seated
    }


def _digits(session: Session, archive: Archive, people: Iterable[Person]) -> Mapping[str, str]:
    """By number id: its last four digits; an erased number has none."""
    ids: Sequence[str] = [one.number_id for one in people if one.number_id]
    found: dict[str, str] = {}
    for number in session.scalars(select(Number).where(Number.id.in_(ids))):
        try:
            found[number.id] = readable_number(session, archive, number)[-_SHOWN_DIGITS:]
        except KeyDestroyed:
            continue
    return found
