"""Ballots that residents cast on a platform."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.api.writes.captures import capture, keep_captures
from sync.api.writes.moments import past_moment
from sync.api.writes.voices import voices_in
from sync.ballots import rules_of
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
    places = [f"ballots.{n}." for n in range(len(ballots))] if is_batch else [""]
    moments = [_judged(asked, one, rules, place) for one, place in zip(ballots, places, strict=True)]
    said = [(one["voice"], place) for one, place in zip(ballots, places, strict=True)]
    voices = voices_in(session, asked, said)
    given = [
        capture(asked, "ballot", f"ballot:{one['id']}", voice, {"choice": one["choice"]}, cast_at, topic.id)
        for one, voice, cast_at in zip(ballots, voices, moments, strict=True)
    ]
    return keep_captures(session, asked, given)


def _judged(asked: Asked, ballot: Json, rules: Rules, place: str) -> datetime:
    """When a ballot that may be kept was cast."""
    if ballot["choice"] not in rules.choices:
        raise Problem(409, f"{place}choice: one of {', '.join(sorted(rules.choices))}")
    return past_moment(asked, ballot, "cast_at", place)
