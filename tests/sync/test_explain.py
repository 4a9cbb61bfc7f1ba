"""How we counted: every ballot that came is in the account once, and nobody is given away."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from sync.archive import Archive
from sync.errors import RecordsError
from sync.explain import Explained, explain
from sync.named import voters
from sync.records.tables import Capture, Community, Household, Link, Person, Resident, Topic
from sync.recount import recount
from tests.sync.village import COMMUNITY, ROAD, Village, at

NUMBERS = [f"+861380000000{n}" for n in range(1, 6)]


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village on either database."""
    return Village(any_archive)


def vote(village: Village, who: str, choice: str, minutes: float, source_id: str, **more: Any) -> None:
    village.keep(village.ballot(who, choice, minutes, source_id, **more))


def told(village: Village, minutes: float = 60) -> Explained:
    village.settle()
    with village.archive.database.read() as session:
        return explain(session, ROAD, at(minutes))


def everything_given(village: Village, people: list[str]) -> None:
    """Ballots of all fates: in time, again, early, late, of an unknown choice, by a clock that ran ahead."""
    first, second, third = people[:3]
    vote(village, first, "agree", 1, "1")
    vote(village, first, "disagree", 5, "2", channel="web")
    vote(village, second, "agree", 2, "3")
    vote(village, second, "pass", -5, "early")
    vote(village, third, "agree", 3, "4", evidence="roster")
    vote(village, third, "pass", 99, "late", channel="paper")
    vote(village, third, "maybe", 4, "odd")
    vote(village, third, "pass", 5_000, "ahead")


def test_every_ballot_is_told_once_with_what_became_of_it_and_why(village: Village) -> None:
    village.topic(opens_at=at(0), closes_at=at(50))
    everything_given(village, [village.person(number) for number in NUMBERS])
    found = told(village)
    assert {(one.channel, one.state, one.problem): one.ballots for one in found.given} == {
        ("phone", "merged", None): 3,
        ("web", "merged", None): 1,
        ("phone", "early", "before_opening"): 1,
        ("paper", "late", "after_close"): 1,
        ("phone", "refused", "unknown_choice"): 1,
        ("phone", "refused", "clock_ahead"): 1,
    }
    with village.archive.database.read() as session:
        assert found.total == session.scalar(select(func.count(Capture.id)))
    assert (found.counted, found.replaced, found.people, found.linked, found.housemates) == (4, 1, 3, 0, 0)
    assert found.tally.voters == 3
    assert found.tally.choices == {"agree": 2, "disagree": 1, "pass": 0}


def test_linked_people_and_housemates_are_what_lies_between_people_and_voters(village: Village) -> None:
    village.topic(rules={"counts": "households"})
    people = [village.person(number) for number in NUMBERS]
    with village.archive.database.begin() as session:
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="1-101"))
        session.flush()
        for one in people[:2]:
            session.get_one(Person, one).household_id = "hh_1"
        # the fourth is the fifth, as a code has shown
        session.get_one(Person, people[3]).root_id = people[4]
        session.get_one(Person, people[4]).root_id = people[4]
        for one in people[3:]:
            session.get_one(Person, one).home_id = "hh_9"
        session.add(
            Link(
                id="ln_1", community_id=COMMUNITY, person_id=people[3], other_id=people[4], how="code",
                made_by="exchange", made_at=at(0),
            )
        )  # fmt: skip
    for n, one in enumerate(people):
        vote(village, one, "agree", n, f"{n}")
    found = told(village)
    assert (found.counted, found.replaced, found.people) == (5, 0, 5)
    assert (found.linked, found.housemates, found.tally.voters) == (1, 1, 3)
    assert found.people - found.linked - found.housemates == found.tally.voters
    assert sorted(chain.people for chain in found.chains) == [1, 2, 2]


