"""Ballots: which capture counts, whose it is, and the one that stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields

from sqlalchemy.engine import RowMapping

from sync import merge
from sync.counted import counted_at
from sync.merge import Rules
from sync.pending import Batch, Giver, Outcome, Pending
from sync.records.tables import Ballot, Topic, record_id
from sync.standing import Columns, write_standing

_FIELDS = tuple(field.name for field in fields(merge.Ballot))


def rules_of(topic: Topic) -> Rules:
    """A topic's rules, with what it doesn't say filled in."""
    said = topic.rules or {}
    named = frozenset(str(choice) for choice, _ in topic.options)
    return Rules(
        choices=named or Rules().choices,
        counts="households" if said.get("counts") == "households" else "persons",
        opens_at=topic.opens_at,
        closes_at=topic.closes_at,
        channel_rank=tuple(said.get("channel_rank", ())),
        paper_outranks=bool(said.get("paper_outranks", False)),
    )


def may_name(topic: Topic) -> bool:
    """Whether staff may see who chose what, by home or roster; platforms never do.

    Of an anonymous topic, which is the usual, nobody's choice is told to anybody.
    """
    return bool((topic.rules or {}).get("named", False))


def ballot_id(topic_id: str, voter_id: str) -> str:
    """The id of a voter's ballot on a topic."""
    return record_id("bal", topic_id, voter_id)


def apply_ballots(batch: Batch, captures: Iterable[Pending]) -> None:
    """Make the ballots that `captures` cast stand, each in its topic; early and late ones stay as history."""
    rules = {topic_id: rules_of(topic) for topic_id, topic in batch.topics.items()}
    topics_of: dict[str, str] = {}
    casts: dict[str, list[merge.Ballot]] = defaultdict(list)
    inside: dict[str, list[Pending]] = defaultdict(list)
    for capture in captures:
        topic = batch.topics.get(capture.topic_id or "")
        outcome = judge(capture, topic, rules.get(capture.topic_id or ""))
        batch.outcomes[capture.id] = outcome
        if outcome[0] == "merged" and topic is not None:
            inside[topic.id].append(capture)
    for topic_id, kept in inside.items():
        people = voters_on(batch, batch.topics[topic_id], kept)
        for capture in kept:
            ballot = cast(capture, rules[topic_id], people[capture.person_id])
            row_id = ballot_id(topic_id, ballot.voter_id)
            topics_of[row_id] = topic_id
            casts[row_id].append(ballot)
    stand(batch, casts, topics_of, rules)


def judge(capture: Pending, topic: Topic | None, rules: Rules | None) -> Outcome:
    """What becomes of one ballot: merged, refused, early or late; and why."""
    if topic is None or rules is None or topic.community_id != capture.community_id:
        return "refused", "unknown_topic"
    if topic.state == "draft":
        return "refused", "topic_not_open"
    if capture.payload.get("choice") not in rules.choices:
        return "refused", "unknown_choice"
    match merge.window_of(capture.cast_at, rules):
        case "early":
            return "early", "before_opening"
        case "late":
            return "late", "after_close"
        case "inside":
            return "merged", None


def voters_on(batch: Batch, topic: Topic, captures: Iterable[Pending]) -> Mapping[str, Giver]:
    """Who gave these, as they count on this topic: by the links of its close, whatever our clock says now."""
    people = {capture.person_id: batch.people[capture.person_id] for capture in captures}
    if topic.closes_at is None:
        return people
    return counted_at(batch.session, topic.community_id, topic.closes_at, people)


def cast(capture: Pending, rules: Rules, giver: Giver) -> merge.Ballot:
    """The capture as a ballot of its voter."""
    return merge.Ballot(
        voter_id=giver.voter(rules),
        person_id=giver.id,
        choice=str(capture.payload["choice"]),
        cast_at=capture.cast_at,
        received_at=capture.received_at,
        channel=capture.channel,
        evidence=capture.evidence,
        is_practice=capture.is_practice,
        source=capture.source,
        source_id=capture.source_id,
    )


def stand(
    batch: Batch,
    casts: Mapping[str, Sequence[merge.Ballot]],
    topics_of: Mapping[str, str],
    rules: Mapping[str, Rules],
    is_recount: bool = False,
) -> None:
    """Let the greatest of what was cast stand, by ballot id; what stood competes too, but in a recount."""

    def decide(row_id: str, row: RowMapping | None, given: Iterable[merge.Ballot]) -> Columns | None:
        topic = batch.topics[topics_of[row_id]]
        ours = [] if row is None else [_standing(row)]
        (winner,) = merge.merge_ballots([] if is_recount else ours, given, rules[topic.id])
        if [winner] == ours:
            return None
        stood[row_id] = winner
        columns = {name: getattr(winner, name) for name in _FIELDS}
        return columns | {"topic_id": topic.id, "community_id": topic.community_id}

    stood: dict[str, merge.Ballot] = {}
    for row_id, act in write_standing(batch.session, Ballot, casts, decide).items():
        topic, ballot = batch.topics[topics_of[row_id]], stood[row_id]
        details = {"choice": ballot.choice, "channel": ballot.channel, "evidence": ballot.evidence}
        batch.changed("ballot", row_id, topic.community_id, act, topic_id=topic.id, **details)


def _standing(row: RowMapping) -> merge.Ballot:
    return merge.Ballot(**{name: row[name] for name in _FIELDS})
