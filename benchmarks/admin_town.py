"""A city's records for measuring the desk's pages: a million opinions with all that stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from sync.archive import Archive
from sync.searching import hashes

COMMUNITY = "cm_city"
PERSON = "per_7"
WORDS = ("路灯", "食堂", "电梯")  # each in a part of the opinions: a seventh, an eleventh, a hundredth
_EVERY = (7, 11, 101)
_TABLES = (
    "keys", "numbers", "people", "opinions", "transcripts", "searched", "search_terms", "calls", "ballots",
    "captures", "audits", "satisfactions", "corrections", "requests", "consents", "households", "residents",
)  # fmt: skip
_LOAD = """
INSERT INTO communities (id, name, dialled_number, time_zone, language, is_demo, created_at)
  VALUES ('cm_city', 'city', '+8657100000000', 'Asia/Shanghai', 'zh', false, now());
INSERT INTO staff (id, community_id, name, password_hash, role, language, created_at)
  SELECT 'st_' || i, 'cm_city', 'staff ' || i, '', 'reviewer', 'zh', now() FROM generate_series(0, 19) i;
INSERT INTO topics (id, community_id, owner, title, text, options, rules, state, rank, created_at, version)
  SELECT 'tp_' || i, 'cm_city', 'desk', 'topic ' || i, 'text', '[]', '{{}}',
         CASE WHEN i < 20 THEN 'open' ELSE 'decided' END, 0, now() - i * interval '1 hour', 1
  FROM generate_series(0, 199) i;
INSERT INTO keys (id, wrapped, created_at)
  SELECT 'key_' || i, '\\x00', now() FROM generate_series(0, {people} - 1) i;
INSERT INTO numbers (id, community_id, digest, sealed, key_id, is_slow)
  SELECT 'num_' || i, 'cm_city', md5('n' || i), '\\x00', 'key_' || i, false
  FROM generate_series(0, {people} - 1) i;
INSERT INTO people (id, community_id, number_id, seat, key_id, created_at)
  SELECT 'per_' || i, 'cm_city', 'num_' || i, 1, 'key_' || i, now() FROM generate_series(0, {people} - 1) i;
INSERT INTO opinions (id, community_id, person_id, topic_id, source, source_id, channel, evidence, kind,
                      state, stage, release, category, category_confidence, urgency, needs_listening,
                      is_practice, said_at, version, tries)
  SELECT 'op_' || lpad(i::text, 8, '0'), 'cm_city', 'per_' || i % {people},
         CASE WHEN i % 3 = 0 THEN NULL ELSE 'tp_' || i % 200 END, 'x', 'o' || i,
         CASE WHEN i % 4 = 0 THEN 'web' ELSE 'phone' END, 'caller_id', 'opinion',
         CASE WHEN i % 50 = 0 THEN 'review' WHEN i % 997 = 0 THEN 'waiting' ELSE 'approved' END,
         'received', 'words', 'kind ' || i % 12, 0.8, CASE WHEN i % 5000 = 0 THEN 'gas' END,
         i % 500 = 0, false, now() - ({opinions} - i) * interval '30 seconds', 1, 0
  FROM generate_series(1, {opinions}) i;
INSERT INTO transcripts (opinion_id, version, redacted, confidence, language, engine, speech_seconds, made_by,
                         made_at)
  SELECT 'op_' || lpad(i::text, 8, '0'), 1, 'x', 0.9, 'zh', 'x', 9, 'machine', now()
  FROM generate_series(1, {opinions}) i;
INSERT INTO searched (number, opinion_id, made_at)
  SELECT i, 'op_' || lpad(i::text, 8, '0'), now() FROM generate_series(1, {opinions}) i;
INSERT INTO calls (id, sid, community_id, person_id, line, handset, is_practice, evidence, language, voice,
                   flow, view, place, turn, began_at, turned_at, ended_at, end_status)
  SELECT 'cl_' || lpad(i::text, 8, '0'), 'CA' || i, 'cm_city', 'per_' || i % {people}, 'exchange', 'phone',
         false, 'caller_id', 'zh', '', 'hotline', '{{}}',
         jsonb_build_object('step', 'topic.tp_' || i % 20 ||
                            (ARRAY['.ballot', '.listen', '.record'])[1 + i % 3]),
         3, now() - ({calls} - i) * interval '40 seconds', now(), now(),
         CASE WHEN i % 3 = 0 THEN 'completed' ELSE 'finished' END
  FROM generate_series(1, {calls}) i;
