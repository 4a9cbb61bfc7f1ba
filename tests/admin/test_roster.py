"""The roster: read from what spreadsheets save, imported once, tied to those who called before."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin.roster import Entry, RosterError, import_roster, read_roster
from sync.archive import Archive
from sync.people import evidence_of, find_number, find_or_create_number, person_at, roster_seats
from sync.records.tables import Community, Resident

ENTRIES = [
    Entry("1-101", "王桂兰", "+8613800000001", 1),
    Entry("1-101", "王守成", "+8613800000001", 2),
    Entry("2-301", "何大爷", None, 1),
]


def test_a_file_is_read_in_either_language_and_encoding(tmp_path: Path) -> None:
    file = tmp_path / "roster.csv"
    file.write_bytes("户,姓名,电话,座次\n1-101,王桂兰,138 0000 0001,2\n".encode("gb18030"))
    assert read_roster(file) == [Entry("1-101", "王桂兰", "+8613800000001", 2)]
    file.write_text("﻿Household,Name,Phone\n1-101,Wang,\n", "utf-8")
    assert read_roster(file) == [Entry("1-101", "Wang", None, 1)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("户,电话\n1,2\n", "姓名"),
        ("户,姓名\n,王\n", "line 2"),
        ("户,姓名,电话\n1,王,not a number\n", "line 2"),
        ("户,姓名,座次\n1,王,0\n", "line 2"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "roster.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(RosterError, match=says):
        read_roster(file)


def test_importing_twice_adds_nobody_twice(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        first = import_roster(session, archive, community.id, ENTRIES)
        second = import_roster(session, archive, community.id, ENTRIES)
    assert (first.households, first.residents, first.known) == (2, 3, 0)
    assert (second.households, second.residents, second.known) == (0, 0, 3)


def test_who_called_before_gets_a_home_and_better_evidence(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, community.id, "+8613800000001")
        caller = person_at(session, archive, community.id, number)
        assert evidence_of(session, number) == "caller_id"
        import_roster(session, archive, community.id, ENTRIES)
        assert caller.household_id is not None
        assert evidence_of(session, number) == "roster"
        assert roster_seats(session, number) == 2


def test_no_name_or_number_lies_open(archive: Archive, community: Community, tmp_path: Path) -> None:
    with archive.database.begin() as session:
        import_roster(session, archive, community.id, ENTRIES)
        assert find_number(session, archive, community.id, "+8613800000001") is not None
        assert all("王".encode() not in row.sealed_name for row in session.query(Resident))
    archive.close()
    raw = b"".join(file.read_bytes() for file in tmp_path.glob("records.db*"))
    assert "王桂兰".encode() not in raw
    assert b"13800000001" not in raw
