"""The inbox keeps each thing once."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError

from sync.archive import Archive
from sync.errors import RecordsError
from sync.inbox import is_waiting, keep, keep_all
from sync.records.tables import Capture, Community
from tests.sync.village import NOON, ROAD, Village


def test_the_natural_key_keeps_a_capture_once(any_archive: Archive, any_community: Community) -> None:
    village = Village(any_archive)
    given = village.ballot(village.person(), "agree", 1, "call/1/0")
    with any_archive.database.begin() as session:
        assert keep(session, given, NOON)
        assert not keep(session, replace(given, payload={"choice": "disagree"}), NOON)
        assert keep(session, replace(given, source="mini"), NOON)
    with any_archive.database.read() as session:
        kept = session.scalars(select(Capture).where(Capture.source == "exchange")).one()
        assert (kept.payload, kept.state, kept.topic_id, kept.subject_id) == (
            {"choice": "agree"}, "pending", ROAD, None,
        )  # fmt: skip


def test_a_capture_goes_with_the_transaction_that_caused_it(archive: Archive, community: Community) -> None:
    village = Village(archive)
    given = village.ballot(village.person(), "agree", 1, "1")
    with pytest.raises(IntegrityError), archive.database.begin() as session:
        keep_all(session, [given, replace(given, source_id="2", community_id="cm_none")], NOON)
    with archive.database.read() as session:
        assert not is_waiting(session)


def test_what_an_opinion_is_about_can_be_looked_up(archive: Archive, community: Community) -> None:
    village = Village(archive)
    payload = {"opinion_id": "op_1", "choice": "agree"}
    village.keep(village.given("reaction", village.person(), 1, "1", payload))
    with archive.database.read() as session:
        assert session.scalars(select(Capture.subject_id)).one() == "op_1"


@pytest.mark.parametrize("wrong", [{"kind": "praise"}, {"evidence": "certain"}])
def test_what_nobody_could_settle_is_refused_at_the_door(
    archive: Archive, community: Community, wrong: dict[str, str]
) -> None:
    village = Village(archive)
    with pytest.raises(RecordsError), archive.database.begin() as session:
        keep(session, replace(village.ballot("p", "agree", 1, "1"), **wrong), NOON)


def test_many_captures_cost_a_few_statements(any_archive: Archive, any_community: Community) -> None:
    village = Village(any_archive)
    who, statements = village.person(), []
    event.listen(any_archive.database.engine, "before_cursor_execute", lambda *a: statements.append(a[2]))
    assert village.keep(*(village.ballot(who, "agree", 1, str(n)) for n in range(900))) == 900
    assert len([each for each in statements if each.startswith("INSERT")]) <= 10


def test_a_long_history_is_not_read_to_see_whether_anything_waits(archive: Archive) -> None:
    with archive.database.read() as session:
        plan = session.connection().exec_driver_sql(
            "EXPLAIN QUERY PLAN SELECT EXISTS (SELECT * FROM captures WHERE state = 'pending')"
        )
        assert "ix_captures_pending" in " ".join(str(row) for row in plan)
