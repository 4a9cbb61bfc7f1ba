"""Histories of a hamlet: what its people give on every channel, who is linked when, and how it comes in."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete, event, select

from sync import merge
from sync.archive import Archive
from sync.ballots import rules_of
from sync.inbox import Given, keep_all
from sync.links import join, undo_link
from sync.records.tables import (
    Ballot,
    Base,
    Capture,
    Change,
    Community,
    Household,
    Key,
    Link,
    Number,
    Opinion,
    Person,
    Reaction,
    Recording,
    Topic,
)
from sync.settle import settle_batch
from tests.sync.village import COMMUNITY, NOON, at

OVER = 50.0  # minutes: two topics close then
PEOPLE = {  # number, home, seat; accounts have neither
    "per_d": ("num_1", "hh_1", 1),
    "per_b": ("num_1", "hh_1", 2),
    "per_c": ("num_2", None, 1),
    "per_a": (None, None, 1),
    "per_e": (None, "hh_1", 1),
    "per_f": (None, None, 1),
}
TOPICS: Mapping[str, dict[str, Any]] = {
    "tp_open": {},
    "tp_over": {"opens_at": at(10), "closes_at": at(OVER), "rules": {"channel_rank": ["web", "phone"]}},
    "tp_homes": {"closes_at": at(OVER), "rules": {"counts": "households", "paper_outranks": True}},
    "tp_yard": {"opens_at": at(20), "rules": {"counts": "households"}},
}
SPEAKER = "per_f"  # an opinion's id follows from its first part: nobody else sends more of it
KINDS = ["ballot"] * 6 + ["reaction"] * 4 + ["opinion", "release", "opinion_dropped"]
OPINIONS = ("op_1", "op_2")
_DUMPED = (Ballot, Reaction, Opinion, Person)


@dataclass(frozen=True)
class Said:
    """One capture as it is sent, and when it was received."""

    given: Given
    received: float


@dataclass(frozen=True)
class Tie:
    """Two people are linked at a minute, and let go again at a later one, or never."""

    people: tuple[str, str]
    made: float
    undone: float | None


@dataclass(frozen=True)
class History:
    """All that happens, in no order but that of the links."""

    said: tuple[Said, ...]
    ties: tuple[Tie, ...]


@dataclass(frozen=True)
class Arrival:
    """How a history comes in: the captures before each minute's links, repeated ones too, and the crashes."""

    order: tuple[int, ...]
    cuts: tuple[int, ...]
    batch: int
    deaths: tuple[int, ...] = field(default_factory=tuple)


minutes = st.sampled_from([0.0, 10.0, 19.0, 20.0, 20.0, 30.0, 30.0, 49.9, 50.0, 60.0])


@st.composite
def said(draw: st.DrawFn, n: int) -> Said:
    """Anything that anybody may give, at moments that often fall together."""
    kind = draw(
        st.sampled_from(["ballot"] * 6 + ["reaction"] * 4 + ["opinion", "release", "opinion_dropped"])
    )
    cast = draw(minutes)
    payload: dict[str, Any] = {
        "choice": draw(st.sampled_from(["agree", "disagree", "pass", "no such choice"]))
    }
    if kind != "ballot":
        payload["opinion_id"] = draw(st.sampled_from(OPINIONS))
    if kind == "opinion":
        payload |= {"recordings": [f"rec_{draw(st.integers(1, 3))}"], "kind": "opinion"}
    if kind == "release":
        payload["release"] = draw(st.sampled_from(["none", "words", "voice"]))
    given = Given(
        source=draw(st.sampled_from(["exchange", "mini"])),
        source_id=f"{n}",
        community_id=COMMUNITY,
        person_id=SPEAKER if kind == "opinion" else draw(st.sampled_from(sorted(PEOPLE))),
        kind=kind,
        topic_id=draw(st.sampled_from(sorted(TOPICS))) if kind in {"ballot", "opinion"} else None,
        payload=payload,
        channel=draw(st.sampled_from(["phone", "web", "paper"])),
        evidence=draw(st.sampled_from(["caller_id", "none", "linked"])),
        is_practice=False,
        cast_at=at(cast),
    )
    return Said(given, cast - draw(st.sampled_from([3.0, 1.0, 0.0, -40.0])))  # three minutes ahead is too far


