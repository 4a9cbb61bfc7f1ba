"""The state of a community in a few numbers: what came in, what waits, what people think of the answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select
from sqlalchemy.orm import Session

from sync import overview_queries as ask
from sync.overview_queries import MOST_ROWS, Scope, scope_of

PERIODS = (7, 30, 90)


@dataclass(frozen=True)
class Waiting:
    """Work of one kind that waits: how much of it, and since when the oldest has."""

    what: str
    count: int
    since: datetime | None


@dataclass(frozen=True)
class Share:
    """How many there are of one kind."""

    name: str
    count: int


@dataclass(frozen=True)
class TopicBallots:
    """How many have voted on one topic."""

    topic_id: str
    title: str
    voters: int


@dataclass(frozen=True)
class Overview:
    """One look at a community over so many `days`; `calls_today` since its own midnight.

    `left_at`: where callers hung up before the end, by step. `wrong` of `characters` were corrected.
    """

    days: int
    calls_today: int
    finished_today: int
    calls: int
    left_at: Sequence[Share]
    waiting: Sequence[Waiting]
    kinds: Sequence[Share]
    opinions_by: Sequence[Share]
    ballots_by: Sequence[Share]
    ballots: Sequence[TopicBallots]
    satisfied: int
    unsatisfied: int
    corrections: int
    characters: int
    wrong: int

    @property
    def error_rate(self) -> float | None:
        """Characters that had to be corrected, of all that were said; None where nothing was corrected."""
        return self.wrong / self.characters if self.characters else None


def overview(session: Session, community_id: str, days: int, now: datetime) -> Overview:
    """Everything on the one screen, with one query for each part."""
    scope = scope_of(session, community_id, days, now)
    today, finished_today, calls, left = _calls(session, scope)
    yes, no = _satisfaction(session, scope)
    kinds, channels = _folded(session, ask.opinions_given(scope))
    voters, ballot_channels = _folded(session, ask.ballots_given(scope))
    corrections, characters, wrong = session.execute(ask.corrected(scope)).one()
    return Overview(
        days=days,
        calls_today=today,
        finished_today=finished_today,
        calls=calls,
        left_at=_shares(left),
        waiting=_waiting(session, scope),
        kinds=_shares(kinds),
        opinions_by=_shares(channels),
        ballots_by=_shares(ballot_channels),
        ballots=_by_topic(session, scope, voters),
        satisfied=yes,
        unsatisfied=no,
        corrections=corrections,
        characters=int(characters or 0),
        wrong=int(wrong or 0),
    )


def place_of(step: str) -> str:
    """A step without the id of its topic: `topic.tp_1.ballot` is `topic.ballot`."""
    first, _, rest = step.partition(".")
    return f"topic.{rest.partition('.')[2]}" if first == "topic" and "." in rest else step


def _calls(session: Session, scope: Scope) -> tuple[int, int, int, Counter[str]]:
    """Calls since midnight, of these to their end, of the whole time; and where callers hung up."""
    today, finished, calls, left = 0, 0, 0, Counter[str]()
    for step, since_midnight, to_the_end, count in session.execute(ask.calls_given(scope)):
        today, finished, calls = today + since_midnight, finished + to_the_end, calls + count
        if step:
            left[place_of(step)] += count
    return today, finished, calls, left


def _waiting(session: Session, scope: Scope) -> list[Waiting]:
    rows = session.execute(ask.waiting_opinions(scope))
    found = {state: Waiting(state, count, since) for state, count, since in rows}
    callers, since = session.execute(ask.waiting_calls(scope)).one()
    late, due = session.execute(ask.late_stages(scope)).one()
    due_at = datetime.fromisoformat(due).replace(tzinfo=scope.midnight.tzinfo) if due else None
    return [
        *(found.get(state, Waiting(state, 0, None)) for state in ("review", "waiting")),
        Waiting("callbacks", callers, since),
        Waiting("milestones_late", late, due_at),
    ]


def _satisfaction(session: Session, scope: Scope) -> tuple[int, int]:
    counted = dict(session.execute(ask.satisfaction(scope)).all())
    return counted.get(True, 0), counted.get(False, 0)


def _folded(session: Session, query: Select[str | None, str, int]) -> tuple[Counter[str], Counter[str]]:
    """How many by the first column, and how many by the second."""
    first, second = Counter[str](), Counter[str]()
    for one, other, count in session.execute(query):
        first[one or ""] += count
        second[other] += count
    return first, second


def _shares(counted: Counter[str]) -> list[Share]:
    return [Share(name, count) for name, count in counted.most_common(MOST_ROWS)]


def _by_topic(session: Session, scope: Scope, voters: Counter[str]) -> list[TopicBallots]:
    """The open topics, those with the most voters first."""
    found = [TopicBallots(one, title, voters[one]) for one, title in session.execute(ask.open_topics(scope))]
    return sorted(found, key=lambda one: (-one.voters, one.topic_id))[:MOST_ROWS]
