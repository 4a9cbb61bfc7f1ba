"""Reading the feed on PostgreSQL beside bare `SELECT` + JSON of the same rows, both in one process, in turns.

The bare reader pages through the changes with the same index and page size and fetches the very rows that
ours shows (ballots, opinions, words, reactions, replies) by their ids; it judges nothing and hides nothing.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from statistics import median
from typing import Any

import psycopg
from flask import Flask
from psycopg.rows import dict_row
from sqlalchemy import make_url

from benchmarks.report import Measured
from sync.api import create_api
from sync.archive import Archive
from sync.platforms import add_platform

CHANGES, ROUNDS, TARGET = 50_000, 5, 0.5
PAGE = 1000
_SCOPES = ("changes:read", "feedback:read", "topics:read")
_RECORDS = {
    "ballot": (
        "SELECT id, topic_id, channel, evidence, is_practice, cast_at FROM ballots WHERE id = ANY(%s)",
    ),
    "opinion": (
        "SELECT * FROM opinions WHERE id = ANY(%s)",
        "SELECT opinion_id, version, redacted FROM transcripts WHERE opinion_id = ANY(%s)",
        "SELECT opinion_id, choice, count(*) FROM reactions WHERE opinion_id = ANY(%s) GROUP BY 1, 2",
        "SELECT id, opinion_id, spoken, published_at FROM replies WHERE opinion_id = ANY(%s)",
    ),
    "reaction": (
        "SELECT id, opinion_id, is_practice FROM reactions WHERE id = ANY(%s)",
        "SELECT opinion_id, choice, count(*) FROM reactions WHERE opinion_id IN"
        " (SELECT opinion_id FROM reactions WHERE id = ANY(%s)) GROUP BY 1, 2",
    ),
}
_NEXT = (
    "SELECT * FROM changes WHERE community_id = 'cm_feed' AND (xact, id) > (%s, %s)"
    " ORDER BY xact, id LIMIT %s"
)
_TOWN = """
INSERT INTO communities (id, name, dialled_number, time_zone, language, is_demo, created_at)
  VALUES ('cm_feed', 'feed', '+8657100000001', 'Asia/Shanghai', 'zh', false, now());
INSERT INTO topics (id, community_id, owner, title, text, options, rules, state, rank, created_at, version)
  SELECT 'tp_' || i, 'cm_feed', 'desk', '村口修路', '要不要修路', '[]', '{}', 'open', 0, now(), 1
  FROM generate_series(0, 9) i;
INSERT INTO keys (id, wrapped, created_at)
  SELECT 'key_' || md5('f' || i), '\\x00', now() FROM generate_series(0, 2999) i;
INSERT INTO people (id, community_id, seat, key_id, created_at)
  SELECT 'per_' || md5('f' || i), 'cm_feed', 1, 'key_' || md5('f' || i), now()
  FROM generate_series(0, 2999) i;
INSERT INTO ballots (id, topic_id, community_id, voter_id, person_id, choice, cast_at, received_at, channel,
                     evidence, source, source_id, is_practice)
  SELECT 'bal_' || md5('b' || i), 'tp_' || i % 10, 'cm_feed', 'per_' || md5('f' || i / 10),
         'per_' || md5('f' || i / 10), 'agree', now(), now(), 'phone', 'caller_id', 'x', 'b' || i, false
  FROM generate_series(0, 29999) i;
INSERT INTO opinions (id, community_id, person_id, topic_id, source, source_id, channel, evidence, kind,
                      state, stage, release, category, category_confidence, needs_listening, is_practice,
                      said_at, version, tries)
  SELECT 'op_' || md5('o' || i), 'cm_feed', 'per_' || md5('f' || i % 3000), 'tp_' || i % 10, 'x', 'o' || i,
         'phone', 'caller_id', 'opinion', 'approved', 'received', 'words', '城乡建设', 0.8, false, false,
         now(), 2, 0
  FROM generate_series(0, 3333) i;
INSERT INTO transcripts (opinion_id, version, redacted, confidence, language, engine, speech_seconds, made_by,
                         made_at)
  SELECT 'op_' || md5('o' || i), 1, '这件事我觉得应该早一点办，大家出门都方便，下雨天和晚上老人走路要当心。',
         0.9, 'zh', 'x', 9, 'machine', now()
  FROM generate_series(0, 3333) i;
