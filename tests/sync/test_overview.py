"""The overview's numbers, and the lists behind them, over calls, opinions, ballots and corrections."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from sync import overview_lists as lists
from sync.archive import Archive
from sync.audits import Wanted, csv_file, entries
from sync.community_settings import audit
from sync.desk import Actor, correct
from sync.overview import Share, overview, place_of
from sync.overview_queries import scope_of
from sync.records.tables import (
    Call,
    Community,
    Correction,
    Opinion,
    Person,
    Request,
    Satisfaction,
    Transcript,
)
from tests.sync.village import COMMUNITY, NOON, ROAD, Village, at

NOW = NOON + timedelta(hours=2)


def call(
    archive: Archive, person_id: str, n: int, minutes: float, step: str, status: str, **more: object
) -> None:
    with archive.database.begin() as session:
        session.add(
            Call(
                id=f"cl_{n}", sid=f"CA{n}", community_id=COMMUNITY, person_id=person_id, line="exchange",
                handset="phone", is_practice=False, view={}, place={"step": step}, began_at=at(minutes),
                turned_at=at(minutes), ended_at=at(minutes + 1), end_status=status, **more,
            )
        )  # fmt: skip


def opinion(village: Village, person_id: str, name: str, category: str, channel: str, heard: str) -> str:
    """An opinion that the recognizer has written down."""
    archive, opinion_id = village.archive, f"op_{name}"
    with archive.database.begin() as session:
        session.add(
            Opinion(
                id=opinion_id, community_id=COMMUNITY, person_id=person_id, topic_id=ROAD, source="exchange",
                source_id=name, channel=channel, evidence="caller_id", kind="opinion", state="review",
                category=category, said_at=at(10),
            )
        )  # fmt: skip
        session.flush()
        key_id = session.get_one(Person, person_id).key_id
        sealed = archive.keyring.seal(session, key_id, heard.encode(), f"{opinion_id}/1")
        session.add(
            Transcript(
                opinion_id=opinion_id, version=1, sealed_text=sealed, redacted=heard, confidence=0.9,
                language="zh", engine="whisper", speech_seconds=3, made_by="machine", made_at=NOON,
            )
        )  # fmt: skip
    return opinion_id


@pytest.fixture
def busy(any_archive: Archive, any_community: Community) -> Village:
    village = Village(any_archive)
    with any_archive.database.begin() as session:
        session.get_one(Community, COMMUNITY).is_demo = False
    village.topic()
    who = village.person()
    call(any_archive, who, 1, 0, "goodbye", "finished")
    call(any_archive, who, 2, 1, f"topic.{ROAD}.ballot", "completed")
    call(any_archive, who, 3, 2, "topic.tp_other.ballot", "completed")
    call(any_archive, who, 4, -60 * 24 * 3, "main", "completed")  # three days ago
    call(any_archive, who, 5, -60 * 24 * 40, "main", "completed")  # too long ago
    opinion(village, who, "1", "设施维修", "phone", "路灯怀了")
    opinion(village, who, "2", "设施维修", "web", "灯不亮")
    village.keep(village.ballot(who, "agree", 3, "b1"))
    village.settle()
    with any_archive.database.begin() as session:
        session.add(
            Request(
                id="req_1", source="exchange", source_id="q", community_id=COMMUNITY, person_id=who,
                reason="person", asked_at=at(-60 * 24),
            )
        )  # fmt: skip
        session.add(
            Satisfaction(
                id="sat_1", opinion_id="op_2", person_id=who, is_satisfied=False, given_at=at(20),
                channel="phone", source="exchange", source_id="s",
            )
        )  # fmt: skip
    correct(any_archive, Actor("st_clerk", COMMUNITY), "op_1", "路灯坏了。", at(30))
    return village


def test_the_numbers_of_one_screen(busy: Village) -> None:
    with busy.archive.database.read() as session:
        found = overview(session, COMMUNITY, 7, NOW)
    assert (found.calls_today, found.finished_today, found.calls) == (3, 1, 4)
    assert found.left_at == [Share("topic.ballot", 2), Share("main", 1)]
    waiting = {one.what: (one.count, one.since) for one in found.waiting}
    assert waiting["review"] == (2, at(10))
    assert waiting["callbacks"] == (1, at(-60 * 24))
    assert waiting["milestones_late"][0] == 0
    assert found.kinds == [Share("设施维修", 2)]
    assert sorted((one.name, one.count) for one in found.opinions_by) == [("phone", 1), ("web", 1)]
    assert [(one.topic_id, one.voters) for one in found.ballots] == [(ROAD, 1)]
    assert (found.satisfied, found.unsatisfied) == (0, 1)
    assert (found.corrections, found.characters, found.wrong) == (1, 4, 1)
    assert found.error_rate == 0.25
    assert place_of("topic.tp_1.voice.2.react") == "topic.voice.2.react"


def test_each_number_opens_its_list_page_by_page(busy: Village) -> None:
    with busy.archive.database.read() as session:
        scope = scope_of(session, COMMUNITY, 7, NOW)
        left = lists.page(session, lists.calls(scope, "topic.ballot", is_today=True), "calls", None, 50)
        assert [row.id for row in left] == ["cl_3", "cl_2"]
        seen, after = [], None
        while rows := lists.page(session, lists.calls(scope, "", is_today=False), "calls", after, 1):
            seen.append(rows[0].id)
            after = (rows[0].began_at, rows[0].id)
        assert seen == ["cl_3", "cl_2", "cl_1", "cl_4"]
        by_web = lists.page(session, lists.opinions(scope, "设施维修", "web"), "opinions", None, 50)
        assert [row.id for row in by_web] == ["op_2"]
        assert [row.id for row in lists.page(session, lists.judged(scope, False), "judged", None, 9)] == [
            "op_2"
        ]
        assert lists.page(session, lists.judged(scope, True), "judged", None, 9) == []
        wrong = lists.page(session, lists.corrections(scope), "corrections", None, 9)
        assert [(row.opinion_id, row.engine, row.wrong) for row in wrong] == [("op_1", "whisper", 1)]


def test_a_later_correction_counts_alone_and_what_was_typed_is_no_error(
    archive: Archive, community: Community
) -> None:
    village = Village(archive)
    village.topic()
    who = village.person()
    opinion(village, who, "1", "x", "phone", "路灯怀了")
    clerk = Actor("st_clerk", COMMUNITY)
    correct(archive, clerk, "op_1", "完全不是一回事", at(1))
    correct(archive, clerk, "op_1", "路灯坏了", at(2))
    with archive.database.begin() as session:
        session.get_one(Transcript, ("op_1", 1)).engine = "typed"
    correct(archive, clerk, "op_1", "写下来的", at(3))
    with archive.database.read() as session:
        (kept,) = session.scalars(select(Correction)).all()
    assert (kept.characters, kept.wrong, kept.made_at) == (4, 1, at(2))


def test_the_audit_is_narrowed_paged_and_taken_away(any_archive: Archive, any_community: Community) -> None:
    with any_archive.database.begin() as session:
        for n in range(7):
            actor, act = ("st_a", "opinion_seen") if n % 2 else ("st_b", "number_seen")
            audit(session, COMMUNITY, actor, act, f"op_{n}", "=1+1" if n == 2 else None)
        audit(session, "cm_other", "st_a", "opinion_seen", "op_hidden")
    with any_archive.database.read() as session:
        seen: list[str] = []
        after: tuple[datetime, int] | None = None
        while rows := entries(session, COMMUNITY, Wanted(), after, size=3):
            seen += [row.subject for row in rows[:3]]
            after = (rows[:3][-1].at, rows[:3][-1].id)
        assert seen == [f"op_{n}" for n in range(6, -1, -1)]
        assert [
            row.subject for row in entries(session, COMMUNITY, Wanted("st_b", "number_seen", "op_2"), None)
        ] == ["op_2"]
        assert entries(session, COMMUNITY, Wanted(until=NOON), None) == []
        lines = (
            b"".join(csv_file(session, COMMUNITY, Wanted(act="number_seen"))).decode("utf-8-sig").splitlines()
        )
    assert len(lines) == 5
    assert "'=1+1" in lines[2]  # what a spreadsheet would run is only words
    assert "op_hidden" not in "".join(lines)
