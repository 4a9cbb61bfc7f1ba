"""The rules by which many channels become one record. Pure: any order, any repetition, the same result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import reduce
from itertools import chain
from typing import Literal

AHEAD = timedelta(minutes=2)  # how far a channel's clock may run before ours
AGREE, DISAGREE, PASS = "agree", "disagree", "pass"
PAPER = "paper"

Window = Literal["inside", "early", "late"]
Order = tuple[bool, datetime, int, str, str]


@dataclass(frozen=True)
class Rules:
    """How one topic counts. `channel_rank` names channels from the weakest to the strongest."""

    choices: frozenset[str] = frozenset({AGREE, DISAGREE, PASS})
    counts: Literal["persons", "households"] = "persons"
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    channel_rank: tuple[str, ...] = ()
    paper_outranks: bool = False


@dataclass(frozen=True)
class Ballot:
    """One choice as a channel gave it, on whatever is chosen about (a topic, an opinion)."""

    voter_id: str
    person_id: str
    choice: str
    cast_at: datetime
    received_at: datetime
    channel: str
    evidence: str
    is_practice: bool
    source: str
    source_id: str


@dataclass(frozen=True)
class Utterance:
    """What a channel says of one opinion: a part of it, how it may be heard, or that it is taken back.

    `speaker` is who said it: their telephone where one is known, else the person.
    """

    act: Literal["opinion", "release", "opinion_dropped"]
    speaker: str
    cast_at: datetime
    channel: str
    source: str
    source_id: str
    recordings: tuple[str, ...] = ()
    release: str = "none"


@dataclass(frozen=True)
class Whole:
    """An opinion put together. `first` is the part that began it; `strangers` are those who don't own it."""

    first: Utterance
    recordings: tuple[str, ...] = ()
    release: str = "none"
    is_withdrawn: bool = False
    strangers: frozenset[tuple[str, str]] = field(default_factory=frozenset)


def is_ahead(cast_at: datetime, received_at: datetime) -> bool:
    """Whether a clock ran so far ahead that its moment can't be believed."""
    return cast_at > received_at + AHEAD


def window_of(cast_at: datetime, rules: Rules) -> Window:
    """Whether a ballot was cast while the topic was open: from `opens_at` on, until before `closes_at`."""
    if rules.opens_at is not None and cast_at < rules.opens_at:
        return "early"
    if rules.closes_at is not None and cast_at >= rules.closes_at:
        return "late"
    return "inside"


def order(given: Ballot | Utterance, rules: Rules) -> Order:
    """The one total order: the greatest stands. Strings compare by code point on every database."""
    rank = rules.channel_rank.index(given.channel) if given.channel in rules.channel_rank else -1
    outranks = rules.paper_outranks and given.channel == PAPER
    return outranks, given.cast_at, rank, given.source, given.source_id


def merge_ballots(
    ours: Iterable[Ballot], theirs: Iterable[Ballot], rules: Rules = Rules()
) -> frozenset[Ballot]:
    """One ballot per voter: the last one cast stands; ties go by channel rank, source, source id."""
    standing: dict[str, Ballot] = {}
    for ballot in chain(ours, theirs):
        other = standing.get(ballot.voter_id)
        standing[ballot.voter_id] = ballot if other is None else later(other, ballot, rules)
    return frozenset(standing.values())


def later(one: Ballot, other: Ballot, rules: Rules = Rules()) -> Ballot:
    """The one of two ballots that stands."""
    return max(one, other, key=lambda ballot: order(ballot, rules))


def voter_of(rules: Rules, person_id: str, number_id: str | None, household_id: str | None) -> str:
    """Who has one ballot: the person; or their home where homes count, known by roster or telephone.

    For somebody linked `person_id` is their root, `household_id` their common home.
    """
    if rules.counts == "households":
        return household_id or number_id or person_id
    return person_id


def roots(links: Iterable[tuple[str, str]]) -> dict[str, str]:
    """As whom each linked person counts: the smallest id among all they are linked to, however far."""
    found: dict[str, str] = {}
    for one, other in links:
        old, new = sorted((found.setdefault(one, one), found.setdefault(other, other)), reverse=True)
        if old != new:
            found |= {person: new for person, root in found.items() if root == old}
    return found


def common_home(members: Iterable[tuple[str, str | None, str | None]]) -> str:
    """The one home of linked (person, number, household): by roster if any is on it, else by telephone.

    Of several the smallest person's; whose neither is known have their root for a home.
    """
    ordered = sorted(members)
    households = [household for _, _, household in ordered if household is not None]
    numbers = [number for _, number, _ in ordered if number is not None]
    return [*households, *numbers, ordered[0][0]][0]


def stood_at(made_at: datetime, undone_at: datetime | None, moment: datetime | None) -> bool:
    """Whether a link counts where people are counted at `moment`, a topic's close; None: as they are now."""
    if moment is None:
        return undone_at is None
    return made_at < moment and (undone_at is None or undone_at >= moment)


def merge_opinion(utterances: Iterable[Utterance], owner: str | None = None) -> Whole | None:
    """The opinion that all its parts make, recordings in the order said; None before its first part.

    `owner` is the speaker known to have said it; where none is known yet, whoever said the first part.
    Taken back once is taken back for good.
    """
    ordered = sorted(set(utterances), key=lambda one: order(one, Rules()))
    parts = [one for one in ordered if one.act == "opinion" and owner in (None, one.speaker)]
    if not parts:
        return None
    owned = [one for one in ordered if one.speaker == parts[0].speaker]
    return reduce(_extend, owned, Whole(parts[0], strangers=_keys(ordered) - _keys(owned)))


def _extend(whole: Whole, said: Utterance) -> Whole:
    match said.act:
        case "opinion":
            joined = dict.fromkeys(whole.recordings + said.recordings)  # each once, where it first came
            return replace(whole, recordings=tuple(joined))
        case "release":
            return replace(whole, release=said.release)
        case "opinion_dropped":
            return replace(whole, is_withdrawn=True)


def _keys(utterances: Iterable[Utterance]) -> frozenset[tuple[str, str]]:
    return frozenset((one.source, one.source_id) for one in utterances)
