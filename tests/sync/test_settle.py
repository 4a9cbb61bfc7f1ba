"""The inbox becomes records: once, whatever is repeated, reordered or killed."""

from __future__ import annotations

import random
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select

from sync.archive import Archive
from sync.inbox import Given, is_waiting
from sync.records.tables import (
    Ballot,
    Base,
    Capture,
    Change,
    Community,
    Consent,
    Household,
    Opinion,
    OpinionRecording,
    Person,
    Reaction,
    Recording,
    Reply,
    Request,
    Satisfaction,
    Topic,
)
from sync.recount import recount, recount_homes
from tests.sync.village import COMMUNITY, NOON, ROAD, Village, at

DERIVED = (Ballot, Opinion, OpinionRecording, Reaction, Recording, Satisfaction, Consent, Request)


@pytest.fixture
def village(archive: Archive, community: Community) -> Village:
    """A village on SQLite."""
    return Village(archive)


@pytest.fixture
def any_village(any_archive: Archive, any_community: Community) -> Village:
    """A village on either database."""
    return Village(any_archive)


def rows(archive: Archive, table: type[Base], *but: str) -> list[tuple[Any, ...]]:
    """All rows of a table, sorted, without the columns in `but`."""
    columns = [column for column in table.__table__.c if column.name not in but]
    with archive.database.read() as session:
        return sorted((tuple(row) for row in session.execute(select(*columns))), key=repr)


