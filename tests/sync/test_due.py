"""Finding what is due stays cheap when nearly everything is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import event, text

from sync.archive import Archive
from sync.due import due
from sync.records.tables import Community
from tests.sync.voices import NOW, say


@pytest.mark.parametrize("table", ["opinions", "recordings", "captures", "unsaid"])
def test_no_sweep_reads_a_whole_table(archive: Archive, community: Community, table: str) -> None:
    for key in "123":
        say(archive, community, [f"http://127.0.0.1:9/{key}"], key=key, number=f"+861380000000{key}")
    asked: list[tuple[str, Any]] = []
    event.listen(
        archive.database.engine, "before_cursor_execute", lambda *given: asked.append((given[2], given[3]))
    )
    with archive.database.read() as session:
        list(due(session, NOW))
        statements = [one for one in asked if one[0].startswith("SELECT")]
        assert len(statements) == 9
        for statement, values in statements:
            plan = session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
            steps = [str(row[3]) for row in plan]
            whole = [one for one in steps if re.fullmatch(rf"SCAN {table}", one)]
            assert not whole, steps


def test_the_indexes_are_there_after_migration(any_archive: Archive) -> None:
    names = {"ix_opinions_waiting", "ix_recordings_untold", "ix_recordings_unclaimed"}
    query = (
        "SELECT name FROM sqlite_master WHERE type = 'index'"
        if any_archive.database.is_sqlite
        else "SELECT indexname FROM pg_indexes"
    )
    with any_archive.database.read() as session:
        assert names <= set(session.scalars(text(query)))
