"""Topics that platforms bring and change, and what became of them."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.api.writes.moments import moment
from sync.ballots import rules_of
from sync.changes import note
from sync.desk import Actor, publish_in
from sync.records.tables import Topic, new_id
from sync.recount import recount
from sync.shown.topics import shown_topics, shown_update
from sync.topics import TopicRefused, one_line, write


def create_topic(session: Session, asked: Asked) -> Json:
    """Make a topic, owned by the platform; on the phone once it has a spoken title and background."""
    topic = Topic(
        id=new_id("tp"),
        community_id=asked.caller.community_id,
        owner=asked.caller.id,
        state="open",
        rules={},
        created_at=asked.now,
        version=1,
    )
    _write(topic, asked)
    session.add(topic)
    session.flush()
    note(session, "topic", topic.id, topic.community_id, "created", asked.now, version=topic.version)
    return _shown(session, asked, topic)


def change_topic(session: Session, asked: Asked) -> Json:
    """Change what the body names, of a topic the platform owns; null takes a window's edge or a rule away.

    What staff worded for the phone stays unless the body brings other spoken words. Every ballot is counted
    anew where choices, window or rules became others. Closing a topic ends its window at that moment.
    """
    topic = _owned(session, asked)
    before = rules_of(topic)
    _write(topic, asked)
    topic.version += 1
    session.flush()
    note(session, "topic", topic.id, topic.community_id, "updated", asked.now, version=topic.version)
    if rules_of(topic) != before:
        recount(session, asked.archive, topic.id, asked.now)
    return _shown(session, asked, topic)


def add_progress(session: Session, asked: Asked) -> Json:
    """Say what became of a topic the platform owns; without `spoken` it waits for staff wording."""
    topic, given = _owned(session, asked), asked.given
    actor = Actor(asked.caller.id, asked.caller.community_id)
    sentence = one_line(given.get("spoken", ""))
    update = publish_in(session, actor, topic, given["stage"], sentence, given["text"], asked.now)
    return shown_update(update)


def _owned(session: Session, asked: Asked) -> Topic:
    """The topic of the path, locked. Problem 404 without it, 409 where it is another's."""
    topic = session.get(Topic, asked.record_id, with_for_update=True)
    if topic is None or topic.community_id != asked.caller.community_id or topic.state == "draft":
        raise Problem(404, "no such topic")
    if topic.owner != asked.caller.id:
        raise Problem(409, "another owns this topic: its owner alone changes it")
    return topic


def _write(topic: Topic, asked: Asked) -> None:
    given = dict(asked.given)
    given |= {name: moment(given, name) for name in ("opens_at", "closes_at") if name in given}
    try:
        write(topic, given, asked.now)
    except TopicRefused as error:
        raise Problem(409, str(error)) from error


def _shown(session: Session, asked: Asked, topic: Topic) -> Json:
    return shown_topics(session, [topic], asked.now)[0]
