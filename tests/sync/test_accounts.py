"""Accounts on platforms: the same account is the same person, and an attested number is the one who calls."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from sync.accounts import Voice, digest_of, known_person, voice_of
from sync.archive import Archive
from sync.erase import erase_person
from sync.errors import RecordsError
from sync.platforms import add_platform
from sync.records.tables import Account, Ballot, Community, Household, Person, Resident
from tests.sync.village import COMMUNITY, NOON, ROAD, Village

NUMBER = "+8613800000001"


@pytest.fixture
def platform_id(any_archive: Archive, any_community: Community) -> str:
    with any_archive.database.begin() as session:
        return add_platform(session, any_community.id, "小程序", ["feedback:read"])[0].id


def speak(
    archive: Archive, platform_id: str, account: str = "openid-1", number: str | None = None, **more: Any
) -> Voice:
    with archive.database.begin() as session:
        return voice_of(session, archive, platform_id, COMMUNITY, account, number, **more)


def test_an_account_is_always_the_same_person(any_archive: Archive, platform_id: str) -> None:
    first, again, other = (speak(any_archive, platform_id, name) for name in ("li", "li", "wang"))
    assert first == again
    assert first.evidence == "none"
    assert other.person_id != first.person_id


def test_another_platforms_account_of_that_name_is_somebody_else(
    any_archive: Archive, platform_id: str
) -> None:
    with any_archive.database.begin() as session:
        elsewhere = add_platform(session, COMMUNITY, "网站", ["feedback:read"])[0].id
    assert speak(any_archive, platform_id).person_id != speak(any_archive, elsewhere).person_id


def test_what_the_account_is_called_is_nowhere_in_the_records(any_archive: Archive, platform_id: str) -> None:
    speak(any_archive, platform_id, "zhang-san-1958")
    with any_archive.database.read() as session:
        (row,) = session.scalars(select(Account))
        assert len(row.digest) == 64
        assert "zhang" not in row.digest
        assert known_person(session, any_archive, platform_id, "zhang-san-1958") == row.person_id
        assert known_person(session, any_archive, platform_id, "zhang-san-1959") is None


def test_an_attested_number_is_whoever_calls_from_it(any_archive: Archive, platform_id: str) -> None:
    village = Village(any_archive)
    caller, second = village.person(NUMBER), village.person(NUMBER, seat=2)
    assert speak(any_archive, platform_id, number="138 0000 0001") == Voice(caller, "attested")
    assert speak(any_archive, platform_id, "openid-2", NUMBER, seat=2) == Voice(second, "attested")
    assert speak(any_archive, platform_id) == Voice(caller, "attested")  # the platform has said so once


def test_phone_and_attested_account_have_one_ballot(any_archive: Archive, platform_id: str) -> None:
    village = Village(any_archive)
    village.topic()
    caller = village.person(NUMBER)
    web = speak(any_archive, platform_id, number=NUMBER)
    village.keep(
        village.ballot(caller, "agree", 1, "1"),
        village.ballot(
            web.person_id, "disagree", 2, "2", source=platform_id, channel="web", evidence="attested"
        ),
    )
    village.settle()
    with any_archive.database.read() as session:
        (ballot,) = session.scalars(select(Ballot))
    assert (ballot.choice, ballot.channel, ballot.evidence) == ("disagree", "web", "attested")


def test_a_number_told_later_joins_what_was_given_before(any_archive: Archive, platform_id: str) -> None:
    village = Village(any_archive)
    village.topic()
    caller, web = village.person(NUMBER), speak(any_archive, platform_id)
    village.keep(
        village.ballot(caller, "agree", 2, "1"),
        village.ballot(web.person_id, "disagree", 1, "2", source=platform_id, channel="web"),
    )
    village.settle()
    assert count(any_archive) == 2
    assert speak(any_archive, platform_id, number=NUMBER).person_id == caller
    assert count(any_archive) == 1


def test_a_number_that_changed_hands_takes_nothing_along(any_archive: Archive, platform_id: str) -> None:
    before = speak(any_archive, platform_id, number=NUMBER)
    after = speak(any_archive, platform_id, number="+8613800000002")
    assert before.person_id != after.person_id
    with any_archive.database.read() as session:
        assert not session.scalar(select(func.count(Person.id)).where(Person.root_id.is_not(None)))


def test_an_attested_number_on_the_roster_speaks_for_its_home(any_archive: Archive, platform_id: str) -> None:
    village = Village(any_archive)
    with any_archive.database.begin() as session:
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="3-2-501"))
    with any_archive.database.begin() as session:
        at_number = session.get_one(Person, village.seated(session, "+8613800000009")).number_id
        session.add(
            Resident(
                id="res_1", community_id=COMMUNITY, household_id="hh_1", number_id=at_number, sealed_name=b"",
                key_id=any_archive.keyring.new_key(session), seat=2,
            )
        )  # fmt: skip
    at_home = speak(any_archive, platform_id, number="+8613800000009", seat=2)
    told = speak(any_archive, platform_id, "openid-3", household="3-2-501")
    with any_archive.database.read() as session:
        assert session.get_one(Person, at_home.person_id).household_id == "hh_1"
        assert session.get_one(Person, told.person_id).household_id == "hh_1"


@pytest.mark.parametrize(
    ("account", "number", "seat"),
    [("", None, 1), ("a" * 201, None, 1), ("a", "110-x", 1), ("a", NUMBER, 0), ("a", NUMBER, 10)],
)
def test_an_account_number_or_seat_that_cannot_be_is_refused(
    any_archive: Archive, platform_id: str, account: str, number: str | None, seat: int
) -> None:
    with pytest.raises(RecordsError):
        speak(any_archive, platform_id, account, number, seat=seat)
    with any_archive.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(Account))


def count(archive: Archive) -> int:
    with archive.database.read() as session:
        return session.scalar(select(func.count(Ballot.id)).where(Ballot.topic_id == ROAD)) or 0


def test_an_account_whose_person_was_erased_is_somebody_new(any_archive: Archive, platform_id: str) -> None:
    before = speak(any_archive, platform_id).person_id
    erase_person(any_archive, before, "desk")
    with any_archive.database.read() as session:
        assert not session.scalar(select(func.count()).select_from(Account))
    with any_archive.database.begin() as session:  # written by a call that was quicker than the erasing
        digest = digest_of(any_archive, platform_id, "openid-1")
        session.add(Account(platform_id=platform_id, digest=digest, person_id=before, created_at=NOON))
    assert speak(any_archive, platform_id).person_id != before


def test_who_attested_later_takes_their_earlier_name_along_when_erased(
    any_archive: Archive, platform_id: str
) -> None:
    earlier = speak(any_archive, platform_id).person_id
    now = speak(any_archive, platform_id, number=NUMBER).person_id
    erase_person(any_archive, now, "desk")
    with any_archive.database.read() as session:
        assert all(session.get_one(Person, one).erased_at for one in (earlier, now))
