"""Opinions joined as one matter: one answer for all, a receipt each, and apart again as if never joined."""

from __future__ import annotations

import random
import threading
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import select

from ivr.view import community_view
from sync import desk, joining
from sync.archive import Archive
from sync.desk import Actor, DeskError, NotThere
from sync.erase import erase_person, withdraw_opinion
from sync.matters import Standing, standings
from sync.people import find_number
from sync.records.tables import (
    Audit,
    Change,
    Community,
    JoinedOpinion,
    Opinion,
    Person,
    Reply,
    Satisfaction,
)
from tests.sync.village import COMMUNITY, ROAD, Village, at

STAFF = Actor("st_wang", COMMUNITY)
LAMP, DARK, NIGHT, SHOP = "op_lamp", "op_dark", "op_night", "op_shop"
RECEIPTS = {LAMP: "11111111", DARK: "22222222", NIGHT: "33333333", SHOP: "44444444"}
NUMBERS = {name: f"+861380000000{n}" for n, name in enumerate(RECEIPTS, start=1)}


@pytest.fixture
def street(any_archive: Archive, any_community: Community) -> Village:
    """Four people, each with an opinion and a receipt; all waiting to be answered."""
    village = Village(any_archive)
    village.topic()
    for minutes, name in enumerate(RECEIPTS, start=1):
        payload = {"opinion_id": name, "recordings": [], "kind": "opinion", "receipt": RECEIPTS[name]}
        who = village.person(NUMBERS[name])
        village.keep(village.given("opinion", who, minutes, f"say {name}", payload, topic_id=ROAD))
    village.settle()
    return village


def join(street: Village, one: str, into: str, minutes: float = 20) -> str:
    with street.archive.database.begin() as session:
        return joining.join(session, STAFF, one, into, at(minutes))


def part(street: Village, one: str, minutes: float = 90) -> None:
    with street.archive.database.begin() as session:
        joining.part(session, STAFF, one, at(minutes))


def reply(street: Village, one: str, words: str, minutes: float = 30, **more: Any) -> str:
    return desk.reply(street.archive, STAFF, one, words, at(minutes), **more)


def stands(street: Village) -> dict[str, Standing]:
    with street.archive.database.read() as session:
        return dict(standings(session, list(RECEIPTS), with_practice=True))


def hears(street: Village, name: str) -> tuple[str, str, str | None, bool]:
    """What the telephone tells about one's own opinion: receipt, stage, reply, whether it is new."""
    with street.archive.database.read() as session:
        number = find_number(session, street.archive, COMMUNITY, NUMBERS[name])
        community = session.get_one(Community, COMMUNITY)
        (own,) = community_view(session, community, number, at(200)).own
        return own.receipt, own.stage, own.reply, own.is_new


def give(street: Village, kind: str, name: str, minutes: float, **payload: Any) -> None:
    who = street.person(NUMBERS[name])
    given = street.given(kind, who, minutes, f"{kind} {name}", {"opinion_id": name, **payload})
    street.keep(given)
    street.settle()


def everything(street: Village) -> dict[str, list[dict[str, Any]]]:
    """All that joining touches, but for the version counted up with each change."""
    with street.archive.database.read() as session:
        return {
            table.__tablename__: [
                {name: value for name, value in row.items() if name != "version"}
                for row in session.execute(
                    select(table.__table__).order_by(*table.__table__.primary_key)
                ).mappings()
            ]
            for table in (Opinion, Reply, JoinedOpinion, Satisfaction)
        }


def test_everybody_of_a_matter_keeps_their_receipt_and_hears_the_one_answer(street: Village) -> None:
    assert join(street, DARK, LAMP) == LAMP
    join(street, NIGHT, RECEIPTS[DARK])  # by its receipt; it is no leader, so the matter's leader leads
    reply(street, LAMP, "路灯下周装。")
    for name in (LAMP, DARK, NIGHT):
        assert hears(street, name) == (RECEIPTS[name], "answered", "路灯下周装。", True)
    assert hears(street, SHOP) == (RECEIPTS[SHOP], "received", None, False)


