"""A batch of captures taken from the inbox, with the facts needed to judge them and what was decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.changes import note_all
from sync.merge import Rules, is_ahead, voter_of
from sync.records.tables import Capture, Community, Person, Topic
from sync.records.voices import PENDING
from sync.upsert import is_among

COLUMNS = (
    Capture.id, Capture.source, Capture.source_id, Capture.community_id, Capture.person_id, Capture.kind,
    Capture.topic_id, Capture.subject_id, Capture.payload, Capture.channel, Capture.evidence,
    Capture.is_practice, Capture.cast_at, Capture.received_at, Capture.state, Capture.problem,
)  # fmt: skip


@dataclass(frozen=True)
class Pending:
    """One capture, as its row says."""

    id: int
    source: str
    source_id: str
    community_id: str
    person_id: str
    kind: str
    topic_id: str | None
    subject_id: str | None
    payload: Mapping[str, Any]
    channel: str
    evidence: str
    is_practice: bool
    cast_at: datetime
    received_at: datetime
    state: str
    problem: str | None


@dataclass(frozen=True)
class Giver:
    """What must be known of a person to judge what they gave."""

    id: str
    number_id: str | None
    household_id: str | None
    erased_at: datetime | None
    root_id: str | None = None
    home_id: str | None = None

    @property
    def root(self) -> str:
        """As whom they count."""
        return self.root_id or self.id

    def voter(self, rules: Rules) -> str:
        """Who has one ballot by these rules when they vote."""
        return voter_of(rules, self.root, self.number_id, self.home_id or self.household_id)

    @property
    def speaker(self) -> str:
        """Whose voice it is: that of the telephone where one is known, because a home shares what it said."""
        return self.number_id or self.id


Outcome = tuple[str, str | None]


@dataclass
class Batch:
    """What one transaction works on. Outcomes and changes are collected and written once, by `finish`."""

    session: Session
    archive: Archive
    now: datetime
    people: dict[str, Giver] = field(default_factory=dict)
    topics: dict[str, Topic] = field(default_factory=dict)
    are_demo: dict[str, bool] = field(default_factory=dict)
    told: list[Pending] = field(default_factory=list)
    outcomes: dict[int, Outcome] = field(default_factory=dict)
    changes: list[dict[str, Any]] = field(default_factory=list)
    opinions: set[str] = field(default_factory=set)
    new_opinions: set[str] = field(default_factory=set)
    has_erased: bool = False

    def merged(self, capture: Pending, problem: str | None = None) -> None:
        """It has become part of the records; `problem` is what little was wrong with it."""
        self.outcomes[capture.id] = ("merged", problem)

    def refused(self, capture: Pending, problem: str) -> None:
        """It never counts. It stays, with the reason."""
        self.outcomes[capture.id] = ("refused", problem)

    def changed(self, record: str, record_id: str, community_id: str, act: str, **details: Any) -> None:
        """A record really is another than before."""
        row = {"record": record, "record_id": record_id, "community_id": community_id, "act": act}
        self.changes.append(row | {"changed_at": self.now, "details": details})

    def admit(self, captures: Iterable[Pending]) -> list[Pending]:
        """Those that may be counted at all; the others get their outcome."""
        return [capture for capture in captures if self._is_admitted(capture)]

    def know(self, captures: Iterable[Pending]) -> None:
        """Learn of more captures, and of their people, topics and communities what isn't known yet."""
        fresh = list(captures)
        self.told += fresh
        community_ids = {one.community_id for one in fresh} - self.are_demo.keys()
        if community_ids:  # held, so that nobody is linked between here and the end of the transaction
            demo = select(Community.id, Community.is_demo).where(Community.id.in_(community_ids))
            self.are_demo |= dict(self.session.execute(demo.with_for_update(read=True)).all())
        self.people |= givers(self.session, {one.person_id for one in fresh} - self.people.keys())
        topic_ids = {one.topic_id for one in fresh if one.topic_id} - self.topics.keys()
        if topic_ids:
            query = select(Topic).where(Topic.id.in_(topic_ids)).order_by(Topic.id)
            self.topics |= {one.id: one for one in self.session.scalars(query.with_for_update(read=True))}

    def finish(self, captures: Iterable[Pending]) -> None:
        """Write what was decided and the list of changes.

        Of captures beside `captures` those that wait are left alone: another worker holds them.
        """
        ours = {capture.id: capture for capture in captures}
        settled = {one.id: one for one in self.told if one.state != "pending"}
        self.write_outcomes((settled | ours).values())
        note_all(self.session, self.changes)
        self.changes = []

    def write_outcomes(self, captures: Iterable[Pending]) -> None:
        """Write the outcomes that differ from what the captures say."""
        by_outcome: dict[Outcome, list[int]] = defaultdict(list)
        for capture in captures:
            outcome = self.outcomes.get(capture.id, (capture.state, capture.problem))
            if outcome != (capture.state, capture.problem):
                by_outcome[outcome].append(capture.id)
        for (state, problem), ids in by_outcome.items():
            settled = update(Capture).where(is_among(self.session, Capture.id, ids))
            settled = settled.values(state=state, problem=problem)
            self.session.connection().execute(settled)

    def _is_admitted(self, capture: Pending) -> bool:
        if is_ahead(capture.cast_at, capture.received_at):
            self.refused(capture, "clock_ahead")
        elif self.people[capture.person_id].erased_at is not None:
            self.refused(capture, "erased")
        elif capture.is_practice and not self.are_demo[capture.community_id]:
            self.outcomes[capture.id] = ("practice", None)
        else:
            return True
        return False


def take(session: Session, limit: int) -> list[Pending]:
    """The oldest captures that wait, held for this transaction; those of another worker are passed over."""
    query = select(*COLUMNS).where(PENDING).order_by(Capture.id).limit(limit)
    return [Pending(*row) for row in session.execute(query.with_for_update(skip_locked=True))]


def open_batch(session: Session, archive: Archive, now: datetime, captures: Sequence[Pending]) -> Batch:
    """The batch of `captures`, with their people, topics and communities, in three queries."""
    batch = Batch(session, archive, now)
    batch.know(captures)
    return batch


def givers(session: Session, person_ids: Collection[str]) -> dict[str, Giver]:
    """The people of these ids."""
    if not person_ids:
        return {}
    columns = (
        Person.id, Person.number_id, Person.household_id, Person.erased_at, Person.root_id, Person.home_id,
    )  # fmt: skip
    rows = session.execute(select(*columns).where(is_among(session, Person.id, person_ids)))
    return {row.id: Giver(*row) for row in rows}
