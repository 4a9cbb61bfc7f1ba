"""The roster of households and residents, read from a CSV file: names sealed, numbers matched by digest."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.people import find_or_create_number, normalise_number
from sync.records.tables import Household, Number, Person, Resident, new_id, record_id
from sync.recount import recount_homes

_COLUMNS = {
    "household": ("户", "门牌", "household"),
    "name": ("姓名", "name"),
    "number": ("电话", "手机", "number", "phone"),
    "seat": ("座次", "seat"),
}


class RosterError(Exception):
    """A roster that can't be read; the message names the line and says what is wrong."""


@dataclass(frozen=True)
class Entry:
    """One resident: household as the community calls it, name, number (E.164 or None), seat at it."""

    household: str
    name: str
    number: str | None
    seat: int


@dataclass(frozen=True)
class Imported:
    """What an import did: households and residents new, residents that were there already."""

    households: int
    residents: int
    known: int


def read_roster(path: Path) -> list[Entry]:
    """The entries of a CSV file (UTF-8 or GB 18030, headings in Chinese or English). Raises RosterError."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RosterError(f"{path} can't be read: {error.strerror}") from error
    return parse_roster(raw)


def parse_roster(raw: bytes) -> list[Entry]:
    """The entries of such a file's content. Raises RosterError."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030", errors="replace")  # what spreadsheets save on Chinese desktops
    return list(_entries(csv.DictReader(text.splitlines())))


def import_roster(
    session: Session, archive: Archive, community_id: str, entries: Iterable[Entry], recounts: bool = True
) -> Imported:
    """Put entries on the roster. The same entry twice changes nothing; who called before gets a home.

    With `recounts` open topics that count homes are counted anew: once, after the last step of many.
    """
    households = residents = known = 0
    for entry in entries:
        home_id = record_id("hh", community_id, entry.household)
        if session.get(Household, home_id) is None:
            session.add(Household(id=home_id, community_id=community_id, reference=entry.household))
            session.flush()
            households += 1
        if _is_known(session, archive, community_id, home_id, entry):
            known += 1
            continue
        _add(session, archive, community_id, home_id, entry)
        residents += 1
    if recounts:
        recount_homes(session, archive, community_id, datetime.now(UTC))
    return Imported(households, residents, known)


def _entries(rows: csv.DictReader[str]) -> Iterator[Entry]:
    headings = {_plain(name) for name in rows.fieldnames or ()}
    for needed in ("household", "name"):
        if not headings & set(_COLUMNS[needed]):
            raise RosterError(f"没有“{_COLUMNS[needed][0]}”一列 · there is no column {needed!r}")
    for line, row in enumerate(rows, start=2):
        cells = {
            _plain(name or ""): (value or "").strip() for name, value in row.items() if isinstance(value, str)
        }
        yield _entry(cells, line)


def _entry(cells: Mapping[str, str], line: int) -> Entry:
    def cell(name: str) -> str:
        return next((cells[heading] for heading in _COLUMNS[name] if cells.get(heading)), "")

    if not cell("household") or not cell("name"):
        raise RosterError(f"第 {line} 行缺户或姓名 · line {line}: household or name is missing")
    number = normalise_number(cell("number")) if cell("number") else None
    if cell("number") and number is None:
        raise RosterError(f"第 {line} 行的电话不像电话 · line {line}: that is no telephone number")
    seat = cell("seat") or "1"
    if not seat.isascii() or not seat.isdigit() or not 1 <= int(seat) <= 9:
        raise RosterError(f"第 {line} 行的座次应为 1–9 · line {line}: the seat should be 1–9")
    return Entry(cell("household"), cell("name"), number, int(seat))


def _plain(heading: str) -> str:
    return heading.strip().lower()


def _is_known(session: Session, archive: Archive, community_id: str, home_id: str, entry: Entry) -> bool:
    at_home = select(Resident).where(Resident.community_id == community_id, Resident.household_id == home_id)
    return any(
        archive.keyring.unseal(session, resident.key_id, resident.sealed_name, resident.id).decode()
        == entry.name
        for resident in session.scalars(at_home)
    )


def _add(session: Session, archive: Archive, community_id: str, home_id: str, entry: Entry) -> None:
    number: Number | None = None
    if entry.number:
        number = find_or_create_number(session, archive, community_id, entry.number)
    resident_id, key_id = new_id("res"), archive.keyring.new_key(session)
    session.add(
        Resident(
            id=resident_id,
            community_id=community_id,
            household_id=home_id,
            number_id=number.id if number else None,
            key_id=key_id,
            sealed_name=archive.keyring.seal(session, key_id, entry.name.encode(), resident_id),
            seat=entry.seat,
        )
    )
    session.flush()
    if number is not None:
        seated = select(Person).where(Person.number_id == number.id, Person.seat == entry.seat)
        for person in session.scalars(seated):
            person.household_id = person.household_id or home_id