def test_a_reply_to_a_member_reaches_the_others_but_a_private_one_its_asker_only(street: Village) -> None:
    join(street, DARK, LAMP)
    reply(street, DARK, "请您来一趟居委会。", is_private=True)
    assert hears(street, LAMP)[1:3] == ("received", None)
    reply(street, DARK, "路灯下周装。", minutes=31)
    assert hears(street, LAMP)[1:3] == ("answered", "路灯下周装。")


def test_who_joins_an_answered_matter_gets_its_answer_and_who_is_content_is_left_so(street: Village) -> None:
    reply(street, LAMP, "路灯下周装。", minutes=5)
    reply(street, NIGHT, "路灯修好了。", minutes=6)
    give(street, "satisfaction", NIGHT, 7, is_satisfied=True)
    join(street, DARK, LAMP)
    assert hears(street, DARK)[1:] == ("answered", "路灯下周装。", True)
    join(street, LAMP, NIGHT, minutes=25)
    assert hears(street, NIGHT)[1:3] == ("settled", "路灯修好了。")
    assert hears(street, DARK)[1:3] == ("answered", "路灯修好了。")  # the matter's newest answer


def test_each_caller_hears_and_judges_for_themselves(street: Village) -> None:
    join(street, DARK, LAMP)
    reply(street, LAMP, "路灯下周装。")
    give(street, "heard", LAMP, 40)
    give(street, "satisfaction", LAMP, 41, is_satisfied=True)
    give(street, "satisfaction", DARK, 42, is_satisfied=False)
    assert hears(street, LAMP)[1:] == ("settled", "路灯下周装。", False)
    assert hears(street, DARK)[1:] == ("reopened", "路灯下周装。", True)


def test_voices_are_people_and_the_leader_is_named(street: Village) -> None:
    join(street, DARK, LAMP)
    join(street, NIGHT, LAMP)
    assert stands(street) == {
        LAMP: Standing(None, 3), DARK: Standing(LAMP, 3), NIGHT: Standing(LAMP, 3), SHOP: Standing(None, 1)
    }  # fmt: skip
    with street.archive.database.begin() as session:  # two of them turn out to be one person
        night = session.get_one(Person, session.get_one(Opinion, NIGHT).person_id)
        night.root_id = session.get_one(Opinion, DARK).person_id
    assert stands(street)[LAMP].voices == 2


def test_taking_apart_restores_exactly(street: Village) -> None:
    reply(street, LAMP, "路灯下周装。", minutes=5)
    before = everything(street)
    join(street, DARK, LAMP)
    joined = everything(street)
    join(street, DARK, NIGHT)  # moves the whole matter of the lamp below that of the night
    assert stands(street)[DARK] == Standing(NIGHT, 3)
    reply(street, NIGHT, "都收到了。")
    part(street, LAMP)
    after = everything(street)
    after["replies"] = [row for row in after["replies"] if row["opinion_id"] != NIGHT]
    night = next(row for row in after["opinions"] if row["id"] == NIGHT)
    assert night["stage"] == "answered"  # its own answer stays its own
    night["stage"] = "received"
    assert after == joined
    part(street, DARK)
    restored = everything(street)
    next(row for row in restored["opinions"] if row["id"] == NIGHT)["stage"] = "received"
    restored["replies"] = [row for row in restored["replies"] if row["opinion_id"] != NIGHT]
    assert restored == before


def test_what_callers_said_since_outlives_taking_apart(street: Village) -> None:
    join(street, DARK, LAMP)
    reply(street, LAMP, "路灯下周装。")
    give(street, "satisfaction", DARK, 42, is_satisfied=False)
    part(street, DARK)
    assert hears(street, DARK)[1:3] == ("reopened", None)
    assert hears(street, LAMP)[1:3] == ("answered", "路灯下周装。")