@st.composite
def histories(draw: st.DrawFn) -> History:
    """What some people give, and links made and undone in between."""
    ties = []
    for _ in range(draw(st.integers(0, 4))):
        pair = draw(st.lists(st.sampled_from(sorted(PEOPLE)), min_size=2, max_size=2, unique=True))
        made = draw(st.sampled_from([5.0, 25.0, 45.0, 50.0, 55.0]))
        undone = draw(st.sampled_from([None, None, 3.0, 10.0, 30.0]))
        ties.append(Tie((pair[0], pair[1]), made, None if undone is None else made + undone))
    count = draw(st.integers(1, 16))
    spoken = tuple(_opinion(n, opinion_id) for n, opinion_id in enumerate(OPINIONS, start=100))
    return History((*spoken, *(draw(said(n)) for n in range(count))), tuple(ties))


def _opinion(n: int, opinion_id: str) -> Said:
    payload = {"opinion_id": opinion_id, "recordings": [f"rec_{n - 99}"], "kind": "opinion"}
    plain = Given(
        "exchange", str(n), COMMUNITY, SPEAKER, "opinion", "tp_open", payload, "phone", "none", False, at(0)
    )  # fmt: skip
    return Said(plain, 0.0)


@st.composite
def arrivals(draw: st.DrawFn, history: History) -> Arrival:
    """Any order, any repetition, batches of any size, killed anywhere."""
    every = list(range(len(history.said)))
    again = draw(st.lists(st.sampled_from(every), max_size=6))
    order = draw(st.permutations(every + again))
    cuts = draw(st.lists(st.integers(0, len(order)), min_size=8, max_size=8).map(sorted))
    deaths = draw(st.lists(st.integers(1, 40), max_size=6))
    return Arrival(tuple(order), tuple(cuts), draw(st.sampled_from([1, 2, 5, 500])), tuple(deaths))


def plainly(history: History) -> Arrival:
    """Everything at once, at the end, in the order given."""
    return Arrival(tuple(range(len(history.said))), (0,) * 8, 500)


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


def happen(archive: Archive, history: History, arrival: Arrival) -> bytes:
    """Let a history happen in an empty hamlet; all its records as bytes."""
    _empty(archive)
    _settle_down(archive)
    deaths = list(arrival.deaths)
    acts = sorted(_acts(history), key=lambda act: act[0])
    sent, made = 0, dict[int, str]()
    for (minute, n, is_made), cut in zip(acts, (*arrival.cuts, *arrival.cuts), strict=False):
        sent = _come_in(archive, history, arrival, sent, cut, minute, deaths)
        _survive(archive, deaths, lambda n=n, m=is_made, t=minute: _relink(archive, history, made, n, m, t))
    _come_in(archive, history, arrival, sent, len(arrival.order), 2_000, deaths)
    return dump(archive)


def _acts(history: History) -> Iterator[tuple[float, int, bool]]:
    for n, tie in enumerate(history.ties):
        yield tie.made, n, True
        if tie.undone is not None:
            yield tie.undone, n, False


def _relink(
    archive: Archive, history: History, made: dict[int, str], n: int, is_made: bool, minute: float
) -> None:
    with archive.database.begin() as session:
        if is_made:
            link = join(session, archive, history.ties[n].people, "code", "phone", at(minute))
            link_id = link.id if isinstance(link, Link) else ""
        elif made[n]:
            undo_link(session, archive, made[n], "desk", at(minute))
    if is_made:
        made[n] = link_id


def _come_in(
    archive: Archive,
    history: History,
    arrival: Arrival,
    sent: int,
    until: int,
    minute: float,
    deaths: list[int],
) -> int:
    """Captures up to `until` come in, each in its own transaction; the worker settles them as it can."""
    for n in arrival.order[sent:until]:
        one = history.said[n]
        with archive.database.begin() as session:
            keep_all(session, [one.given], at(one.received))
    while _survive(archive, deaths, lambda: settle_batch(archive, arrival.batch, now=at(minute))).taken:
        pass
    return max(sent, until)


def _survive(archive: Archive, deaths: list[int], act: Any) -> Any:
    """Do something; killed on the way, it is done again."""
    while deaths:
        try:
            with killed_after(archive, deaths.pop()):
                return act()
        except Killed:
            continue
    return act()


@contextmanager
def killed_after(archive: Archive, statements: int) -> Iterator[None]:
    """Whoever executes that many statements dies before the next."""
    left = [statements]

    def count(*_: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed

    event.listen(archive.database.engine, "before_cursor_execute", count)
    try:
        yield
    finally:
        event.remove(archive.database.engine, "before_cursor_execute", count)


def _empty(archive: Archive) -> None:
    with archive.database.begin() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))


