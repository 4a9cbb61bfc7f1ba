"""Who is calling: the number's row and the people at it, found with one query, written where they are new."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy import update as update_of
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.people import find_number, normalise_number, person_at, roster_seats
from sync.prepared import Prepared
from sync.records.tables import Key, Number, Person, Resident, new_id
from sync.together import Row

_ROSTERED = select(func.count(Resident.id)).where(Resident.number_id == Number.id).scalar_subquery()
_FOUND = Prepared(
    select(Number.id, Number.is_slow, Number.last_called_at, _ROSTERED, Person.id, Person.seat)
    .join(Person, Person.number_id == Number.id, isouter=True)
    .where(Number.community_id == bindparam("community"), Number.digest == bindparam("digest"))
    .order_by(Person.seat)
)
_CALLED = Prepared(
    update_of(Number).where(Number.id == bindparam("number")).values(last_called_at=bindparam("at"))
)
_KEYS: Table = Key.__table__  # type: ignore[assignment]
_NUMBERS: Table = Number.__table__  # type: ignore[assignment]
_PEOPLE: Table = Person.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Caller:
    """The first seat of a telephone. `people`: those known at it before this call; `rostered`: residents.

    `is_new`: neither person nor number (`e164`, unless withheld) is in the records yet.
    """

    person_id: str
    number_id: str | None = None
    people: tuple[str, ...] = ()
    rostered: int = 0
    is_slow: bool = False
    is_first_call: bool = False
    is_new: bool = False
    e164: str = field(default="", repr=False)

    @property
    def evidence(self) -> str:
        """How well this voice is tied to a person."""
        if self.number_id is None:
            return "none"
        return "roster" if self.rostered else "caller_id"


def find_caller(session: Session, archive: Archive, community_id: str, raw: str) -> Caller | None:
    """The caller with number `raw`, or one who is still to be written; a withheld one is new in every call.

    None for a number that is known (from the roster, from a platform) but has no first seat yet.
    """
    e164 = normalise_number(raw)
    if e164 is None:
        return Caller(new_id("per"), is_new=True)
    digest = archive.keyring.digest(community_id, e164)
    rows = _FOUND.rows(session.connection(), {"community": community_id, "digest": digest})
    if not rows:
        return Caller(new_id("per"), new_id("num"), is_first_call=True, is_new=True, e164=e164)
    number_id, is_slow, last_called_at, rostered, _, _ = rows[0]
    seats = {seat: person_id for *_, person_id, seat in rows if seat is not None}
    if 1 not in seats:
        return None
    return Caller(seats[1], number_id, tuple(seats.values()), rostered, is_slow, last_called_at is None)


def make_first_seat(session: Session, archive: Archive, community_id: str, raw: str) -> None:
    """The first seat of a known number."""
    number = find_number(session, archive, community_id, normalise_number(raw) or "")
    if number is not None:
        person_at(session, archive, community_id, number)


def note_call(session: Session, caller: Caller, now: datetime) -> None:
    """Write down that somebody who is known has called."""
    _CALLED.run(session.connection(), {"number": caller.number_id, "at": now})


def rows_of(archive: Archive, community_id: str, caller: Caller, now: datetime) -> list[Row]:
    """The rows of somebody new: person and number, each under a key of its own."""
    own = archive.keyring.make_key()
    person = {
        "id": caller.person_id,
        "community_id": community_id,
        "number_id": caller.number_id,
        "seat": 1,
        "key_id": own.id,
        "created_at": now,
    }
    rows: list[Row] = [(_KEYS, own.row), (_PEOPLE, person)]
    return rows if caller.number_id is None else [*_rows_of_number(archive, community_id, caller, now), *rows]


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


def _rows_of_number(archive: Archive, community_id: str, caller: Caller, now: datetime) -> list[Row]:
    number_id, key = caller.number_id or "", archive.keyring.make_key()
    number = {
        "id": number_id,
        "community_id": community_id,
        "digest": archive.keyring.digest(community_id, caller.e164),
        "sealed": key.seal(caller.e164.encode(), number_id),
        "key_id": key.id,
        "is_slow": False,
        "last_called_at": now,
    }
    return [(_KEYS, key.row), (_NUMBERS, number)]