def test_platforms_are_told_of_both_and_staff_acts_are_audited(street: Village) -> None:
    join(street, DARK, LAMP)
    part(street, DARK)
    with street.archive.database.read() as session:
        told = session.scalars(select(Change).where(Change.record == "opinion").order_by(Change.id)).all()
        acts = session.execute(select(Audit.act, Audit.actor, Audit.subject).order_by(Audit.id)).all()
    joined = [(one.record_id, one.details["joined_to"]) for one in told if "joined_to" in one.details]
    assert sorted(joined[:2]) == [(DARK, LAMP), (LAMP, LAMP)]
    assert sorted(joined[2:]) == [(DARK, DARK), (LAMP, LAMP)]
    assert acts[-2:] == [("opinion.joined", STAFF.id, DARK), ("opinion.parted", STAFF.id, DARK)]


def test_who_takes_their_words_back_drops_out_and_leadership_goes_on(street: Village) -> None:
    join(street, DARK, LAMP)
    join(street, NIGHT, LAMP)
    join(street, SHOP, LAMP)
    reply(street, LAMP, "路灯下周装。")
    withdraw_opinion(street.archive, NIGHT, "test")
    assert stands(street)[LAMP] == Standing(None, 3)
    with street.archive.database.read() as session:
        leader = session.get_one(Opinion, LAMP).person_id
    erase_person(street.archive, leader, "test")
    assert stands(street)[DARK] == Standing(None, 2)
    assert stands(street)[SHOP] == Standing(DARK, 2)
    assert stands(street)[LAMP] == stands(street)[NIGHT] == Standing(None, 1)
    assert hears(street, SHOP)[2] == "路灯下周装。"  # the answer is theirs, though its first asker is gone
    part(street, SHOP)
    assert stands(street)[DARK] == Standing(None, 1)


def test_a_link_in_the_middle_that_goes_leaves_the_others_together(street: Village) -> None:
    join(street, NIGHT, DARK)
    join(street, DARK, LAMP)
    withdraw_opinion(street.archive, DARK, "test")
    assert stands(street)[NIGHT] == Standing(LAMP, 2)
    part(street, NIGHT)
    assert stands(street)[NIGHT] == Standing(None, 1)


@pytest.mark.parametrize(
    ("one", "into", "code"),
    [
        (LAMP, LAMP, "joined_already"),
        (DARK, LAMP, "joined_already"),
        (LAMP, NIGHT, "taken_back"),
        (LAMP, "op_nowhere", "not_there"),
        ("99999999", LAMP, "not_there"),
    ],
)
def test_what_cannot_be_joined(street: Village, one: str, into: str, code: str) -> None:
    join(street, DARK, LAMP)
    withdraw_opinion(street.archive, NIGHT, "test")
    before = everything(street)
    with pytest.raises(DeskError) as refused:
        join(street, one, into)
    assert refused.value.code == code
    assert everything(street) == before


def test_only_what_is_joined_can_be_taken_out_and_only_by_its_own_community(street: Village) -> None:
    join(street, DARK, LAMP)
    with pytest.raises(DeskError) as refused:
        part(street, LAMP)
    assert refused.value.code == "not_joined"
    stranger = Actor("st_other", "cm_other")
    with pytest.raises(NotThere), street.archive.database.begin() as session:
        joining.part(session, stranger, DARK, at(50))


