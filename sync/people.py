"""Who speaks: a number, the seat at it, and how well the voice is tied to a person."""

from __future__ import annotations

from datetime import UTC, datetime

import phonenumbers
from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.records.tables import Community, Key, Number, Person, Resident, new_id
from sync.upsert import insert_or_ignore

_AT_ONCE = 500

# How platforms spell "no caller-ID": a word, or that word typed on a keypad (Twilio's convention).
_WITHHELD = frozenset(
    {"anonymous", "restricted", "unavailable", "unknown", "private", "blocked", "withheld"}
    | {"266696687", "7378742833", "86282452253", "8656696", "7748283", "2562533"}
)


def normalise_number(raw: str | None, region: str = "CN") -> str | None:
    """A number as E.164 (`+8613800000000`) from any way of writing it; None if withheld or no number."""
    bare = (raw or "").strip().removeprefix("sip:").removeprefix("tel:").split("@")[0].split(";")[0]
    if not bare or bare.lstrip("+").lower() in _WITHHELD:
        return None
    try:
        number = phonenumbers.parse(bare, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def find_number(session: Session, archive: Archive, community_id: str, e164: str) -> Number | None:
    """The number's row, if it is known in this community."""
    digest = archive.keyring.digest(community_id, e164)
    return session.scalar(select(Number).where(Number.community_id == community_id, Number.digest == digest))


def everywhere(session: Session, archive: Archive, e164: str) -> list[str]:
    """The ids of this number's rows in all communities that know it.

    Digests are a community's own, so that rows tell nothing of each other: only who has the number in the
    clear, and for a moment, finds them all.
    """
    known = [(one, archive.keyring.digest(one, e164)) for one in session.scalars(select(Community.id))]
    found: list[str] = []
    for start in range(0, len(known), _AT_ONCE):
        mine = tuple_(Number.community_id, Number.digest).in_(known[start : start + _AT_ONCE])
        found += session.scalars(select(Number.id).where(mine))
    return found


def find_or_create_number(session: Session, archive: Archive, community_id: str, e164: str) -> Number:
    """The number's row, made with a key of its own where it is new. Two at once get the same row."""
    found = find_number(session, archive, community_id, e164)
    if found is not None:
        return found
    number_id = new_id("num")
    key_id, sealed = archive.keyring.seal_anew(session, e164.encode(), number_id)
    is_ours = insert_or_ignore(
        session,
        Number,
        ("community_id", "digest"),
        id=number_id,
        community_id=community_id,
        digest=archive.keyring.digest(community_id, e164),
        sealed=sealed,
        key_id=key_id,
    )
    if not is_ours:
        session.delete(session.get_one(Key, key_id))
        session.flush()
    number = find_number(session, archive, community_id, e164)
    assert number is not None
    return number


def readable_number(session: Session, archive: Archive, number: Number) -> str:
    """The number in the clear, for calling back. Raises KeyDestroyed once erased."""
    return archive.keyring.unseal(session, number.key_id, number.sealed or b"", number.id).decode()


def person_at(
    session: Session, archive: Archive, community_id: str, number: Number | None, seat: int = 1
) -> Person:
    """The person at a seat (1 is the first) of a number; a withheld number makes a new person each time."""
    found = None if number is None else _seated(session, number.id, seat)
    if found is not None:
        return found
    person_id, key_id = new_id("per"), archive.keyring.new_key(session)
    is_ours = insert_or_ignore(
        session,
        Person,
        ("number_id", "seat"),
        id=person_id,
        community_id=community_id,
        number_id=number.id if number is not None else None,
        household_id=_household(session, number.id, seat) if number is not None else None,
        seat=seat,
        key_id=key_id,
        created_at=datetime.now(UTC),
    )
    if is_ours or number is None:
        return session.get_one(Person, person_id)
    session.delete(session.get_one(Key, key_id))
    session.flush()
    person = _seated(session, number.id, seat)
    assert person is not None
    return person


def evidence_of(session: Session, number: Number | None) -> str:
    """How well a caller from this number is tied to a person: `none`, `caller_id` or `roster`."""
    if number is None:
        return "none"
    return "roster" if roster_seats(session, number) else "caller_id"


def roster_seats(session: Session, number: Number) -> int:
    """How many residents of the roster share this number; 0 where it isn't on the roster."""
    return session.scalar(select(func.count(Resident.id)).where(Resident.number_id == number.id)) or 0


def _seated(session: Session, number_id: str, seat: int) -> Person | None:
    return session.scalar(select(Person).where(Person.number_id == number_id, Person.seat == seat))


def _household(session: Session, number_id: str, seat: int) -> str | None:
    """The home of this seat's resident, or the one home all residents of this number live in."""
    residents = session.scalars(select(Resident).where(Resident.number_id == number_id))
    homes = {resident.seat: resident.household_id for resident in residents}
    if seat in homes:
        return homes[seat]
    return next(iter(homes.values())) if len(set(homes.values())) == 1 else None
