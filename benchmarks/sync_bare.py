"""The bare statements beside the merge: the same three rows a capture, written in batches, nothing judged."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

import psycopg

from benchmarks.sync_town import COMMUNITY
from sync.records.tables import record_id

_HISTORY = """
INSERT INTO captures (source, source_id, community_id, person_id, kind, topic_id, payload, channel, evidence,
                      is_practice, cast_at, received_at, state)
VALUES (%s, %s, %s, %s, 'ballot', %s, %s, 'phone', 'caller_id', false, %s, %s, 'merged')
"""
_BALLOT = """
INSERT INTO ballots (id, topic_id, community_id, voter_id, person_id, choice, cast_at, received_at, channel,
                     evidence, source, source_id, is_practice)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'phone', 'caller_id', %s, %s, false)
ON CONFLICT (id) DO UPDATE SET choice = excluded.choice, cast_at = excluded.cast_at,
  received_at = excluded.received_at, source_id = excluded.source_id
"""
_CHANGE = """
INSERT INTO changes (xact, community_id, record, record_id, act, changed_at, details)
VALUES (1, %s, 'ballot', %s, 'created', %s, %s)
"""


def rows_of(url: str, topic_id: str) -> list[dict[str, Any]]:
    """What waits on one topic, as plain values: read before the clock runs."""
    with psycopg.connect(url) as connection:
        asked = "SELECT source_id, person_id, payload->>'choice' FROM captures WHERE topic_id = %s"
        found = connection.execute(asked + " ORDER BY id", (topic_id,)).fetchall()
    return [_row(topic_id, *one) for one in found]


def _row(topic_id: str, source_id: str, person_id: str, choice: str) -> dict[str, Any]:
    now, ballot = datetime.now(UTC), record_id("bal", topic_id, person_id)
    details = {"topic_id": topic_id, "choice": choice, "channel": "phone", "evidence": "caller_id"}
    given = json.dumps({"choice": choice})
    return {
        "history": ("bare", source_id, COMMUNITY, person_id, topic_id, given, now, now),
        "ballot": (
            ballot, topic_id, COMMUNITY, person_id, person_id, choice, now, now, "bare", source_id,
        ),
        "change": (COMMUNITY, ballot, now, json.dumps(details)),
    }  # fmt: skip


def write(url: str, rows: list[dict[str, Any]], batch: int) -> float:
    """Write the rows, a transaction a batch, each statement sent with all its rows at once; seconds taken."""
    with psycopg.connect(url) as connection:
        began = time.perf_counter()
        for start in range(0, len(rows), batch):
            some = rows[start : start + batch]
            with connection.cursor() as cursor:
                cursor.executemany(_HISTORY, [row["history"] for row in some])
                cursor.executemany(_BALLOT, [row["ballot"] for row in some])
                cursor.executemany(_CHANGE, [row["change"] for row in some])
            connection.commit()
        return time.perf_counter() - began