@pytest.mark.parametrize("seed", range(4))
def test_any_joining_parting_replying_and_leaving_comes_to_what_a_plain_tree_says(
    archive: Archive, community: Community, seed: int
) -> None:
    """And once everything is taken apart again nobody has an answer that was given to another."""
    dice, village = random.Random(seed), Village(archive)
    village.topic()
    names = [f"op_{n}" for n in range(8)]
    for n, name in enumerate(names):
        payload = {"opinion_id": name, "recordings": [], "kind": "opinion", "receipt": None}
        village.keep(village.given("opinion", village.person(f"+86138000020{n:02}"), n, name, payload))
    village.settle()
    above: dict[str, str] = {}
    gone: set[str] = set()

    def top(name: str) -> str:
        return top(above[name]) if name in above else name

    for minutes in range(100, 145):
        here = [name for name in names if name not in gone]
        one, other = dice.choice(here), dice.choice(here)
        match dice.choice(("join", "join", "join", "part", "part", "reply", "leave")):
            case "join" if top(one) != top(other):
                join(village, one, other, minutes)
                above[top(one)] = top(other)
            case "part" if one in above:
                part(village, one, minutes)
                del above[one]
            case "reply":
                desk.reply(archive, STAFF, one, f"答 {minutes}", at(minutes))
            case "leave" if len(here) > 5 and dice.random() < 0.5:
                withdraw_opinion(archive, one, "test")
                gone.add(one)
                below = sorted(name for name, parent in above.items() if parent == one)  # as they were said
                parent = above.pop(one, None)
                if parent is None and below:
                    parent = below.pop(0)
                    del above[parent]
                above.update(dict.fromkeys(below, parent) if parent else {})
    with archive.database.read() as session:
        found = standings(session, names, with_practice=True)
    assert {name: found[name].joined_to or name for name in names} == {name: top(name) for name in names}
    sizes = Counter(top(name) for name in names if name not in gone)
    assert all(found[name].voices == sizes[top(name)] for name in names if name not in gone)
    for name in list(above):
        part(village, name, 500)
    with archive.database.read() as session:
        assert session.scalars(select(JoinedOpinion)).all() == []
        replies = {row.id: row for row in session.scalars(select(Reply))}
    left = [row for row in replies.values() if row.repeats_id and row.opinion_id not in gone]
    assert {replies[row.repeats_id or ""].opinion_id for row in left} <= gone  # their asker took them back


@pytest.mark.slow
def test_two_who_join_at_once_make_one_matter(postgres_archive: Archive) -> None:
    postgres_archive.database.create()
    with postgres_archive.database.begin() as session:
        session.add(
            Community(
                id=COMMUNITY, name="桃源", dialled_number="+8657100000001", is_demo=True, created_at=at(0)
            )
        )  # fmt: skip
    village = Village(postgres_archive)
    village.topic()
    names = [f"op_{n}" for n in range(9)]
    for n, name in enumerate(names):
        payload = {"opinion_id": name, "recordings": [], "kind": "opinion", "receipt": None}
        village.keep(village.given("opinion", village.person(f"+86138000010{n:02}"), n, name, payload))
    village.settle()
    failed: list[BaseException] = []

    def chain(order: list[str]) -> None:
        for one, other in pairwise(order):
            try:
                join(village, one, other)
            except DeskError as error:
                if error.code not in {"joined_already", "changed_meanwhile"}:
                    failed.append(error)
            except BaseException as error:
                failed.append(error)

    threads = [threading.Thread(target=chain, args=(order,)) for order in (names, names[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    with postgres_archive.database.read() as session:
        rows = session.scalars(select(JoinedOpinion)).all()
        found = standings(session, names, with_practice=True)
    leaders = {row.leader_id for row in rows}
    assert len(rows) == len(names) - 1
    assert len(leaders) == 1
    assert {one.voices for one in found.values()} == {len(names)}


def test_reading_how_opinions_stand_costs_two_queries(street: Village) -> None:
    from sqlalchemy import event

    join(street, DARK, LAMP)
    join(street, NIGHT, LAMP)
    asked: list[str] = []
    event.listen(
        street.archive.database.engine,
        "before_cursor_execute",
        lambda c, cursor, statement, *rest: asked.append(statement),
    )
    with street.archive.database.read() as session:
        standings(session, list(RECEIPTS), with_practice=False)
    assert len([one for one in asked if one.startswith("SELECT")]) == 2