INSERT INTO ballots (id, topic_id, community_id, voter_id, person_id, choice, cast_at, received_at, channel,
                     evidence, source, source_id, is_practice)
  SELECT 'bal_' || i, 'tp_' || i % 200, 'cm_city', 'per_' || i / 200, 'per_' || i / 200, 'agree', now(),
         now(), CASE WHEN i % 4 = 0 THEN 'web' ELSE 'phone' END, 'caller_id', 'x', 'b' || i, false
  FROM generate_series(0, {ballots} - 1) i;
INSERT INTO captures (source, source_id, community_id, person_id, kind, topic_id, payload, channel, evidence,
                      is_practice, cast_at, received_at, state)
  SELECT 'x', 'b' || i, 'cm_city', 'per_' || i / 200, 'ballot', 'tp_' || i % 200, '{{"choice": "agree"}}',
         'phone', 'caller_id', false, now(), now(), 'merged'
  FROM generate_series(0, {ballots} - 1) i;
INSERT INTO audits (community_id, at, actor, act, subject, details)
  SELECT 'cm_city', now() - ({audits} - i) * interval '10 seconds', 'st_' || i % 20,
         (ARRAY['opinion_seen', 'opinion.approved', 'heard_recording', 'number_seen'])[1 + i % 4],
         'op_' || lpad((i % {opinions})::text, 8, '0'), '{{}}'
  FROM generate_series(1, {audits}) i;
INSERT INTO satisfactions (id, opinion_id, person_id, is_satisfied, given_at, channel, source, source_id)
  SELECT 'sat_' || i, 'op_' || lpad(i::text, 8, '0'), 'per_' || i % {people}, i % 5 > 0,
         now() - i * interval '1 minute', 'phone', 'x', 's' || i
  FROM generate_series(1, {calls} / 10) i;
INSERT INTO corrections (opinion_id, community_id, engine, characters, wrong, made_at)
  SELECT 'op_' || lpad(i::text, 8, '0'), 'cm_city', 'whisper', 40, i % 9, now() - i * interval '5 minutes'
  FROM generate_series(1, {calls} / 10) i;
INSERT INTO requests (id, source, source_id, community_id, person_id, reason, asked_at, settled_at)
  SELECT 'req_' || i, 'x', 'r' || i, 'cm_city', 'per_' || i, 'person', now() - i * interval '1 hour',
         CASE WHEN i % 10 > 0 THEN now() END
  FROM generate_series(0, 4999) i;
INSERT INTO consents (id, source, source_id, community_id, person_id, purpose, answer, version, given_at)
  SELECT 'con_' || i, 'x', 'c' || i, 'cm_city', 'per_' || i / 2, 'recording', 'pressed', '1', now()
  FROM generate_series(0, {people} - 1) i;
INSERT INTO households (id, community_id, reference)
  SELECT 'hh_' || i, 'cm_city', lpad(i::text, 6, '0') FROM generate_series(0, {people} / 4) i
"""
_TERMS = """
INSERT INTO search_terms (term, number)
  SELECT %(term)s::bigint, i FROM generate_series(1, %(opinions)s::int) i WHERE i %% %(every)s::int = 0
"""


class City:
    """A database of its own on a server, filled once."""

    def __init__(self, server_url: str, home: Path, opinions: int) -> None:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute("CREATE DATABASE admin_bench")
        self.url = make_url(server_url).set(database="admin_bench").render_as_string(hide_password=False)
        self.archive = Archive.open(self.url, home)
        self.archive.database.create()
        sizes = {
            "opinions": opinions, "people": opinions // 5, "calls": opinions // 4, "ballots": opinions // 2,
            "audits": opinions // 2,
        }  # fmt: skip
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET synchronous_commit = off")
            connection.execute("SET session_replication_role = replica")  # the rows are right by construction
            connection.execute("SET maintenance_work_mem = '512MB'")
            indexes = self._drop_indexes(connection)
            for statement in _LOAD.format(**sizes).split(";\n"):
                connection.execute(statement.encode())
            for word, every in zip(WORDS, _EVERY, strict=True):
                (term,) = hashes(self.archive, COMMUNITY, word)
                connection.execute(_TERMS, {"term": term, "opinions": opinions, "every": every})
            for definition in indexes:
                connection.execute(definition.encode())
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def close(self) -> None:
        """Give the connections back."""
        self.archive.close()

    def _drop_indexes(self, connection: psycopg.Connection) -> Sequence[str]:
        """Indexes that no constraint needs are made anew once the rows are there: five times as fast."""
        found = connection.execute(
            "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename = ANY(%s) AND NOT EXISTS"
            " (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
            (list(_TABLES),),
        ).fetchall()
        for name, _ in found:
            connection.execute(f"DROP INDEX {name}".encode())
        return [definition for _, definition in found]
