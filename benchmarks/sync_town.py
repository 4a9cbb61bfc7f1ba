"""A town for measuring the merge: people, topics, history of any length, and captures that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from sync.archive import Archive

COMMUNITY = "cm_bench"
TOPICS = 10
_PEOPLE = """
INSERT INTO keys (id, wrapped, created_at)
  SELECT 'key_' || md5('p' || i), '\\x00', now() FROM generate_series(%(first)s::int, %(last)s::int) i;
INSERT INTO people (id, community_id, seat, key_id, created_at)
  SELECT 'per_' || md5('p' || i), 'cm_bench', 1, 'key_' || md5('p' || i), now()
  FROM generate_series(%(first)s::int, %(last)s::int) i
"""
_FOUND = """
INSERT INTO communities (id, name, dialled_number, time_zone, language, is_demo, created_at)
  VALUES ('cm_bench', 'bench', '+8657100000000', 'Asia/Shanghai', 'zh', false, now());
INSERT INTO topics (id, community_id, owner, title, text, options, rules, state, rank, created_at, version)
  SELECT 'tp_' || i, 'cm_bench', 'desk', 'bench', 'bench', '[]', '{}', 'open', 0, now(), 1
  FROM generate_series(0, 9) i
"""
_TOPIC = """
INSERT INTO topics (id, community_id, owner, title, text, options, rules, state, rank, created_at, version)
  VALUES (%(topic)s, 'cm_bench', 'desk', 'bench', 'bench', '[]', '{}', 'open', 0, now(), 1)
"""
_CAPTURES = """
INSERT INTO captures (source, source_id, community_id, person_id, kind, topic_id, payload, channel, evidence,
                      is_practice, cast_at, received_at, state)
  SELECT 'exchange', %(lot)s::text || '/' || i, 'cm_bench', 'per_' || md5('p' || {person}), 'ballot',
         'tp_' || {topic}, jsonb_build_object('choice', (ARRAY['agree', 'disagree', 'pass'])[1 + i %% 3]),
         'phone', 'caller_id', false, now() + i * interval '1 microsecond', now() + interval '1 hour',
         %(state)s
  FROM generate_series(0, %(count)s::int - 1) i
"""
_BALLOTS = """
INSERT INTO ballots (id, topic_id, community_id, voter_id, person_id, choice, cast_at, received_at, channel,
                     evidence, source, source_id, is_practice)
  SELECT 'bal_' || md5(person_id || topic_id), topic_id, community_id, person_id, person_id,
         payload->>'choice', cast_at, received_at, channel, evidence, source, source_id, false
  FROM captures WHERE state = 'merged' AND source_id LIKE %(lot)s::text || '/%%';
INSERT INTO changes (xact, community_id, record, record_id, act, changed_at, details)
  SELECT 1, community_id, 'ballot', 'bal_' || md5(person_id || topic_id), 'created', now(),
         jsonb_build_object('topic_id', topic_id, 'choice', payload->>'choice', 'channel', channel,
                            'evidence', evidence)
  FROM captures WHERE state = 'merged' AND source_id LIKE %(lot)s::text || '/%%'
"""


class Town:
    """One database of its own on a server, with so many people in it."""

    def __init__(self, server_url: str, name: str, home: Path, people: int) -> None:
        with psycopg.connect(server_url, autocommit=True) as admin:
            admin.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]  # a name of ours
        self.url = make_url(server_url).set(database=name).render_as_string(hide_password=False)
        self.archive = Archive.open(self.url, home)
        self.archive.database.create()
        self.home = home
        self.people = people
        self._lots = 0
        self._run(_FOUND)
        self._run(_PEOPLE, first=0, last=people - 1)

    def waiting(self, count: int) -> None:
        """Put captures in the inbox: four of five are a voter's first on a topic nobody has voted on yet."""
        self.topic()
        voters = min(self.people, count * 4 // 5)
        number = self.newest_topic.removeprefix("tp_")
        self._captures(count, "pending", person=f"(i * 7919 %% {voters})", topic=number)

    def topic(self) -> None:
        """A new topic, on which nobody has voted."""
        self._lots += 1
        self._run(_TOPIC, topic=self.newest_topic)

    @property
    def newest_topic(self) -> str:
        """The topic made last."""
        return f"tp_{1000 + self._lots}"

    def history(self, count: int) -> None:
        """Captures settled long ago, with their ballots and changes."""
        self._lots += 1
        most = self.people * TOPICS
        assert count <= most, "more ballots than people can have cast"
        self._captures(count, "merged", person=f"(i / {TOPICS})", topic=f"(i %% {TOPICS})")
        self._run(_BALLOTS, lot=f"lot{self._lots}")
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    def close(self) -> None:
        """Give the connections back."""
        self.archive.close()

    def _captures(self, count: int, state: str, person: str, topic: str) -> None:
        statement = _CAPTURES.format(person=person, topic=topic)
        self._run(statement, lot=f"lot{self._lots}", count=count, state=state)

    def _run(self, statements: str, **given: object) -> None:
        with psycopg.connect(self.url) as connection:
            for statement in statements.split(";"):
                connection.execute(statement, given or None)  # type: ignore[arg-type]


@contextmanager
def town(server_url: str, name: str, home: Path, people: int) -> Iterator[Town]:
    """A town, closed afterwards."""
    made = Town(server_url, name, home, people)
    try:
        yield made
    finally:
        made.close()