def _settle_down(archive: Archive) -> None:
    """The hamlet's people, topics and recordings, under ids that are the same every time."""
    with archive.database.begin() as session:
        session.add(
            Community(
                id=COMMUNITY, name="村", dialled_number="+8657100000001", is_demo=False, created_at=NOON
            )
        )
        session.add(Key(id="key_1", wrapped=None, created_at=NOON))
        session.flush()
        session.add(Household(id="hh_1", community_id=COMMUNITY, reference="1"))
        session.add_all(
            Number(id=one, community_id=COMMUNITY, digest=one, key_id="key_1") for one in ("num_1", "num_2")
        )
        session.flush()
        for person_id, (number_id, household_id, seat) in PEOPLE.items():
            session.add(
                Person(
                    id=person_id, community_id=COMMUNITY, number_id=number_id, household_id=household_id,
                    seat=seat, key_id="key_1", created_at=NOON,
                )
            )  # fmt: skip
        for topic_id, columns in TOPICS.items():
            plain = {"owner": "desk", "title": "t", "text": "t", "state": "open", "created_at": NOON}
            session.add(Topic(id=topic_id, community_id=COMMUNITY, **plain | columns))
        session.flush()
        for n in (1, 2, 3):
            session.add(
                Recording(
                    id=f"rec_{n}", community_id=COMMUNITY, person_id="per_a", sid=f"{n}", line="exchange",
                    created_at=NOON,
                )
            )  # fmt: skip


def dump(archive: Archive) -> bytes:
    """Every record that captures make, what became of every capture, and what the changes say is there."""
    found: dict[str, Any] = {}
    with archive.database.read() as session:
        for table in _DUMPED:
            columns = table.__table__.columns
            rows = session.execute(select(table.__table__).order_by("id")).mappings()
            found[table.__tablename__] = [{one.name: str(row[one.name]) for one in columns} for row in rows]
        outcomes = select(Capture.source, Capture.source_id, Capture.state, Capture.problem)
        found["outcomes"] = sorted([*map(str, row)] for row in session.execute(outcomes))
        alive: dict[str, bool] = {}
        for change in session.scalars(select(Change).order_by(Change.xact, Change.id)):
            alive[f"{change.record} {change.record_id}"] = change.act != "deleted"
        found["told"] = sorted(one for one, is_alive in alive.items() if is_alive)
    return json.dumps(found, sort_keys=True, indent=1).encode()


def expected_ballots(archive: Archive, history: History) -> set[tuple[str, str, str, str]]:
    """(topic, person, choice, source id) of every standing ballot, by the pure rules alone."""
    with archive.database.read() as session:
        topics = {topic.id: topic for topic in session.scalars(select(Topic))}
        links = [
            (one.person_id, one.other_id, one.made_at, one.undone_at) for one in session.scalars(select(Link))
        ]
    found = set()
    for topic_id, topic in topics.items():
        rules, moment = rules_of(topic), topic.closes_at
        root_of = merge.roots((a, b) for a, b, made, undone in links if merge.stood_at(made, undone, moment))
        ballots = [
            _as_ballot(one, root_of, rules)
            for one in history.said
            if one.given.kind == "ballot" and one.given.topic_id == topic_id and _counts(one, rules)
        ]
        for ballot in merge.merge_ballots(ballots, [], rules):
            found.add((topic_id, ballot.person_id, ballot.choice, ballot.source_id))
    return found


def _counts(one: Said, rules: merge.Rules) -> bool:
    given = one.given
    is_inside = merge.window_of(given.cast_at, rules) == "inside"
    return (
        is_inside
        and not merge.is_ahead(given.cast_at, at(one.received))
        and given.payload["choice"] in rules.choices
    )


def _as_ballot(one: Said, root_of: Mapping[str, str], rules: merge.Rules) -> merge.Ballot:
    given = one.given
    number_id, household_id, _ = PEOPLE[given.person_id]
    root = root_of.get(given.person_id, given.person_id)
    members: dict[str, list[str]] = defaultdict(list)
    for person_id, as_whom in root_of.items():
        members[as_whom].append(person_id)
    if given.person_id in root_of:
        household_id = merge.common_home((who, *PEOPLE[who][:2]) for who in members[root])
    return merge.Ballot(
        merge.voter_of(rules, root, number_id, household_id), given.person_id, given.payload["choice"],
        given.cast_at, at(one.received), given.channel, given.evidence, False, given.source, given.source_id,
    )  # fmt: skip


__all__ = ["Arrival", "History", "Said", "Tie", "arrivals", "happen", "histories", "plainly"]
