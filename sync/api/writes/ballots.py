"""Ballots that residents cast on a platform."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.api.writes.captures import capture, keep_captures
from sync.api.writes.fields import past_moment, voice_in
from sync.ballots import rules_of
from sync.inbox import Given
from sync.merge import Rules
from sync.records.tables import Topic

MOST_BALLOTS = 500


def cast_ballots(session: Session, asked: Asked) -> Json:
    """Keep one ballot, or a batch: all of it or nothing. Early and late ones are kept, not counted.

    Problem 404 without the topic, 403 or 409 naming the ballot that won't do: its choice is none of the
    topic's, it comes from the future, its id was used for another.
    """
    topic = session.get(Topic, asked.record_id)
    if topic is None or topic.community_id != asked.caller.community_id or topic.state == "draft":
        raise Problem(404, "no such topic")
    is_batch, rules = "ballots" in asked.given, rules_of(topic)
    ballots = asked.given["ballots"] if is_batch else [asked.given]
    # Accounts are locked in one order, so that two batches never wait for each other.
    numbered = sorted(enumerate(ballots), key=lambda one: (one[1]["voice"]["account"], one[0]))
    return keep_captures(
        session,
        asked,
        [_ballot(session, asked, one, rules, f"ballots.{n}." if is_batch else "") for n, one in numbered],
    )


def _ballot(session: Session, asked: Asked, ballot: Json, rules: Rules, place: str) -> Given:
    choice = ballot["choice"]
    if choice not in rules.choices:
        raise Problem(409, f"{place}choice: one of {', '.join(sorted(rules.choices))}")
    cast_at = past_moment(asked, ballot, "cast_at", place)
    voice = voice_in(session, asked, ballot["voice"], place)
    source_id = f"ballot:{ballot['id']}"
    return capture(asked, "ballot", source_id, voice, {"choice": choice}, cast_at, asked.record_id)