def records(archive: Archive) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that is derived from captures, byte for byte, and what became of each capture."""
    derived = {table.__tablename__: rows(archive, table) for table in DERIVED}
    return derived | {"captures": rows(archive, Capture, "id")}


def outcome(archive: Archive, source_id: str) -> tuple[str, str | None]:
    with archive.database.read() as session:
        row = session.scalars(select(Capture).where(Capture.source_id == source_id)).one()
        return row.state, row.problem


def standing(archive: Archive) -> dict[str, str]:
    with archive.database.read() as session:
        return {row.voter_id: row.choice for row in session.scalars(select(Ballot))}


def changes(archive: Archive, record: str) -> list[str]:
    with archive.database.read() as session:
        return list(session.scalars(select(Change.act).where(Change.record == record).order_by(Change.id)))


# --- ballots ---
def test_the_last_ballot_stands_and_every_one_is_kept(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    any_village.keep(
        any_village.ballot(who, "agree", 1, "1"),
        any_village.ballot(who, "pass", 9, "2"),
        any_village.ballot(who, "disagree", 5, "3"),
    )
    done = any_village.settle()
    assert (done.taken, done.merged) == (3, 3)
    assert standing(any_village.archive) == {who: "pass"}
    assert len(rows(any_village.archive, Capture)) == 3
    assert changes(any_village.archive, "ballot") == ["created"]


def test_a_change_is_listed_only_when_the_ballot_really_changed(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    for n, minute in enumerate((5, 9, 7)):
        any_village.keep(any_village.ballot(who, "agree", minute, str(n)))
        any_village.settle()
    assert changes(any_village.archive, "ballot") == ["created", "updated"]


def test_settling_twice_is_settling_once(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    given = any_village.ballot(who, "agree", 1, "1")
    assert any_village.keep(given, given) == 1
    any_village.settle()
    before = records(any_village.archive)
    assert any_village.keep(given) == 0
    assert any_village.settle().taken == 0
    assert records(any_village.archive) == before


def test_ballots_outside_the_window_are_kept_and_reported(any_village: Village) -> None:
    any_village.topic(opens_at=at(10), closes_at=at(20))
    who = any_village.person()
    any_village.keep(
        any_village.ballot(who, "agree", 15, "in"),
        any_village.ballot(who, "disagree", 5, "before"),
        any_village.ballot(who, "disagree", 20, "after"),
    )
    done = any_village.settle()
    assert standing(any_village.archive) == {who: "agree"}
    assert outcome(any_village.archive, "before") == ("early", "before_opening")
    assert outcome(any_village.archive, "after") == ("late", "after_close")
    assert (done.merged, done.outside) == (1, 2)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"cast_at": at(1_003)}, "clock_ahead"),
        ({"payload": {"choice": "perhaps"}}, "unknown_choice"),
        ({"payload": {}}, "unknown_choice"),
        ({"topic_id": "tp_none"}, "unknown_topic"),
        ({"topic_id": None}, "unknown_topic"),
        ({"topic_id": "tp_draft"}, "topic_not_open"),
    ],
)
def test_a_ballot_that_cannot_count_says_why(village: Village, columns: dict[str, Any], problem: str) -> None:
    village.topic()
    village.topic("tp_draft", state="draft")
    who = village.person()
    village.keep(village.ballot(who, "agree", 1, "good"))
    village.keep(Given(**(vars(village.ballot(who, "disagree", 1, "bad")) | columns)))
    village.settle()
    assert outcome(village.archive, "bad") == ("refused", problem)
    assert standing(village.archive) == {who: "agree"}


def test_practice_counts_only_in_a_demo_community(village: Village) -> None:
    village.topic()
    who = village.person()
    village.keep(village.ballot(who, "agree", 1, "1", is_practice=True))
    village.settle()
    assert standing(village.archive) == {who: "agree"}
    with village.archive.database.begin() as session:
        session.get_one(Community, COMMUNITY).is_demo = False
    village.keep(village.ballot(who, "disagree", 2, "2", is_practice=True))
    village.settle()
    assert standing(village.archive) == {who: "agree"}
    assert outcome(village.archive, "2") == ("practice", None)


def test_a_home_has_one_ballot_where_homes_count(any_village: Village) -> None:
    any_village.topic(rules={"counts": "households"})
    first, second = any_village.person(seat=1), any_village.person(seat=2)
    any_village.keep(
        any_village.ballot(first, "agree", 1, "1"), any_village.ballot(second, "disagree", 2, "2")
    )
    any_village.settle()
    assert list(standing(any_village.archive).values()) == ["disagree"]


def test_options_by_name_replace_agree_and_disagree(village: Village) -> None:
    village.topic(options=[["north", "北门"], ["south", "南门"]])
    who = village.person()
    village.keep(village.ballot(who, "north", 1, "1"), village.ballot(who, "agree", 2, "2"))
    village.settle()
    assert standing(village.archive) == {who: "north"}


def test_a_recount_follows_the_topic_and_the_roster(any_village: Village) -> None:
    any_village.topic()
    first, second = any_village.person("+8613800000001"), any_village.person("+8613800000002")
    any_village.keep(
        any_village.ballot(first, "agree", 1, "1"),
        any_village.ballot(second, "disagree", 2, "2"),
        any_village.ballot(second, "pass", 30, "3"),
    )
    any_village.settle()
    archive = any_village.archive
    with archive.database.begin() as session:
        session.get_one(Topic, ROAD).closes_at = at(20)
    with archive.database.begin() as session:
        assert recount(session, archive, ROAD, at(40)) == 1
    assert standing(archive) == {first: "agree", second: "disagree"}
    assert outcome(archive, "3") == ("late", "after_close")
    with archive.database.begin() as session:
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="1-101"))
        session.flush()
        for person_id in (first, second):
            session.get_one(Person, person_id).household_id = "hh_1"
        session.get_one(Topic, ROAD).rules = {"counts": "households"}
    with archive.database.begin() as session:
        recount(session, archive, ROAD, at(40))
    assert standing(archive) == {"hh_1": "disagree"}
    with archive.database.begin() as session:
        assert recount(session, archive, ROAD, at(40)) == 0


def test_people_who_turn_out_to_share_a_home_share_a_ballot(any_village: Village) -> None:
    any_village.topic(rules={"counts": "households"})
    any_village.topic("tp_persons")
    first, second = any_village.person("+8613800000001"), any_village.person("+8613800000002")
    any_village.keep(any_village.ballot(first, "agree", 1, "1"), any_village.ballot(second, "pass", 2, "2"))
    any_village.settle()
    archive = any_village.archive
    assert len(standing(archive)) == 2
    with archive.database.begin() as session:
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="1-101"))
        session.flush()
        for person_id in (first, second):
            session.get_one(Person, person_id).household_id = "hh_1"
        session.flush()
        assert recount_homes(session, archive, COMMUNITY, at(40)) == 3
    assert standing(archive) == {"hh_1": "pass"}
    assert changes(archive, "ballot") == ["created", "created", "deleted", "deleted", "created"]


# --- opinions ---
def an_opinion(
    village: Village, who: str, minutes: float, source_id: str, *recordings: str, **more: Any
) -> Given:
    payload = {"opinion_id": "op_1", "recordings": list(recordings), "kind": "opinion", "receipt": "12345678"}
    return village.given("opinion", who, minutes, source_id, payload, topic_id=ROAD, **more)


def test_an_opinion_waits_for_its_words_with_its_receipt(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    any_village.recording("r1", who)
    any_village.keep(an_opinion(any_village, who, 1, "1", "r1"))
    assert any_village.settle().opinions == ("op_1",)
    with any_village.archive.database.read() as session:
        opinion = session.get_one(Opinion, "op_1")
        assert (opinion.state, opinion.receipt, opinion.topic_id, opinion.said_at) == (
            "waiting", "12345678", ROAD, at(1),
        )  # fmt: skip


def test_segments_join_in_the_order_they_were_said_whenever_they_come(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    for name in ("r1", "r2", "r3"):
        any_village.recording(name, who)
    any_village.keep(an_opinion(any_village, who, 3, "3", "r2", "r3"))
    any_village.settle()
    any_village.keep(an_opinion(any_village, who, 1, "1", "r1"))
    assert any_village.settle().opinions == ("op_1",)
    assert [row[2] for row in rows(any_village.archive, OpinionRecording)] == ["r1", "r2", "r3"]
    assert changes(any_village.archive, "opinion") == ["created", "updated"]


def test_more_words_send_an_opinion_back_to_be_heard(village: Village) -> None:
    village.topic()
    who = village.person()
    village.recording("r1", who)
    village.recording("r2", who)
    village.keep(an_opinion(village, who, 1, "1", "r1"))
    village.settle()
    with village.archive.database.begin() as session:
        session.get_one(Opinion, "op_1").state = "review"
    village.keep(village.given("release", who, 2, "2", {"opinion_id": "op_1", "release": "voice"}))
    village.settle()
    with village.archive.database.read() as session:
        opinion = session.get_one(Opinion, "op_1")
        assert (opinion.state, opinion.release) == ("review", "voice")
    village.keep(an_opinion(village, who, 3, "3", "r2"))
    village.settle()
    with village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").state == "waiting"


def test_what_comes_before_its_opinion_counts_once_that_is_there(any_village: Village) -> None:
    any_village.topic()
    who, other = any_village.person(), any_village.person("+8613800000002")
    any_village.keep(
        any_village.given("release", who, 2, "release", {"opinion_id": "op_1", "release": "words"}),
        any_village.given("reaction", other, 3, "reaction", {"opinion_id": "op_1", "choice": "agree"}),
    )
    any_village.settle()
    assert outcome(any_village.archive, "release") == ("refused", "unknown_opinion")
    any_village.keep(an_opinion(any_village, who, 1, "1"))
    any_village.settle()
    assert outcome(any_village.archive, "release") == ("merged", None)
    assert outcome(any_village.archive, "reaction") == ("merged", None)
    with any_village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").release == "words"
        assert session.scalars(select(Reaction)).one().person_id == other


def test_being_heard_by_neighbours_is_a_consent_of_its_own(any_village: Village) -> None:
    any_village.topic()
    who, other = any_village.person(), any_village.person("+8613800000002")
    wish = {"opinion_id": "op_1", "release": "voice", "version": "3"}
    any_village.keep(
        any_village.given("release", who, 2, "early", wish),
        any_village.given("release", other, 3, "stranger", wish),
    )
    any_village.settle()
    any_village.keep(an_opinion(any_village, who, 1, "1"))
    any_village.settle()
    any_village.keep(any_village.given("release", who, 4, "later", {**wish, "release": "none"}))
    any_village.settle()
    with any_village.archive.database.read() as session:
        given = session.scalars(select(Consent).order_by(Consent.given_at)).all()
        assert [(one.person_id, one.purpose, one.answer, one.version) for one in given] == [
            (who, "neighbours_voice", "pressed", "3"),
            (who, "neighbours_words", "refused", "3"),
        ]


def test_said_again_withdraws_the_first_version_and_deletes_its_sound(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()
    any_village.recording("r1", who, "stored")
    any_village.keep(an_opinion(any_village, who, 1, "1", "r1"))
    any_village.settle()
    any_village.keep(any_village.given("opinion_dropped", who, 2, "2", {"opinion_id": "op_1"}))
    any_village.settle()
    with any_village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").state == "withdrawn"
    assert not any_village.archive.recordings.exists("r1")
    assert changes(any_village.archive, "opinion") == ["created", "deleted"]


def test_nobody_else_can_release_withdraw_or_judge_an_opinion(village: Village) -> None:
    village.topic()
    who, other = village.person(), village.person("+8613800000002")
    village.keep(
        an_opinion(village, who, 1, "1"),
        village.given("release", other, 2, "2", {"opinion_id": "op_1", "release": "voice"}),
        village.given("opinion_dropped", other, 2, "3", {"opinion_id": "op_1"}),
        village.given("satisfaction", other, 2, "4", {"opinion_id": "op_1", "is_satisfied": False}),
    )
    village.settle()
    with village.archive.database.read() as session:
        opinion = session.get_one(Opinion, "op_1")
        assert (opinion.state, opinion.release, opinion.stage) == ("waiting", "none", "received")
    assert [outcome(village.archive, n) for n in "234"] == [("refused", "not_own")] * 3


def test_nobody_can_take_over_an_opinion_by_having_said_it_earlier(village: Village) -> None:
    village.topic()
    who, other = village.person(), village.person("+8613800000002")
    village.keep(an_opinion(village, who, 5, "1"))
    village.settle()
    village.keep(an_opinion(village, other, 1, "2"))
    village.settle()
    assert outcome(village.archive, "2") == ("refused", "not_own")
    with village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").person_id == who


def test_another_seat_of_the_same_telephone_may_answer_for_the_home(village: Village) -> None:
    village.topic()
    village.keep(
        an_opinion(village, village.person(seat=1), 1, "1"),
        village.given(
            "satisfaction", village.person(seat=2), 2, "2", {"opinion_id": "op_1", "is_satisfied": True}
        ),
    )
    village.settle()
    with village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").stage == "settled"


def test_dissatisfaction_reopens_and_the_last_word_stands(any_village: Village) -> None:
    any_village.topic()
    who = any_village.person()

    def satisfied(minutes: float, is_satisfied: bool) -> Given:
        payload = {"opinion_id": "op_1", "is_satisfied": is_satisfied}
        return any_village.given("satisfaction", who, minutes, f"s{minutes}", payload)

    def stage() -> str:
        with any_village.archive.database.read() as session:
            return session.get_one(Opinion, "op_1").stage

    any_village.keep(an_opinion(any_village, who, 1, "1"), satisfied(5, False))
    any_village.settle()
    assert stage() == "reopened"
    any_village.keep(satisfied(4, True))
    any_village.settle()
    assert stage() == "reopened"
    any_village.keep(satisfied(6, True))
    any_village.settle()
    assert stage() == "settled"


def test_a_reply_is_heard_once_and_only_if_it_was_there(village: Village) -> None:
    village.topic()
    who = village.person()
    village.keep(an_opinion(village, who, 1, "1"))
    village.settle()
    with village.archive.database.begin() as session:
        for name, minutes in (("early", 10), ("later", 30)):
            reply = Reply(
                id=name, opinion_id="op_1", community_id=COMMUNITY, spoken="好", published_by="staff"
            )
            reply.published_at = at(minutes)
            session.add(reply)
    village.keep(
        *(village.given("heard", who, minutes, f"h{minutes}", {"opinion_id": "op_1"}) for minutes in (20, 15))
    )
    village.settle()
    with village.archive.database.read() as session:
        assert session.get_one(Reply, "early").heard_at == at(15)
        assert session.get_one(Reply, "later").heard_at is None


def test_a_receipt_or_recording_or_topic_that_is_wrong_wedges_nothing(village: Village) -> None:
    village.topic()
    who = village.person()
    village.keep(an_opinion(village, who, 1, "1", "r_none"))
    other = {"opinion_id": "op_2", "recordings": None, "receipt": "12345678"}
    village.keep(village.given("opinion", who, 2, "2", other, topic_id="tp_none"))
    village.keep(village.given("opinion", who, 2, "3", {"recordings": []}))
    village.settle()
    with village.archive.database.read() as session:
        assert session.get_one(Opinion, "op_1").receipt == "12345678"
        second = session.get_one(Opinion, "op_2")
        assert (second.receipt, second.topic_id) == (None, None)
    assert outcome(village.archive, "3") == ("refused", "malformed")


def test_consents_and_requests_are_kept_as_given(any_village: Village) -> None:
    who = any_village.person()
    consent = {"purpose": "recording", "answer": "refused", "version": "3"}
    any_village.keep(
        any_village.given("consent", who, 1, "1", consent),
        any_village.given("consent", who, 1, "2", {"purpose": "everything"}),
        any_village.given("request", who, 2, "3", {"reason": "nobody_answered"}),
    )
    any_village.settle()
    with any_village.archive.database.read() as session:
        kept = session.scalars(select(Consent)).one()
        assert (kept.answer, kept.version, kept.given_at) == ("refused", "3", at(1))
        assert session.scalars(select(Request)).one().asked_at == at(2)
    assert outcome(any_village.archive, "2") == ("refused", "malformed")


# --- any order, any repetition, any crash ---
class Killed(Exception):
    """The process ends here."""


@pytest.fixture(scope="module")
def still_village(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a community, two topics, people and recordings, to be copied for each example."""
    home = tmp_path_factory.mktemp("village")
    archive = Archive.open(f"sqlite:///{home}/records.db", home)
    archive.database.create()
    with archive.database.begin() as session:
        session.add(Community(id=COMMUNITY, name="n", dialled_number="1", is_demo=True, created_at=NOON))
    village = Village(archive)
    village.topic(
        opens_at=at(0), closes_at=at(8), rules={"channel_rank": ["web", "phone"], "paper_outranks": True}
    )
    village.topic("tp_home", rules={"counts": "households"})
    people = [village.person(f"+86138000000{n:02}", seat) for n in (1, 2) for seat in (1, 2)]
    for n in range(4):
        village.recording(f"r{n}", people[0])
    archive.close()
    (home / "people").write_text("\n".join(people))
    return home


