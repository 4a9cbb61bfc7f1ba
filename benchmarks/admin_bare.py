"""What each page of the desk needs from the records, asked of PostgreSQL by its driver alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

Rows = list[tuple[Any, ...]]
_OPINIONS = "SELECT * FROM opinions WHERE community_id = 'cm_city'"
_QUEUE = f"{_OPINIONS} AND state = 'review' AND urgency IS NOT NULL ORDER BY said_at, id LIMIT 31"
_OLDER = (
    f"{_OPINIONS} AND said_at <= %s AND (said_at < %s OR id < %s) ORDER BY said_at DESC, id DESC LIMIT 31"
)
_COUNTS = (
    "SELECT count(*) FROM (SELECT id FROM opinions WHERE community_id = 'cm_city' AND state = 'waiting'"
    " LIMIT 1000) x",
    "SELECT count(*) FROM (SELECT id FROM opinions WHERE community_id = 'cm_city' AND state = 'review'"
    " LIMIT 1000) x",
)
_BESIDE = (
    "SELECT * FROM transcripts WHERE opinion_id = ANY(%s) ORDER BY version",
    "SELECT * FROM people WHERE id IN (SELECT person_id FROM opinions WHERE id = ANY(%s))",
    "SELECT k.* FROM keys k JOIN people p ON p.key_id = k.id JOIN opinions o ON o.person_id = p.id"
    " WHERE o.id = ANY(%s)",
    "SELECT a.*, s.name FROM assignments a JOIN staff s ON s.id = a.staff_id WHERE a.opinion_id = ANY(%s)",
    "SELECT id, title FROM topics WHERE id IN (SELECT topic_id FROM opinions WHERE id = ANY(%s))",
)
_FOUND = (
    "SELECT o.* FROM search_terms a JOIN search_terms b ON b.number = a.number AND b.term = %s"
    " JOIN searched s ON s.number = a.number JOIN opinions o ON o.id = s.opinion_id"
    " WHERE a.term = %s ORDER BY a.number DESC LIMIT 31"
)
_MONTH = "now() - interval '30 days'"
_TODAY = "date_trunc('day', now() AT TIME ZONE 'Asia/Shanghai') AT TIME ZONE 'Asia/Shanghai'"
_OPEN = "topic_id IN (SELECT id FROM topics WHERE community_id = 'cm_city' AND state IN ('open', 'paused'))"
_SHARES = (
    "SELECT {column}, count(*) FROM opinions WHERE community_id = 'cm_city' AND said_at >= " + _MONTH
    + " AND state NOT IN ('withdrawn', 'erased') AND is_practice IS false GROUP BY 1 ORDER BY 2 DESC LIMIT 12"
)  # fmt: skip
OVERVIEW = (
    "SELECT * FROM communities WHERE id = 'cm_city'",
    f"SELECT count(*) FILTER (WHERE began_at >= {_TODAY}), count(*) FILTER (WHERE began_at >= {_TODAY} AND"
    f" end_status = 'finished'), count(*) FROM calls WHERE community_id = 'cm_city' AND began_at >= {_MONTH}"
    " AND is_practice IS false",
    f"SELECT place->>'step', count(*) FROM calls WHERE community_id = 'cm_city' AND began_at >= {_MONTH} AND"
    " is_practice IS false AND ended_at IS NOT NULL AND end_status <> 'finished' GROUP BY 1",
    "SELECT state, count(*), min(said_at) FROM opinions WHERE community_id = 'cm_city' AND"
    " state IN ('waiting', 'review') GROUP BY 1",
    "SELECT count(*), min(asked_at) FROM requests r JOIN people p ON p.id = r.person_id WHERE"
    " r.community_id = 'cm_city' AND settled_at IS NULL AND erased_at IS NULL",
    "SELECT count(*), min(due_on) FROM milestones WHERE community_id = 'cm_city' AND state IN"
    " ('planned', 'doing') AND due_on < '2026-01-01'",
    _SHARES.format(column="category"),
    _SHARES.format(column="channel"),
    f"SELECT channel, count(*) FROM ballots WHERE {_OPEN} AND is_practice IS false GROUP BY 1"
    " ORDER BY 2 DESC",
    f"SELECT topic_id, count(*) FROM ballots WHERE {_OPEN} AND is_practice IS false GROUP BY 1"
    " ORDER BY 2 DESC LIMIT 12",
    "SELECT is_satisfied, count(*) FROM satisfactions s JOIN opinions o ON o.id = s.opinion_id WHERE"
    f" given_at >= {_MONTH} AND o.community_id = 'cm_city' AND o.is_practice IS false GROUP BY 1",
    "SELECT count(*), sum(characters), sum(wrong) FROM corrections WHERE community_id = 'cm_city' AND"
    f" made_at >= {_MONTH}",
)
_AUDIT = "SELECT * FROM audits WHERE community_id = 'cm_city' {more} ORDER BY at DESC, id DESC LIMIT 51"
_STAFF = "SELECT id, name FROM staff WHERE community_id = 'cm_city' ORDER BY name"
_CALLS = (
    "SELECT id, began_at, ended_at, end_status, line, is_practice, place->>'step' FROM calls WHERE"
    f" community_id = 'cm_city' AND began_at >= {_MONTH} AND is_practice IS false AND place->>'step' LIKE"
    " 'topic.%%.ballot' AND ended_at IS NOT NULL AND end_status <> 'finished'"
    " ORDER BY began_at DESC, id DESC LIMIT 51"
)
_TOPICS = (
    "SELECT * FROM topics WHERE community_id = 'cm_city' ORDER BY created_at DESC, id DESC LIMIT 31",
    "SELECT topic_id, choice, evidence, channel, is_practice, count(*) FROM ballots WHERE topic_id = ANY(%s)"
    " GROUP BY 1, 2, 3, 4, 5",
    "SELECT topic_id, state, count(*) FROM captures WHERE topic_id = ANY(%s) AND kind = 'ballot'"
    " GROUP BY 1, 2",
)
_PERSON = (
    "SELECT * FROM people WHERE id = %s",
    "SELECT * FROM consents WHERE person_id = %s ORDER BY given_at, id",
    "SELECT (SELECT count(*) FROM opinions WHERE person_id = %s AND state IN ('waiting', 'review',"
    " 'approved', 'rejected')), (SELECT count(*) FROM recordings WHERE person_id = %s AND state = 'stored'),"
    " (SELECT count(*) FROM captures WHERE person_id = %s AND kind = 'ballot'),"
    " (SELECT count(*) FROM reactions WHERE person_id = %s),"
    " (SELECT count(*) FROM calls WHERE person_id = %s),"
    " (SELECT count(*) FROM requests WHERE person_id = %s),"
    " (SELECT count(*) FROM accounts WHERE person_id = %s),"
    " (SELECT count(*) FROM links WHERE (person_id = %s OR other_id = %s) AND undone_at IS NULL),"
    " (SELECT count(*) FROM residents WHERE number_id = %s AND seat = 1)",
)
_ROSTER = (
    "SELECT id, reference FROM households WHERE community_id = 'cm_city' AND reference LIKE '01%%'"
    " ORDER BY reference LIMIT 41",
    "SELECT * FROM residents WHERE household_id = ANY(%s) ORDER BY seat, id",
)


class Bare:
    """The pages by name, each in one transaction of one connection."""

    def __init__(self, url: str, terms: Sequence[int], deep: tuple[Any, str], deep_audit: Any) -> None:
        self._connection = psycopg.connect(url)
        self._terms, self._deep, self._deep_audit = terms, deep, deep_audit
        self.pages: Mapping[str, Callable[[], None]] = {
            "queue": self._queue, "older": self._older, "search": self._search, "overview": self._overview,
            "calls": lambda: self._all(_CALLS), "audit": self._audit, "audit_of_one": self._audit_of_one,
            "topics": self._topics, "person": self._person, "roster": self._roster,
        }  # fmt: skip

    def run(self, name: str) -> None:
        """Read one page."""
        self.pages[name]()
        self._connection.rollback()

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def _all(self, statement: str, *given: Any) -> Rows:
        return self._connection.execute(statement.encode(), given or None).fetchall()

    def _beside(self, opinions: Rows) -> None:
        ids = [row[0] for row in opinions[:30]]
        for statement in _BESIDE:
            self._all(statement, ids)

    def _queue(self) -> None:
        self._beside(self._all(_QUEUE))
        for statement in _COUNTS:
            self._all(statement)

    def _older(self) -> None:
        said_at, opinion_id = self._deep
        self._beside(self._all(_OLDER, said_at, said_at, opinion_id))

    def _search(self) -> None:
        self._beside(self._all(_FOUND, *self._terms))

    def _overview(self) -> None:
        for statement in OVERVIEW:
            self._all(statement)

    def _audit(self) -> None:
        at = self._deep_audit
        self._all(_AUDIT.format(more="AND at <= %s"), at)
        self._all(_STAFF)

    def _audit_of_one(self) -> None:
        self._all(_AUDIT.format(more="AND actor = 'st_3' AND act = 'number_seen'"))
        self._all(_STAFF)

    def _topics(self) -> None:
        ids = [row[0] for row in self._all(_TOPICS[0])[:30]]
        for statement in _TOPICS[1:]:
            self._all(statement, ids)

    def _person(self) -> None:
        self._all(_PERSON[0], "per_7")
        self._all(_PERSON[1], "per_7")
        self._all(_PERSON[2], *["per_7"] * 9, "num_7")

    def _roster(self) -> None:
        homes = self._all(_ROSTER[0])
        self._all(_ROSTER[1], [row[0] for row in homes])
