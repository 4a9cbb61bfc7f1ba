"""What came out of a topic: derived from its ballots each time it is asked, never counted up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from sync.ballots import rules_of
from sync.errors import RecordsError
from sync.records.tables import Ballot, Capture, Person, Topic
from sync.upsert import is_among

VOTED = "voted"  # results are hidden until the close, but on the phone from who has voted
_Group = tuple[str, str, str, bool, int]  # choice, evidence, channel, whether practice; how many voters


@dataclass(frozen=True)
class Tally:
    """The count of one topic.

    `choices`, `evidence`, `channels` count voters (persons or households, as `counts` says); a choice that
    nobody took is there with 0. `practice` is how many of them are practice: only a demo community has those.
    `replaced` are earlier ballots of the same voters; `early`, `late`, `refused` count for nothing.
    `is_for_voters`: a caller who has voted hears the running result; platforms, which show it to everybody,
    get it with the close.
    """

    topic_id: str
    counts: str
    choices: Mapping[str, int]
    evidence: Mapping[str, int]
    channels: Mapping[str, int]
    practice: int
    replaced: int
    early: int
    late: int
    refused: int
    electorate: str | None
    electorate_size: int | None
    quorum: int | None
    shown_from: datetime | None
    is_for_voters: bool = False

    @property
    def voters(self) -> int:
        """How many voters have a standing ballot."""
        return sum(self.choices.values())

    @property
    def is_quorate(self) -> bool | None:
        """Whether enough have voted; None where the topic asks for no quorum."""
        return None if self.quorum is None else self.voters >= self.quorum

    def may_be_shown(self, now: datetime, has_voted: bool = False) -> bool:
        """Whether the running result may be told: some topics hide it until they close, or one has voted."""
        return self.shown_from is None or now >= self.shown_from or (has_voted and self.is_for_voters)


def tally(session: Session, topic_id: str) -> Tally:
    """Count one topic, in two queries. Raises RecordsError where there is no such topic."""
    topic = session.get(Topic, topic_id)
    if topic is None:
        raise RecordsError("no such topic")
    return tallies(session, [topic])[topic_id]


def has_voted(session: Session, topic_id: str, person_id: str) -> bool:
    """Whether a person, or whoever counts as one with them, has a ballot on a topic, merged or not yet."""
    root = select(Person.root_id).where(Person.id == person_id).scalar_subquery()
    cast = (
        exists()
        .where(Capture.topic_id == topic_id, Capture.kind == "ballot")
        .where(Capture.state.in_(["pending", "merged"]), Capture.person_id == Person.id)
        .where(or_(Person.id == person_id, Person.root_id == root))
    )
    return bool(session.scalar(select(cast)))


def tallies(session: Session, topics: Sequence[Topic]) -> dict[str, Tally]:
    """Count many topics, in two queries however many they are; by topic id."""
    ids = [topic.id for topic in topics]
    standing, given = _standing(session, ids), _given(session, ids)
    return {topic.id: _tally(topic, standing[topic.id], given[topic.id]) for topic in topics}


def _tally(topic: Topic, standing: Sequence[_Group], given: Counter[str]) -> Tally:
    rules, said = rules_of(topic), topic.rules or {}
    choices = Counter(dict.fromkeys(sorted(rules.choices), 0))
    evidence, channels = Counter[str](), Counter[str]()
    practice = 0
    for choice, proof, channel, is_practice, voters in standing:
        choices[choice] += voters
        evidence[proof] += voters
        channels[channel] += voters
        practice += voters if is_practice else 0
    size = said.get("electorate_size")
    return Tally(
        topic_id=topic.id,
        counts=rules.counts,
        choices=dict(choices),
        evidence=dict(evidence),
        channels=dict(channels),
        practice=practice,
        replaced=max(given["merged"] - sum(choices.values()), 0),
        early=given["early"],
        late=given["late"],
        refused=given["refused"],
        electorate=said.get("electorate"),
        electorate_size=size,
        quorum=_quorum(said.get("quorum"), size),
        shown_from=_shown_from(topic),
        is_for_voters=said.get("results") == VOTED,
    )


def _standing(session: Session, ids: Sequence[str]) -> Mapping[str, list[_Group]]:
    grouped = (Ballot.choice, Ballot.evidence, Ballot.channel, Ballot.is_practice)
    query = (
        select(Ballot.topic_id, *grouped, func.count(Ballot.id))
        .where(is_among(session, Ballot.topic_id, ids))
        .group_by(Ballot.topic_id, *grouped)
    )
    found: dict[str, list[_Group]] = defaultdict(list)
    for topic_id, choice, proof, channel, is_practice, voters in session.execute(query):
        found[topic_id].append((choice, proof, channel, is_practice, voters))
    return found


def _given(session: Session, ids: Sequence[str]) -> Mapping[str, Counter[str]]:
    query = (
        select(Capture.topic_id, Capture.state, func.count(Capture.id))
        .where(is_among(session, Capture.topic_id, ids), Capture.kind == "ballot")
        .group_by(Capture.topic_id, Capture.state)
    )
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for topic_id, state, captures in session.execute(query):
        found[str(topic_id)][state] += captures
    return found


def _quorum(asked: float | None, size: int | None) -> int | None:
    """The number of voters asked for; a share below 1 needs a known electorate."""
    if asked is None or (asked < 1 and size is None):
        return None
    return ceil(asked * size) if asked < 1 and size is not None else int(asked)


def _shown_from(topic: Topic) -> datetime | None:
    if (topic.rules or {}).get("results") not in {"closed", VOTED} or topic.state in {"closed", "decided"}:
        return None
    return topic.closes_at or datetime.max.replace(tzinfo=topic.created_at.tzinfo)
