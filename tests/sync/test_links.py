"""Links: what a code makes one counts once, what is undone counts twice, and what was final stays."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from sync.archive import Archive
from sync.backup import backup, restore
from sync.erase import erase_person
from sync.errors import RecordsError
from sync.links import (
    CODES_AN_HOUR,
    COMMUNITY_WRONG_AN_HOUR,
    WRONG_AN_HOUR,
    Refusal,
    issue_code,
    join,
    links_of,
    note_try,
    redeem_code,
    undo_link,
)
from sync.records.tables import (
    Account,
    Ballot,
    Change,
    Community,
    Household,
    Link,
    LinkCode,
    Person,
    Reaction,
    Topic,
)
from sync.retention import expire
from sync.settle import settle_batch
from tests.sync.village import COMMUNITY, ROAD, Village, at

NOW = at(5_000)


@pytest.fixture
def village(any_archive: Archive, any_community: Community) -> Village:
    """A village with a road, on either database."""
    village = Village(any_archive)
    village.topic()
    return village


def code_for(village: Village, person_id: str, minutes: float = 5_000) -> str:
    with village.archive.database.begin() as session:
        code = issue_code(session, village.archive, person_id, at(minutes))
    assert code is not None
    return code


def redeem(
    village: Village, person_id: str, code: str, minutes: float = 5_001, community_id: str = COMMUNITY
) -> Link | Refusal:
    with village.archive.database.begin() as session:
        return redeem_code(session, village.archive, community_id, person_id, code, at(minutes))


def link(village: Village, one: str, other: str, minutes: float = 5_000) -> str:
    with village.archive.database.begin() as session:
        made = join(session, village.archive, (one, other), "code", "phone", at(minutes))
    assert isinstance(made, Link)
    return made.id


def undo(village: Village, link_id: str, minutes: float = 5_010) -> None:
    with village.archive.database.begin() as session:
        undo_link(session, village.archive, link_id, "desk", at(minutes))


def standing(village: Village, topic_id: str = ROAD) -> list[tuple[str, str]]:
    with village.archive.database.read() as session:
        rows = session.execute(select(Ballot.person_id, Ballot.choice).where(Ballot.topic_id == topic_id))
        return sorted((row.person_id, row.choice) for row in rows)


def counted_as(village: Village, person_id: str) -> str | None:
    with village.archive.database.read() as session:
        return session.get_one(Person, person_id).root_id


def two_votes(village: Village) -> tuple[str, str]:
    """A caller who agreed at minute 1, and an account that disagreed at minute 2."""
    caller, account = village.person(), village.person(None)
    village.keep(
        village.ballot(caller, "agree", 1, "1"),
        village.ballot(account, "disagree", 2, "2", source="mini", channel="web", evidence="none"),
    )
    village.settle()
    return caller, account


def test_a_code_makes_one_of_two_and_undoing_it_two_of_one(village: Village) -> None:
    caller, account = two_votes(village)
    both = sorted([(caller, "agree"), (account, "disagree")])
    assert standing(village) == both
    made = redeem(village, account, code_for(village, caller))
    assert isinstance(made, Link)
    assert standing(village) == [(account, "disagree")]
    undo(village, made.id)
    assert standing(village) == both
    with village.archive.database.read() as session:
        live = {"created": 1, "deleted": -1, "updated": 0}
        acts = session.execute(select(Change.record_id, Change.act).where(Change.record == "ballot"))
        left: dict[str, int] = {}
        for row in acts:
            left[row.record_id] = left.get(row.record_id, 0) + live[row.act]
        assert {one for one, n in left.items() if n == 1} == set(session.scalars(select(Ballot.id)))


def test_whoever_is_linked_has_one_ballot_from_then_on(village: Village) -> None:
    caller, account = village.person(), village.person(None)
    link(village, caller, account)
    village.keep(village.ballot(account, "agree", 1, "1"), village.ballot(caller, "pass", 3, "2"))
    village.settle()
    village.keep(village.ballot(account, "disagree", 2, "3"))
    village.settle()
    assert standing(village) == [(caller, "pass")]


def test_links_lead_on_and_break_where_they_are_undone(village: Village) -> None:
    one, two, three = (village.person(None) for _ in range(3))
    village.keep(*(village.ballot(who, "agree", n, str(n)) for n, who in enumerate((one, two, three))))
    village.settle()
    first, _ = link(village, one, two), link(village, two, three)
    assert standing(village) == [(three, "agree")]
    assert {counted_as(village, who) for who in (one, two, three)} == {min(one, two, three)}
    undo(village, first)
    assert standing(village) == sorted([(one, "agree"), (three, "agree")])
    assert counted_as(village, one) is None


def test_linking_twice_is_linking_once(village: Village) -> None:
    one, two = village.person(None), village.person(None)
    assert link(village, one, two) == link(village, two, one)


# --- codes ---
def test_a_code_is_kept_as_a_digest_only_and_works_once(village: Village) -> None:
    caller, account, other = (village.person(None) for _ in range(3))
    code = code_for(village, caller)
    assert len(code) == 6
    assert code.isdigit()
    with village.archive.database.read() as session:
        (row,) = session.scalars(select(LinkCode))
        assert code not in row.digest
    assert isinstance(redeem(village, account, code), Link)
    assert redeem(village, other, code) == "unknown"


def test_a_code_lives_ten_minutes(village: Village) -> None:
    caller, account = village.person(None), village.person(None)
    code = code_for(village, caller, 5_000)
    assert redeem(village, account, code, 5_010) == "unknown"
    assert isinstance(redeem(village, account, code, 5_009.9), Link)


def test_a_new_code_voids_the_one_before(village: Village) -> None:
    caller, account = village.person(None), village.person(None)
    first, second = code_for(village, caller), code_for(village, caller)
    assert first == second or redeem(village, account, first) == "unknown"
    assert isinstance(redeem(village, account, second), Link)


def test_a_code_is_nothing_to_its_owner_nor_in_another_community(village: Village) -> None:
    caller, account = village.person(None), village.person(None)
    code = code_for(village, caller)
    assert redeem(village, caller, code) == "same_person"
    assert redeem(village, account, code, community_id="cm_other") == "unknown"


def test_codes_are_given_sparingly(village: Village) -> None:
    caller = village.person(None)
    for _ in range(CODES_AN_HOUR):
        code_for(village, caller)
    with village.archive.database.begin() as session:
        assert issue_code(session, village.archive, caller, NOW) is None
        assert issue_code(session, village.archive, village.seated(session, None), NOW) is not None
        assert issue_code(session, village.archive, caller, NOW + timedelta(hours=1)) is not None


def test_wrong_codes_lock_whoever_types_them_for_an_hour(village: Village) -> None:
    guesser, other = village.person(None), village.person(None)
    with village.archive.database.begin() as session:
        tries = [note_try(session, COMMUNITY, guesser, NOW) for _ in range(WRONG_AN_HOUR + 1)]
        assert tries == [True] * WRONG_AN_HOUR + [False]
        assert note_try(session, COMMUNITY, other, NOW)
        assert note_try(session, COMMUNITY, guesser, NOW + timedelta(hours=1))


def test_many_guessers_lock_the_community(village: Village) -> None:
    people = [village.person(None) for _ in range(COMMUNITY_WRONG_AN_HOUR // WRONG_AN_HOUR + 1)]
    with village.archive.database.begin() as session:
        tries = [note_try(session, COMMUNITY, who, NOW) for who in people for _ in range(WRONG_AN_HOUR)]
    assert tries.count(True) == COMMUNITY_WRONG_AN_HOUR


def test_right_codes_lock_nobody(village: Village) -> None:
    caller = village.person(None)
    for n in range(WRONG_AN_HOUR + 2):
        account, hour = village.person(None), 5_000 + n * 15
        with village.archive.database.begin() as session:
            assert note_try(session, COMMUNITY, caller, at(hour))
        assert isinstance(redeem(village, caller, code_for(village, account, hour), hour), Link)


# --- who can't be one ---
def test_two_seats_of_a_telephone_stay_two_people(village: Village) -> None:
    first, second, helper = village.person(), village.person(seat=2), village.person(None)
    assert redeem(village, second, code_for(village, first)) == "two_seats"
    link(village, first, helper)
    assert redeem(village, helper, code_for(village, second)) == "two_seats"
    assert counted_as(village, second) is None


def test_a_landline_and_a_mobile_may_be_one(village: Village) -> None:
    link(village, village.person("+8657112340001"), village.person("+8613800000009"))


def test_nobody_is_linked_to_who_was_erased(village: Village) -> None:
    caller, account = village.person(), village.person(None)
    code = code_for(village, caller)
    erase_person(village.archive, account, "desk")
    assert redeem(village, account, code) == "erased"


def test_there_is_no_undoing_what_there_is_not(village: Village) -> None:
    with pytest.raises(RecordsError), village.archive.database.begin() as session:
        undo_link(session, village.archive, "lnk_none", "desk", NOW)


# --- what was final ---
def test_a_topic_that_is_over_counts_by_the_links_of_its_close(village: Village) -> None:
    village.topic("tp_over", closes_at=at(4_000))
    caller, account = village.person(), village.person(None)
    cast = [
        village.given("ballot", caller, 1, "1", {"choice": "agree"}, topic_id="tp_over"),
        village.given("ballot", account, 2, "2", {"choice": "agree"}, topic_id="tp_over"),
    ]
    village.keep(*cast)
    settle_batch(village.archive, now=at(3_000))
    made = link(village, caller, account, 4_500)
    late_in = village.given("ballot", account, 3, "3", {"choice": "pass"}, topic_id="tp_over")
    village.keep(late_in)
    settle_batch(village.archive, now=at(5_000))
    assert standing(village, "tp_over") == sorted([(caller, "agree"), (account, "pass")])
    undo(village, made)
    assert standing(village, "tp_over") == sorted([(caller, "agree"), (account, "pass")])


def test_a_link_undone_after_the_close_still_counts_there(village: Village) -> None:
    village.topic("tp_over", closes_at=at(4_000))
    caller, account = village.person(), village.person(None)
    made = link(village, caller, account, 3_000)
    undo(village, made, 4_500)
    village.keep(
        village.given("ballot", caller, 1, "1", {"choice": "agree"}, topic_id="tp_over"),
        village.given("ballot", account, 2, "2", {"choice": "pass"}, topic_id="tp_over"),
    )
    settle_batch(village.archive, now=at(5_000))
    assert standing(village, "tp_over") == [(account, "pass")]


def test_a_topic_closed_by_hand_is_left_alone(village: Village) -> None:
    caller, account = two_votes(village)
    with village.archive.database.begin() as session:
        session.get_one(Topic, ROAD).state = "closed"
    link(village, caller, account)
    assert len(standing(village)) == 2


# --- homes ---
def test_a_linked_account_votes_for_the_home_of_its_telephone(village: Village) -> None:
    village.topic("tp_homes", rules={"counts": "households"})
    caller, second, account = village.person(), village.person(seat=2), village.person(None)
    with village.archive.database.begin() as session:
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="3-2-501"))
        session.flush()
        session.get_one(Person, second).household_id = "hh_1"
        session.get_one(Person, caller).household_id = "hh_1"
    village.keep(
        village.given("ballot", second, 1, "1", {"choice": "agree"}, topic_id="tp_homes"),
        village.given("ballot", account, 2, "2", {"choice": "pass"}, topic_id="tp_homes"),
    )
    village.settle()
    assert len(standing(village, "tp_homes")) == 2
    made = link(village, caller, account)
    assert standing(village, "tp_homes") == [(account, "pass")]
    undo(village, made)
    assert standing(village, "tp_homes") == sorted([(second, "agree"), (account, "pass")])


# --- reactions ---
def test_two_reactions_become_one_and_two_again(village: Village) -> None:
    speaker, (caller, account) = village.person("+8613800000008"), two_votes(village)
    village.recording("r1", speaker)
    village.keep(
        village.given(
            "opinion", speaker, 1, "o", {"opinion_id": "op_1", "recordings": ["r1"]}, topic_id=ROAD
        ),
        village.given("reaction", caller, 2, "ra", {"opinion_id": "op_1", "choice": "agree"}),
        village.given("reaction", account, 3, "rb", {"opinion_id": "op_1", "choice": "disagree"}),
    )
    village.settle()
    made = link(village, caller, account)
    assert reactions(village) == [(account, "disagree")]
    village.keep(village.given("reaction", caller, 4, "rc", {"opinion_id": "op_1", "choice": "pass"}))
    village.settle()
    assert reactions(village) == [(caller, "pass")]
    undo(village, made)
    assert reactions(village) == sorted([(caller, "pass"), (account, "disagree")])


def reactions(village: Village) -> list[tuple[str, str]]:
    with village.archive.database.read() as session:
        return sorted((row.person_id, row.choice) for row in session.scalars(select(Reaction)))


# --- erasing, keeping ---
def test_who_is_erased_leaves_no_link_code_or_account_and_the_other_counts_alone(village: Village) -> None:
    caller, account = two_votes(village)
    link(village, caller, account)
    code_for(village, caller)
    erase_person(village.archive, account, "desk")
    assert standing(village) == [(caller, "agree")]
    assert counted_as(village, caller) is None
    erase_person(village.archive, caller, "desk")
    with village.archive.database.read() as session:
        for table in (Link, LinkCode, Account, Ballot):
            assert session.scalar(select(func.count()).select_from(table)) == 0


def test_a_backup_brings_links_back(village: Village, tmp_path: Path) -> None:
    home = tmp_path
    caller, account = two_votes(village)
    link(village, caller, account)
    backup(village.archive, home, home / "b.tar")
    restore(home / "b.tar", f"sqlite:///{home}/again/records.db", home / "again")
    again = Archive.open(f"sqlite:///{home}/again/records.db", home / "again")
    with again.database.read() as session:
        assert len(links_of(session, caller)) == 1
        assert session.get_one(Person, account).root_id == min(caller, account)
    again.close()


# --- at once ---
def test_nobody_slips_past_a_link_that_is_being_made(village: Village) -> None:
    """A worker that read who is who before the link, and writes after it, would count them twice."""
    caller, account = village.person(), village.person(None)
    village.keep(
        *(village.ballot(who, "agree", n, f"{who}{n}") for n in range(40) for who in (caller, account))
    )
    start = threading.Barrier(3)

    def settle() -> None:
        start.wait()
        while settle_batch(village.archive, 5, now=NOW).taken:
            pass

    def link_and_undo() -> None:
        start.wait()
        for n in range(5):
            undo(village, link(village, caller, account, 5_000 + n), 5_000.5 + n)
        link(village, caller, account, 5_100)

    threads = [threading.Thread(target=act) for act in (settle, settle, link_and_undo)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    village.settle()
    assert len(standing(village)) == 1


def test_old_codes_are_swept_away(village: Village) -> None:
    code_for(village, village.person(), 5_000)
    left = []
    for minute in (5_009, 5_010):
        expire(village.archive, at(minute))
        with village.archive.database.read() as session:
            left.append(session.scalar(select(func.count(LinkCode.digest))))
    assert left == [1, 0]
