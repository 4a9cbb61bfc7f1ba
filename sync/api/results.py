"""What a topic counts to, with all that a platform needs to check and to explain the count."""

from __future__ import annotations

from collections import Counter
from datetime import MAXYEAR, datetime

from sqlalchemy.orm import Session

from sync.accounts import known_person
from sync.api.asked import Asked, Json
from sync.api.topics import topic_of
from sync.explain import what_was_given
from sync.records.tables import Topic
from sync.shown.topics import moment, shown_result
from sync.tally import Tally, has_voted, tallies


def topic_results(session: Session, asked: Asked) -> Json:
    """The result of one topic and how it came about. Problem 404 where there is no such topic.

    `account` says who wants to see it: some topics show their running result to those who have voted.
    """
    topic = topic_of(session, asked)
    count = tallies(session, [topic])[topic.id]
    result = shown_result(count, asked.now, _asks_a_voter(session, asked, topic))
    return {
        "topic_id": topic.id,
        "title": topic.title,
        "state": topic.state,
        "version": topic.version,
        "opens_at": moment(topic.opens_at),
        "closes_at": moment(topic.closes_at),
        "is_final": _is_final(topic, asked.now),
        "is_hidden": result is None,
        "shown_from": None if result is not None else _shown_from(count),
        "result": result,
        "counted": None if result is None else _counted(session, topic.id),
    }


def _asks_a_voter(session: Session, asked: Asked, topic: Topic) -> bool:
    account = asked.arguments.get("account")
    if not account:
        return False
    person_id = known_person(session, asked.archive, asked.caller.id, account)
    return person_id is not None and has_voted(session, topic.id, person_id)


def _is_final(topic: Topic, now: datetime) -> bool:
    """Whether no ballot that is cast from now on can count."""
    is_over = topic.closes_at is not None and topic.closes_at <= now
    return is_over or topic.state in {"closed", "decided"}


def _shown_from(count: Tally) -> str | None:
    """None where it is shown once the topic is closed, whenever that may be."""
    at = count.shown_from
    return None if at is None or at.year == MAXYEAR else at.isoformat()


def _counted(session: Session, topic_id: str) -> Json:
    """What became of everything that was given for this topic, on every channel."""
    states, channels, refused = Counter[str](), Counter[str](), Counter[str]()
    for one in what_was_given(session, topic_id):
        states[one.state] += one.ballots
        channels[one.channel] += one.ballots
        if one.state == "refused":
            refused[one.problem or "unknown"] += one.ballots
    return {
        "given": sum(states.values()),
        "by_channel": dict(sorted(channels.items())),
        "inside": states["merged"],
        "early": states["early"],
        "late": states["late"],
        "waiting": states["pending"],
        "practice": states["practice"],
        "refused": dict(sorted(refused.items())),
    }
