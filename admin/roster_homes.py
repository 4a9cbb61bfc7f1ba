"""The roster read home by home, and one name taken off it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit
from sync.desk import Actor, NotThere
from sync.people import find_number, normalise_number
from sync.records.tables import Household, Key, Person, Resident
from sync.recount import recount_homes

PAGE = 40


@dataclass(frozen=True)
class Name:
    """One resident. `has_number`: whether they are known by a telephone."""

    resident_id: str
    name: str
    seat: int
    has_number: bool


@dataclass(frozen=True)
class Home:
    """One home and who lives there."""

    household_id: str
    reference: str
    names: Sequence[Name]


def homes(
    session: Session, archive: Archive, community_id: str, asked: str, after: str | None, size: int = PAGE
) -> list[Home]:
    """One home more than `size`, by reference, after the one where the page before ended.

    `asked`: the beginning of a reference, or a whole telephone number.
    """
    query = select(Household.id, Household.reference).where(Household.community_id == community_id)
    if asked:
        query = query.where(_matches(session, archive, community_id, asked))
    if after is not None:
        query = query.where(Household.reference > after)
    page = session.connection().execute(query.order_by(Household.reference).limit(size + 1)).all()
    names = _names(session, archive, [home.id for home in page])
    return [Home(home.id, home.reference, names.get(home.id, ())) for home in page]


def remove_name(session: Session, archive: Archive, actor: Actor, resident_id: str, now: datetime) -> None:
    """Take one resident off the roster; who called stays, but no longer as somebody of that home.

    Open topics that count homes are counted anew. A home without names stays, for what it voted.
    """
    resident = session.get(Resident, resident_id, with_for_update=True)
    if resident is None or resident.community_id != actor.community_id:
        raise NotThere("there is no such name", "not_there")
    number_id, home = resident.number_id, resident.household_id
    archive.keyring.destroy(session, resident.key_id)
    session.delete(resident)
    session.flush()
    if number_id is not None:
        at_home = (Resident.number_id == number_id, Resident.household_id == home)
        if session.scalar(select(Resident.id).where(*at_home).limit(1)) is None:
            mine = select(Person).where(Person.number_id == number_id, Person.household_id == home)
            for person in session.scalars(mine):
                person.household_id = None
            session.flush()
    audit(session, actor.community_id, actor.id, "roster.name_removed", resident_id)
    recount_homes(session, archive, actor.community_id, now)


def _matches(session: Session, archive: Archive, community_id: str, asked: str) -> ColumnElement[bool]:
    pattern = asked.replace("/", "//").replace("%", "/%").replace("_", "/_") + "%"
    begins = Household.reference.like(pattern, escape="/")
    e164 = normalise_number(asked)
    number = find_number(session, archive, community_id, e164) if e164 else None
    if number is None:
        return begins
    theirs = select(Resident.household_id).where(Resident.number_id == number.id)
    return or_(begins, Household.id.in_(theirs))


def _names(session: Session, archive: Archive, household_ids: Sequence[str]) -> Mapping[str, Sequence[Name]]:
    found: dict[str, list[Name]] = defaultdict(list)
    here = select(Resident).where(Resident.household_id.in_(household_ids))
    rows = session.scalars(here.order_by(Resident.seat, Resident.id)).all()
    if rows:
        theirs = select(Key).where(Key.id.in_([one.key_id for one in rows]))
        session.info["keys"] = session.scalars(theirs).all()  # held, so that unsealing asks no more
    for one in rows:
        name = archive.keyring.unseal(session, one.key_id, one.sealed_name, one.id).decode()
        found[one.household_id or ""].append(Name(one.id, name, one.seat, one.number_id is not None))
    return found
