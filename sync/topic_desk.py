"""Topics as staff write them: drafted, opened, paused, closed, decided; nobody overwrites another unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.ballots import rules_of
from sync.changes import note
from sync.community_settings import audit
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Topic, new_id
from sync.recount import recount
from sync.topics import TopicRefused, write
from sync.wording import DESK

LONGEST_TITLE, LONGEST_TEXT, LONGEST_SPOKEN = 80, 5000, 400
MOST_OPTIONS = 4  # a menu of the telephone has no more
LONGEST_OPTION = 20

MOVES: Mapping[str, tuple[frozenset[str], str]] = {
    "open": (frozenset({"draft", "paused", "closed"}), "open"),
    "pause": (frozenset({"open"}), "paused"),
    "close": (frozenset({"open", "paused"}), "closed"),
    "decide": (frozenset({"open", "paused", "closed", "decided"}), "decided"),
}
"""Each act, the states it starts from and the state it leads to."""


def draft(archive: Archive, actor: Actor, given: Mapping[str, Any], now: datetime) -> str:
    """A new topic that nobody but staff can see yet; its id. DeskError as `change`."""
    _check(given)
    topic = Topic(
        id=new_id("tp"), community_id=actor.community_id, owner=DESK, state="draft", rules={}, options=[],
        created_at=now, version=1,
    )  # fmt: skip
    with archive.database.begin() as session, _told():
        topic.rank = (session.scalar(_last_rank(actor.community_id)) or 0) + 1
        write(topic, given, now)
        session.add(topic)
        session.flush()
        audit(session, actor.community_id, actor.id, "topic.drafted", topic.id)
    return topic.id


def change(
    archive: Archive, actor: Actor, topic_id: str, given: Mapping[str, Any], version: int, now: datetime
) -> None:
    """Write other words, options, rules or another window. What was voted is counted anew where it must be.

    DeskError for what is missing, too long or contradicts itself, and for a topic that a platform owns.
    """
    _check(given)
    with _topic(archive, actor, topic_id, version) as (session, topic):
        _write(session, archive, actor, topic, given, "topic.changed", now)


def move(
    archive: Archive, actor: Actor, topic_id: str, act: str, version: int, now: datetime, decision: str = ""
) -> None:
    """`open`, `pause`, `close` or `decide` a topic; deciding says what was decided. DeskError otherwise."""
    starts, state = MOVES[act]
    with _topic(archive, actor, topic_id, version) as (session, topic):
        if topic.state not in starts:
            raise DeskError("not from this state", "topic_not_now")
        given: dict[str, Any] = {"state": state}
        if act == "decide":
            given["decision"] = _said_or_refused(decision, "decision_missing", LONGEST_SPOKEN)
        if act == "open" and topic.state == "closed" and topic.closes_at and topic.closes_at <= now:
            given["closes_at"] = None  # open until somebody says otherwise
        _write(session, archive, actor, topic, given, f"topic.{act}", now)


def _write(
    session: Session,
    archive: Archive,
    actor: Actor,
    topic: Topic,
    given: Mapping[str, Any],
    act: str,
    now: datetime,
) -> None:
    before, was_draft = rules_of(topic), topic.state == "draft"
    write(topic, given, now)
    topic.version += 1
    session.flush()
    if topic.state != "draft":
        told = "created" if was_draft else "updated"
        note(session, "topic", topic.id, topic.community_id, told, now, version=topic.version)
    audit(session, topic.community_id, actor.id, act, topic.id, version=topic.version)
    if rules_of(topic) != before:
        recount(session, archive, topic.id, now)


@contextmanager
def _topic(archive: Archive, actor: Actor, topic_id: str, version: int) -> Iterator[tuple[Session, Topic]]:
    """The topic, locked, in the transaction of one act."""
    with archive.database.begin() as session, _told():
        topic = session.get(Topic, topic_id, with_for_update=True)
        if topic is None or topic.community_id != actor.community_id:
            raise NotThere("there is no such topic", "not_there")
        if topic.version != version:
            raise ChangedMeanwhile("somebody else has just changed it: look again", "changed_meanwhile")
        if topic.owner != DESK:
            raise DeskError("its platform alone changes it", "topic_not_ours")
        yield session, topic


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except TopicRefused as error:
        raise DeskError(str(error), error.code) from error


def _check(given: Mapping[str, Any]) -> None:
    _said_or_refused(given.get("title", ""), "title_missing", LONGEST_TITLE)
    _said_or_refused(given.get("text", ""), "text_missing", LONGEST_TEXT)
    for name in ("spoken_title", "spoken_background"):
        if len(given.get(name, "")) > LONGEST_SPOKEN:
            raise DeskError("too long to be heard", "too_long", LONGEST_SPOKEN)
    options = given.get("options", [])
    if len(options) == 1 or len(options) > MOST_OPTIONS:
        raise DeskError("two to four options, or none", "options_number")
    for _, label in options:
        _said_or_refused(label, "options_number", LONGEST_OPTION)


def _said_or_refused(text: str, code: str, longest: int) -> str:
    words = text.strip()
    if not words:
        raise DeskError("something is missing", code)
    if len(words) > longest:
        raise DeskError(f"at most {longest} characters", "too_long", longest)
    if "\x00" in words:
        raise DeskError("these are not words", "not_words")
    return words


def _last_rank(community_id: str) -> Any:
    return select(func.max(Topic.rank)).where(Topic.community_id == community_id)