def any_capture(people: list[str]) -> st.SearchStrategy[Given]:
    """One thing somebody gives; few moments and sources, so that ties are common."""
    opinion = st.sampled_from(["op_1", "op_2"])
    choice = st.sampled_from(["agree", "disagree", "pass", "perhaps"])
    topic = st.sampled_from([ROAD, "tp_home"])
    kinds = st.one_of(
        st.tuples(st.just("ballot"), topic, st.fixed_dictionaries({"choice": choice})),
        st.tuples(st.just("ballot"), topic, st.fixed_dictionaries({"choice": choice})),
        st.tuples(
            st.just("reaction"), st.none(), st.fixed_dictionaries({"opinion_id": opinion, "choice": choice})
        ),
        st.tuples(
            st.just("opinion"),
            topic,
            st.fixed_dictionaries(
                {
                    "opinion_id": opinion,
                    "recordings": st.lists(st.sampled_from(["r0", "r1", "r2", "r3"]), max_size=2),
                }
            ),
        ),
        st.tuples(
            st.just("release"),
            st.none(),
            st.fixed_dictionaries({"opinion_id": opinion, "release": st.sampled_from(["words", "voice"])}),
        ),
        st.tuples(
            st.just("satisfaction"),
            st.none(),
            st.fixed_dictionaries({"opinion_id": opinion, "is_satisfied": st.booleans()}),
        ),
        st.tuples(st.just("opinion_dropped"), st.none(), st.fixed_dictionaries({"opinion_id": opinion})),
    )

    def build(
        kind: tuple[str, str | None, dict[str, Any]], who: str, minute: int, channel: str, *key: Any
    ) -> Given:
        if kind[0] == "opinion":  # an opinion's id follows from the call it was said in: one telephone's
            home = people[:2] if kind[2]["opinion_id"] == "op_1" else people[2:]
            who = home[people.index(who) % 2]
        source, n = key
        return Given(
            source, str(n), COMMUNITY, who, kind[0], kind[1], kind[2], channel, "caller_id", False, at(minute)
        )

    return st.builds(
        build,
        kinds,
        st.sampled_from(people),
        st.integers(-1, 9),
        st.sampled_from(["phone", "web", "paper"]),
        st.sampled_from(["exchange", "mini"]),
        st.integers(0, 10_000),
    )


