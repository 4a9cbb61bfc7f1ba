"""What came out of a topic, and how it was counted."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event

from sync.archive import Archive
from sync.database import RecordsError
from sync.records.tables import Community, Topic
from sync.tally import Tally, tally
from tests.sync.village import ROAD, Village, at


def count(archive: Archive) -> Tally:
    with archive.database.read() as session:
        return tally(session, ROAD)


def test_a_tally_says_what_counts_how_it_is_known_and_what_lies_outside(
    any_archive: Archive, any_community: Community
) -> None:
    village = Village(any_archive)
    village.topic(
        opens_at=at(0),
        closes_at=at(60),
        rules={"electorate": "全体成年居民", "electorate_size": 10, "quorum": 0.25},
    )
    people = [village.person(f"+86138000000{n:02}") for n in range(4)]
    village.keep(
        village.ballot(people[0], "agree", 1, "1"),
        village.ballot(people[0], "disagree", 2, "2"),
        village.ballot(people[1], "agree", 3, "3", evidence="roster"),
        village.ballot(people[2], "agree", 4, "4", evidence="attested", channel="web", source="mini"),
        village.ballot(people[3], "agree", -5, "5"),
        village.ballot(people[3], "agree", 70, "6"),
        village.ballot(people[3], "perhaps", 5, "7"),
        village.ballot(people[1], "agree", 2, "8", is_practice=True),
    )
    village.settle()
    result = count(any_archive)
    assert result.choices == {"agree": 2, "disagree": 1, "pass": 0}
    assert result.evidence == {"caller_id": 1, "roster": 1, "attested": 1}
    assert result.channels == {"phone": 2, "web": 1}
    assert (result.voters, result.replaced, result.early, result.late, result.refused) == (3, 2, 1, 1, 1)
    assert (result.quorum, result.is_quorate, result.electorate) == (3, True, "全体成年居民")
    assert result.practice == 0


def test_practice_is_told_apart(archive: Archive, community: Community) -> None:
    village = Village(archive)
    village.topic()
    village.keep(
        village.ballot(village.person(), "agree", 1, "1", is_practice=True),
        village.ballot(village.person("+8613800000002"), "agree", 1, "2"),
    )
    village.settle()
    assert (count(archive).voters, count(archive).practice) == (2, 1)


@pytest.mark.parametrize(
    ("columns", "before", "after"),
    [
        ({}, True, True),
        ({"rules": {"results": "closed"}, "closes_at": at(60)}, False, True),
        ({"rules": {"results": "closed"}}, False, False),
        ({"rules": {"results": "voted"}, "closes_at": at(60)}, False, True),
        ({"rules": {"results": "closed"}, "state": "decided"}, True, True),
    ],
)
def test_some_topics_hide_their_result_until_they_close(
    archive: Archive, community: Community, columns: dict[str, Any], before: bool, after: bool
) -> None:
    Village(archive).topic(**columns)
    result = count(archive)
    assert (result.may_be_shown(at(30)), result.may_be_shown(at(60))) == (before, after)


def test_a_running_result_for_voters_is_told_to_them_alone(archive: Archive, community: Community) -> None:
    Village(archive).topic(rules={"results": "voted"})
    result = count(archive)
    assert result.may_be_shown(at(30), has_voted=True)
    assert not result.may_be_shown(at(30))
    with archive.database.begin() as session:
        session.get_one(Topic, ROAD).rules = {"results": "closed"}
    assert not count(archive).may_be_shown(at(30), has_voted=True)


def test_counting_costs_the_same_however_many_voted(archive: Archive, community: Community) -> None:
    village, statements = Village(archive), []
    village.topic()
    with archive.database.begin() as session:
        people = [village.seated(session, f"+86138{n:08}") for n in range(60)]
    village.keep(*(village.ballot(who, "agree", 1, who) for who in people))
    village.settle()
    event.listen(archive.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert count(archive).voters == 60
    assert len([each for each in statements if each.startswith("SELECT")]) == 3


def test_a_topic_that_is_not_there_has_no_tally(archive: Archive, community: Community) -> None:
    with pytest.raises(RecordsError):
        count(archive)


def test_a_whole_number_is_a_quorum_of_voters(archive: Archive, community: Community) -> None:
    village = Village(archive)
    village.topic(rules={"quorum": 2})
    assert count(archive).is_quorate is False
    with archive.database.begin() as session:
        session.get_one(Topic, ROAD).rules = {"quorum": 0.5}
    assert count(archive).is_quorate is None
