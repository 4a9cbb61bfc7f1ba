"""Who is calling: the number's row and the people at it, found with one query, made where they are new."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select
from sqlalchemy import update as update_of
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.people import normalise_number, person_at, roster_seats
from sync.records.tables import Number, Person, Resident, new_id

_ROSTERED = select(func.count(Resident.id)).where(Resident.number_id == Number.id).scalar_subquery()
_FOUND = (
    select(Number.id, Number.is_slow, Number.last_called_at, _ROSTERED, Person.id, Person.seat)
    .join(Person, Person.number_id == Number.id, isouter=True)
    .where(Number.community_id == bindparam("community"), Number.digest == bindparam("digest"))
    .order_by(Person.seat)
)
_CALLED = (
    update_of(Number)
    .where(Number.id == bindparam("number"))
    .values(last_called_at=bindparam("at"))
    .execution_options(synchronize_session=False)
)


@dataclass(frozen=True)
class Caller:
    """The first seat of a telephone. `people`: those known at it before this call; `rostered`: residents."""

    person_id: str
    number_id: str | None = None
    people: tuple[str, ...] = ()
    rostered: int = 0
    is_slow: bool = False
    is_first_call: bool = False

    @property
    def evidence(self) -> str:
        """How well this voice is tied to a person."""
        if self.number_id is None:
            return "none"
        return "roster" if self.rostered else "caller_id"


def who_calls(session: Session, archive: Archive, community_id: str, raw: str, now: datetime) -> Caller:
    """The caller with number `raw`; a withheld one is a new person in every call."""
    e164 = normalise_number(raw)
    if e164 is None:
        return Caller(person_at(session, archive, community_id, None).id)
    digest = archive.keyring.digest(community_id, e164)
    rows = session.connection().execute(_FOUND, {"community": community_id, "digest": digest}).all()
    if not rows:
        return _newcomer(session, archive, community_id, e164, digest, now)
    number_id, is_slow, last_called_at, rostered, _, _ = rows[0]
    session.connection().execute(_CALLED, {"number": number_id, "at": now})
    seats = {seat: person_id for *_, person_id, seat in rows if seat is not None}
    if 1 in seats:
        first = seats[1]
    else:  # known from the roster or a platform, but never called
        first = person_at(session, archive, community_id, session.get_one(Number, number_id)).id
    return Caller(first, number_id, tuple(seats.values()), rostered, is_slow, last_called_at is None)


def known_caller(session: Session, number: Number) -> Caller:
    """What is known of a number, with nothing made or written."""
    people = tuple(
        session.scalars(select(Person.id).where(Person.number_id == number.id).order_by(Person.seat))
    )
    return Caller(
        person_id=next(iter(people), ""),
        number_id=number.id,
        people=people,
        rostered=roster_seats(session, number),
        is_slow=number.is_slow,
        is_first_call=number.last_called_at is None,
    )


def _newcomer(
    session: Session, archive: Archive, community_id: str, e164: str, digest: str, now: datetime
) -> Caller:
    """Rows for a number never heard of. Two calls at once: the later one's transaction is done again."""
    number_id, person_id = new_id("num"), new_id("per")
    number_key, person_key = archive.keyring.new_key(session), archive.keyring.new_key(session)
    session.add(
        Number(
            id=number_id,
            community_id=community_id,
            digest=digest,
            sealed=archive.keyring.seal(session, number_key, e164.encode(), number_id),
            key_id=number_key,
            is_slow=False,
            last_called_at=now,
        )
    )
    session.flush()
    session.add(
        Person(
            id=person_id,
            community_id=community_id,
            number_id=number_id,
            household_id=None,
            seat=1,
            key_id=person_key,
            created_at=now,
        )
    )
    session.flush()
    return Caller(person_id, number_id, is_first_call=True)