INSERT INTO replies (id, opinion_id, community_id, spoken, is_private, published_at, published_by)
  SELECT 're_' || md5('o' || i), 'op_' || md5('o' || i), 'cm_feed', '已经安排，下周开工。', false, now(),
         'st'
  FROM generate_series(0, 3333, 3) i;
INSERT INTO reactions (id, opinion_id, community_id, person_id, choice, cast_at, received_at, channel,
                       evidence, source, source_id, is_practice)
  SELECT 'rea_' || md5('r' || i), 'op_' || md5('o' || i % 3334), 'cm_feed', 'per_' || md5('f' || i / 3334),
         (ARRAY['agree', 'disagree', 'pass'])[1 + i % 3], now(), now(), 'phone', 'caller_id', 'x', 'r' || i,
         false
  FROM generate_series(0, 9999) i;
INSERT INTO changes (xact, community_id, record, record_id, act, changed_at, details)
  SELECT 1, 'cm_feed', record, record_id, act, now(), details FROM (
    SELECT 'ballot' AS record, id AS record_id, 'created' AS act, jsonb_build_object('topic_id', topic_id,
           'choice', choice, 'channel', channel, 'evidence', evidence) AS details FROM ballots
    UNION ALL SELECT 'reaction', id, 'created', jsonb_build_object('opinion_id', opinion_id) FROM reactions
    UNION ALL SELECT 'opinion', id, act, jsonb_build_object('state', state) FROM opinions
      CROSS JOIN (VALUES ('created'), ('updated'), ('updated')) acts (act)
  ) told ORDER BY md5(record_id || act) LIMIT 50000
"""


def measure_feed(server_url: str, home: Path) -> Iterator[Measured]:
    """One line: events read a second through the API's view, its pages as JSON; ratio to the bare reader."""
    with psycopg.connect(server_url, autocommit=True) as admin:
        admin.execute("CREATE DATABASE feed_bench")
    url = make_url(server_url).set(database="feed_bench").render_as_string(hide_password=False)
    archive = Archive.open(url, home)
    try:
        archive.database.create()
        _found(url)
        ours, bare = _Reader(archive), _Bare(url)
        bare.read(), ours.read()  # both have seen everything once
        ratios, rates = [], []
        for _ in range(ROUNDS):
            baseline = _rate(bare.read)
            rates.append(_rate(ours.read))
            ratios.append(rates[-1] / baseline)
        bare.close()
        yield Measured("sync.feed", median(rates), "events/s", TARGET, median(ratios))
    finally:
        archive.close()


def _found(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _TOWN.split(";"):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")


def _rate(read: Any) -> float:
    began = time.perf_counter()
    assert read() == CHANGES
    return CHANGES / (time.perf_counter() - began)


class _Reader:
    """A platform that follows our feed over the API: key, pace, audit and all."""

    def __init__(self, archive: Archive) -> None:
        app = Flask("bench")
        app.register_blueprint(create_api(archive, calls_a_minute=1_000_000))
        with archive.database.begin() as session:
            _, key = add_platform(session, "cm_feed", "bench", _SCOPES)
        self._client, self._headers = app.test_client(), {"Authorization": f"Bearer {key}"}

    def read(self) -> int:
        """From the beginning to the end; how many events."""
        events, cursor = 0, ""
        while True:
            path = f"/api/v1/changes?limit={PAGE}{cursor}"
            page = json.loads(self._client.get(path, headers=self._headers).data)
            events += len(page["items"])
            if not page["has_more"]:
                return events
            cursor = f"&cursor={page['next_cursor']}"


class _Bare:
    """The same rows with the driver alone, written as JSON and read again."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, row_factory=dict_row, autocommit=True)

    def read(self) -> int:
        """From the beginning to the end; how many changes."""
        changes, place = 0, (0, 0)
        while rows := self._connection.execute(_NEXT, (*place, PAGE)).fetchall():
            ids: dict[str, list[str]] = {}
            for row in rows:
                ids.setdefault(row["record"], []).append(row["record_id"])
            records = [
                self._connection.execute(query.encode(), (found,)).fetchall()
                for record, found in ids.items()
                for query in _RECORDS[record]
            ]
            json.loads(json.dumps([rows, records], default=datetime.isoformat, ensure_ascii=False))
            changes, place = changes + len(rows), (rows[-1]["xact"], rows[-1]["id"])
        return changes

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()
