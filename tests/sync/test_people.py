"""Numbers, seats and evidence."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from sync.archive import Archive
from sync.people import (
    evidence_of,
    find_or_create_number,
    normalise_number,
    person_at,
    readable_number,
    roster_seats,
)
from sync.records.tables import Community, Household, Key, Number, Person, Resident
from tests.sync.village import COMMUNITY, NOON


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("13800138000", "+8613800138000"),
        ("+8613800138000", "+8613800138000"),
        ("0571-8888 1234", "+8657188881234"),
        ("sip:+8613800138000@gateway;user=phone", "+8613800138000"),
        ("+85291234567", "+85291234567"),
        ("anonymous", None),
        ("sip:anonymous@anonymous.invalid", None),
        ("+266696687", None),
        ("Restricted", None),
        ("1001", None),
        ("", None),
        (None, None),
        ("打电话", None),
    ],
)
def test_a_number_is_the_same_however_it_is_written(raw: str | None, e164: str | None) -> None:
    assert normalise_number(raw) == e164


def test_a_number_is_found_again_and_readable_only_through_its_key(
    any_archive: Archive, any_community: Community
) -> None:
    with any_archive.database.begin() as session:
        number = find_or_create_number(session, any_archive, COMMUNITY, "+8613800000001")
        assert find_or_create_number(session, any_archive, COMMUNITY, "+8613800000001").id == number.id
        assert readable_number(session, any_archive, number) == "+8613800000001"
        assert number.sealed is not None
        assert b"138" not in number.sealed


def test_a_phone_is_not_a_person(any_archive: Archive, any_community: Community) -> None:
    with any_archive.database.begin() as session:
        number = find_or_create_number(session, any_archive, COMMUNITY, "+8613800000001")
        first, second = (person_at(session, any_archive, COMMUNITY, number, seat) for seat in (1, 2))
        assert first.id != second.id
        assert person_at(session, any_archive, COMMUNITY, number).id == first.id
        assert first.key_id != second.key_id


def test_a_withheld_number_is_somebody_new_each_time(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        people = {person_at(session, archive, COMMUNITY, None).id for _ in range(3)}
        assert len(people) == 3
        assert evidence_of(session, None) == "none"


def test_the_roster_gives_homes_seats_and_evidence(archive: Archive, community: Community) -> None:
    with archive.database.begin() as session:
        number = find_or_create_number(session, archive, COMMUNITY, "+8613800000001")
        assert evidence_of(session, number) == "caller_id"
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="1-101"))
        session.flush()
        for seat in (1, 2):
            session.add(
                Resident(
                    id=f"res_{seat}",
                    community_id=COMMUNITY,
                    household_id="hh_1",
                    number_id=number.id,
                    key_id=archive.keyring.new_key(session),
                    sealed_name=b"",
                    seat=seat,
                )
            )
        session.flush()
        assert evidence_of(session, number) == "roster"
        assert roster_seats(session, number) == 2
        homes = {person_at(session, archive, COMMUNITY, number, seat).household_id for seat in (1, 2, 3)}
        assert homes == {"hh_1"}


@pytest.mark.slow
def test_two_calls_at_once_from_a_new_number_are_one_person(postgres_archive: Archive) -> None:
    with postgres_archive.database.begin() as session:
        session.add(Community(id=COMMUNITY, name="n", dialled_number="1", created_at=NOON))
    start = threading.Barrier(4)

    def call() -> None:
        with postgres_archive.database.begin() as session:
            session.connection()
            start.wait()
            number = find_or_create_number(session, postgres_archive, COMMUNITY, "+8613800000001")
            person_at(session, postgres_archive, COMMUNITY, number)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with postgres_archive.database.read() as session:
        counts = [session.scalar(select(func.count()).select_from(table)) for table in (Number, Person, Key)]
    assert counts == [1, 1, 2]