def test_the_account_always_adds_up(village: Village) -> None:
    village.topic(opens_at=at(0), closes_at=at(50), rules={"named": True})
    everything_given(village, [village.person(number) for number in NUMBERS])
    found = told(village)
    assert found.counted - found.replaced - found.linked - found.housemates == found.tally.voters
    fates = Counter(link.fate for chain in found.chains for link in chain.links)
    assert fates == {"stands": 3, "replaced": 1, "early": 1, "late": 1, "refused": 2}
    first = next(chain for chain in found.chains if any(link.fate == "replaced" for link in chain.links))
    assert [(link.choice, link.channel, link.fate) for link in first.links] == [
        ("agree", "phone", "replaced"),
        ("disagree", "web", "stands"),
    ]
    assert [chain.number for chain in found.chains] == [1, 2, 3]


def test_an_anonymous_topic_gives_nobody_away(village: Village) -> None:
    village.topic(opens_at=at(0), closes_at=at(50))
    people = [village.person(number) for number in NUMBERS]
    everything_given(village, people)
    found = told(village)
    assert not found.is_named
    assert {link.choice for chain in found.chains for link in chain.links} == {None}
    assert not any(person in repr(found) for person in people)
    assert not any(field.name.endswith("person_id") for field in fields(found.chains[0]))
    with pytest.raises(RecordsError), village.archive.database.read() as session:
        voters(session, village.archive, session.get_one(Topic, ROAD))


def test_a_hidden_result_stays_hidden_until_the_close_also_in_the_chains(village: Village) -> None:
    village.topic(opens_at=at(0), closes_at=at(50), rules={"named": True, "results": "closed"})
    everything_given(village, [village.person(number) for number in NUMBERS])
    running, closed = told(village, 30), told(village, 60)
    assert not running.is_shown
    assert {link.choice for chain in running.chains for link in chain.links} == {None}
    assert closed.is_shown
    assert {link.choice for chain in closed.chains for link in chain.links} > {"agree"}


def test_a_link_made_after_the_close_changes_no_account(village: Village) -> None:
    village.topic(opens_at=at(0), closes_at=at(50))
    people = [village.person(number) for number in NUMBERS[:2]]
    vote(village, people[0], "agree", 1, "1")
    vote(village, people[1], "agree", 2, "2")
    before = told(village)
    with village.archive.database.begin() as session:
        session.add(
            Link(
                id="ln_1", community_id=COMMUNITY, person_id=people[0], other_id=people[1], how="code",
                made_by="exchange", made_at=at(55),
            )
        )  # fmt: skip
        for one in people:
            session.get_one(Person, one).root_id = people[0]
        session.flush()
        recount(session, village.archive, ROAD, at(70))
    after = told(village, 70)
    assert (after.linked, after.tally.voters) == (before.linked, before.tally.voters) == (0, 2)


def test_voting_by_name_names_by_roster_then_by_the_numbers_last_digits(village: Village) -> None:
    village.topic(rules={"named": True})
    archive, people = village.archive, [village.person(NUMBERS[0]), village.person(NUMBERS[1]), ""]
    people[2] = village.person(None)
    with archive.database.begin() as session:
        key_id = archive.keyring.new_key(session)
        session.add(
            Resident(
                id="res_1", community_id=COMMUNITY, number_id=session.get_one(Person, people[0]).number_id,
                key_id=key_id, sealed_name=archive.keyring.seal(session, key_id, "王秀英".encode(), "res_1"),
            )
        )  # fmt: skip
    for n, one in enumerate(people):
        vote(village, one, "agree", n, f"{n}")
    village.settle()
    with archive.database.read() as session:
        named = voters(session, archive, session.get_one(Topic, ROAD))
        page = voters(session, archive, session.get_one(Topic, ROAD), after=named[1].ballot_id)
    assert {(one.name, one.digits) for one in named} == {("王秀英", "0001"), (None, "0002"), (None, None)}
    assert page == named[2:]


def test_there_is_no_account_of_what_does_not_exist(village: Village) -> None:
    with pytest.raises(RecordsError), village.archive.database.read() as session:
        explain(session, "tp_nowhere", at(0) + timedelta(days=1))
