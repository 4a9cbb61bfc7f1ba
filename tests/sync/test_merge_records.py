"""Whatever is repeated, reordered or killed half-way: the same records, byte for byte, on both databases."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from sync.archive import Archive
from sync.records.tables import Ballot
from tests.sync.histories import arrivals, expected_ballots, happen, histories, plainly

ONE_DATABASE = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=60, deadline=None, suppress_health_check=ONE_DATABASE)
@given(histories(), st.data())
def test_any_way_to_come_in_makes_the_same_records(archive: Archive, history, data) -> None:
    same_records(archive, history, data)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=ONE_DATABASE)
@given(histories(), st.data())
def test_any_way_to_come_in_makes_the_same_records_on_postgresql(
    postgres_archive: Archive, history, data
) -> None:
    same_records(postgres_archive, history, data)


def same_records(archive: Archive, history, data) -> None:
    plain = happen(archive, history, plainly(history))
    with archive.database.read() as session:
        rows = session.execute(select(Ballot.topic_id, Ballot.person_id, Ballot.choice, Ballot.source_id))
        assert {tuple(row) for row in rows} == expected_ballots(archive, history)
    assert happen(archive, history, data.draw(arrivals(history))) == plain
