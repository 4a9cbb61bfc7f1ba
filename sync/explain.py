"""How a topic was counted: what was given, how that became ballots, what the ballots come to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.ballots import ballot_id, may_name, rules_of
from sync.counted import counted_at, people_of
from sync.errors import RecordsError
from sync.merge import Rules
from sync.pending import Giver, givers
from sync.records.tables import Ballot, Capture, Topic
from sync.tally import Tally, tally

EXAMPLES = 8
_AT_ONCE = 2_000
_LONGEST_CHAIN = 20


@dataclass(frozen=True)
class Given:
    """So many ballots that came through one channel and met the same fate; `problem` says why not counted."""

    channel: str
    state: str
    problem: str | None
    ballots: int


@dataclass(frozen=True)
class Link:
    """One ballot of somebody's chain. `choice` is None where a topic is anonymous or hides its result."""

    channel: str
    cast_at: datetime
    choice: str | None
    fate: str  # stands · replaced · or the capture's state
    problem: str | None = None


@dataclass(frozen=True)
class Chain:
    """All that came from one voter, in the order of counting. `number` is only this page's own."""

    number: int
    people: int
    links: tuple[Link, ...]


@dataclass(frozen=True)
class Explained:
    """The way from what was given to the result; `linked` and `housemates` have no ballot of their own.

    given → `counted` of them inside the rules → from `people` → `linked` of whom are somebody else here too
    → `housemates` of whom share a home's ballot → `voters`, each with one ballot.
    """

    topic_id: str
    title: str
    given: tuple[Given, ...]
    people: int
    linked: int
    housemates: int
    tally: Tally
    is_shown: bool
    is_named: bool
    chains: tuple[Chain, ...]

    @property
    def total(self) -> int:
        """How many ballots came in all."""
        return sum(one.ballots for one in self.given)

    @property
    def counted(self) -> int:
        """How many of them came inside the rules."""
        return sum(one.ballots for one in self.given if one.state == "merged")

    @property
    def replaced(self) -> int:
        """How many were replaced by a later ballot of the same person."""
        return self.counted - self.people


def explain(session: Session, topic_id: str, now: datetime, examples: int = EXAMPLES) -> Explained:
    """The account of one topic, derived now. Raises RecordsError where there is no such topic."""
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise RecordsError("没有这个议题 · there is no such topic")
    count, rules = tally(session, topic_id), rules_of(topic)
    people, roots = _people(session, topic)
    shown = count.may_be_shown(now)
    return Explained(
        topic_id=topic_id,
        title=topic.title,
        given=what_was_given(session, topic_id),
        people=people,
        linked=people - roots,
        housemates=max(roots - count.voters, 0),
        tally=count,
        is_shown=shown,
        is_named=may_name(topic),
        chains=_chains(session, topic, rules, examples, shown and may_name(topic)),
    )


def what_was_given(session: Session, topic_id: str) -> tuple[Given, ...]:
    """All ballots that ever came in for a topic, by channel and by what became of them, in one query."""
    grouped = (Capture.channel, Capture.state, Capture.problem)
    rows = session.execute(
        select(*grouped, func.count(Capture.id))
        .where(Capture.topic_id == topic_id, Capture.kind == "ballot")
        .group_by(*grouped)
    )
    return tuple(
        sorted((Given(*row) for row in rows), key=lambda one: (one.channel, one.state, one.problem or ""))
    )


def _people(session: Session, topic: Topic) -> tuple[int, int]:
    """How many gave what counts, by account and telephone; and how many they are once links are followed."""
    gave = select(Capture.person_id).where(
        Capture.topic_id == topic.id, Capture.kind == "ballot", Capture.state == "merged"
    )
    ids = list(session.scalars(gave.distinct()))
    roots: set[str] = set()
    for start in range(0, len(ids), _AT_ONCE):
        roots |= {one.root for one in _as_counted(session, topic, ids[start : start + _AT_ONCE]).values()}
    return len(ids), len(roots)


def _as_counted(session: Session, topic: Topic, person_ids: Collection[str]) -> Mapping[str, Giver]:
    """These people as they count here: by the links of the close."""
    people = givers(session, person_ids)
    if topic.closes_at is None:
        return people
    return counted_at(session, topic.community_id, topic.closes_at, people)


def _chains(session: Session, topic: Topic, rules: Rules, most: int, with_choice: bool) -> tuple[Chain, ...]:
    """The voters from whom most came: whoever reads these knows how everything else was counted."""
    busiest = session.scalars(
        select(Capture.person_id)
        .where(Capture.topic_id == topic.id, Capture.kind == "ballot", Capture.state != "pending")
        .group_by(Capture.person_id)
        .order_by(func.count(Capture.id).desc(), func.min(Capture.id))
        .limit(most)
    ).all()
    voters = {one.voter(rules) for one in _as_counted(session, topic, busiest).values()}
    everybody = _as_counted(session, topic, {*people_of(session, topic, rules, voters), *busiest})
    together: dict[str, list[str]] = defaultdict(list)
    for one in everybody.values():
        together[one.voter(rules)].append(one.id)
    standing = _standing(session, topic.id, voters)
    found = [
        (links, len(gave))
        for voter in voters
        for links, gave in (_links(session, topic.id, together[voter], standing.get(voter), with_choice),)
    ]
    found.sort(key=lambda one: [(link.cast_at, link.channel) for link in one[0]])
    return tuple(Chain(number, people, links) for number, (links, people) in enumerate(found, start=1))


def _standing(session: Session, topic_id: str, voters: Collection[str]) -> Mapping[str, tuple[str, str]]:
    """The natural key of the ballot that stands for each of these voters."""
    rows = session.execute(
        select(Ballot.voter_id, Ballot.source, Ballot.source_id).where(
            Ballot.id.in_([ballot_id(topic_id, voter) for voter in voters])
        )
    )
    return {row.voter_id: (row.source, row.source_id) for row in rows}


def _links(
    session: Session,
    topic_id: str,
    people: Sequence[str],
    standing: tuple[str, str] | None,
    with_choice: bool,
) -> tuple[tuple[Link, ...], set[str]]:
    rows = session.scalars(
        select(Capture)
        .where(Capture.topic_id == topic_id, Capture.kind == "ballot", Capture.person_id.in_(people))
        .order_by(Capture.cast_at.desc(), Capture.source, Capture.source_id)
        .limit(_LONGEST_CHAIN)
    ).all()
    links = tuple(
        Link(
            channel=row.channel,
            cast_at=row.cast_at,
            choice=str(row.payload.get("choice")) if with_choice and "choice" in row.payload else None,
            fate=_fate(row, standing),
            problem=row.problem,
        )
        for row in reversed(rows)
    )
    return links, {row.person_id for row in rows}


def _fate(capture: Capture, standing: tuple[str, str] | None) -> str:
    if capture.state != "merged":
        return capture.state
    return "stands" if (capture.source, capture.source_id) == standing else "replaced"