def run(home: Path, given: list[Given], batches: list[int], kill_at: int | None) -> dict[str, Any]:
    """The records after `given` came in this order, in parts, to a worker killed at a statement."""
    copy = home.parent / f"run{random.getrandbits(60)}"
    shutil.copytree(home, copy)
    archive = Archive.open(f"sqlite:///{copy}/records.db", copy)
    village, left, statements = Village(archive), list(given), 0

    @event.listens_for(archive.database.engine, "before_cursor_execute")
    def count(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == kill_at:
            raise Killed

    try:
        while left or _waits(archive):
            size = batches[len(left) % len(batches)]
            part = left[:size]
            try:
                if part:
                    village.keep(*part, received=6)
                    left = left[size:]
                village.settle(limit=size)
            except Killed:
                continue
        kill_at = None  # only the worker is killed, not who looks at its work
        return records(archive)
    finally:
        archive.close()
        shutil.rmtree(copy)


def _waits(archive: Archive) -> bool:
    try:
        with archive.database.read() as session:
            return is_waiting(session)
    except Killed:
        return True


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_any_order_repetition_batching_and_crash_make_the_same_records(
    still_village: Path, data: Any
) -> None:
    people = (still_village / "people").read_text().split()
    key = lambda one: (one.source, one.source_id)  # noqa: E731
    history = data.draw(st.lists(any_capture(people), min_size=1, max_size=14, unique_by=key))
    expected = run(still_village, history, [500], None)
    again = history + data.draw(st.lists(st.sampled_from(history), max_size=6))
    shuffled = data.draw(st.permutations(again))
    batches = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    kill_at = data.draw(st.integers(1, 120))
    assert run(still_village, shuffled, batches, kill_at) == expected


# --- several workers ---
@pytest.mark.slow
def test_several_workers_at_once_count_each_voice_once(postgres_archive: Archive, tmp_path: Path) -> None:
    with postgres_archive.database.begin() as session:
        session.add(Community(id=COMMUNITY, name="n", dialled_number="1", is_demo=True, created_at=NOON))
    village = Village(postgres_archive)
    village.topic()
    with postgres_archive.database.begin() as session:
        people = [village.seated(session, f"+86138{n:08}") for n in range(40)]
    rng = random.Random(7)
    given = [
        village.ballot(
            rng.choice(people), rng.choice(["agree", "disagree", "pass"]), rng.uniform(0, 900), str(n)
        )
        for n in range(1_500)
    ]
    given += [
        village.given(
            "opinion", people[n % 5], n / 10, f"o{n}", {"opinion_id": f"op_{n % 5}", "recordings": []}
        )
        for n in range(60)
    ]
    rng.shuffle(given)
    expected: dict[str, tuple[float, str, str]] = {}
    for one in given:
        if one.kind == "ballot":
            cast = (one.cast_at.timestamp(), one.source_id, str(one.payload["choice"]))
            expected[one.person_id] = max(expected.get(one.person_id, cast), cast)
    village.keep(*given)
    failures: list[BaseException] = []
    url = postgres_archive.database.url.render_as_string(hide_password=False)

    def work() -> None:
        archive = Archive.open(url, tmp_path)
        try:
            while Village(archive).settle(limit=37).taken:
                pass
        except BaseException as error:
            failures.append(error)
        finally:
            archive.close()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    while village.settle().taken:
        pass
    assert not failures
    assert standing(postgres_archive) == {who: cast[2] for who, cast in expected.items()}
    with postgres_archive.database.read() as session:
        assert session.scalar(select(func.count(Capture.id)).where(Capture.state == "merged")) == 1_560
        created = session.scalar(
            select(func.count(Change.id)).where(Change.record == "ballot", Change.act == "created")
        )
        assert created == len(expected)
        assert session.scalar(select(func.count(Opinion.id))) == 5
