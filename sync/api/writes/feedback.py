"""What residents say on a platform, take back, think of each other's words; and what they are answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.accounts import Voice, known_person
from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.api.writes.captures import capture, is_same, keep_captures, kept_before, used_otherwise
from sync.api.writes.moments import past_moment
from sync.api.writes.voices import voice_in
from sync.community_settings import setting
from sync.desk import Actor, reply_in
from sync.errors import KeyDestroyed
from sync.inbox import Given, keep
from sync.matters import OPEN
from sync.receipts import allot
from sync.records.tables import Capture, Community, Opinion, Person, Topic, record_id
from sync.typed import seal_words, unsealed_words

_GONE = ("withdrawn", "erased")


def give_feedback(session: Session, asked: Asked) -> Json:
    """Keep what somebody wrote: sealed at once, then redacted and categorised by a worker like spoken words.

    Answers with our id of it and the receipt, which the platform shows to its user: on the phone it finds the
    answer. Problem 404 for a topic there is none of, 409 for an id under which something else was kept.
    """
    given, source_id = asked.given, f"feedback:{asked.given['id']}"
    topic_id = given.get("topic_id")
    if topic_id is not None:
        _check_topic(session, asked, topic_id)
    said_at = past_moment(asked, given, "said_at")
    voice = voice_in(session, asked, given["voice"])
    opinion_id = record_id("op", asked.caller.id, source_id)
    payload = {"opinion_id": opinion_id, "recordings": [], "kind": given.get("kind", "opinion")}
    said = capture(asked, "opinion", source_id, voice, payload, said_at, topic_id)
    if (before := kept_before(session, asked.caller.id, source_id)) is not None:
        return _known(session, asked, said, before)
    receipt = allot(session, asked.caller.community_id)
    sealed = seal_words(session, asked.archive, voice.person_id, opinion_id, given["text"])
    whole = capture(
        asked, "opinion", source_id, voice,
        payload | {"receipt": receipt, "sealed_text": sealed}, said_at, topic_id,
    )  # fmt: skip
    if not keep(session, whole, asked.now):  # another call with this id was quicker
        before = kept_before(session, asked.caller.id, source_id)
        assert before is not None
        return _known(session, asked, said, before)
    if given.get("release", "none") != "none":
        notice = str(setting(session, asked.caller.community_id, "notice_version") or "1")
        wish = {"opinion_id": opinion_id, "release": given["release"], "version": notice}
        keep(session, capture(asked, "release", f"{source_id}/release", voice, wish, said_at), asked.now)
    return {"id": opinion_id, "receipt": receipt}


def withdraw_feedback(session: Session, asked: Asked) -> Json:
    """Take feedback back, for the platform that brought it or for an account of the same person.

    Its words are deleted as soon as a worker comes to it; a tombstone tells every platform. Repeating it
    changes nothing. Problem 404 without the feedback, 403 for anybody else.
    """
    about = _about(session, asked)
    if about.source != asked.caller.id and not _is_theirs(session, asked, about):
        raise Problem(403, "only the platform that brought it, or the same person's account, takes it back")
    dropped = capture(
        asked, "opinion_dropped", f"withdrawal:{asked.record_id}", Voice(about.person_id, "none"),
        {"opinion_id": asked.record_id}, asked.now,
    )  # fmt: skip
    return keep_captures(session, asked, [dropped])


def react_to_feedback(session: Session, asked: Asked) -> Json:
    """Keep what somebody thinks of a neighbour's opinion. Problem 404 without it, 409 once taken back."""
    about, given = _about(session, asked), asked.given
    if about.state in _GONE:
        raise Problem(409, "it was taken back")
    cast_at = past_moment(asked, given, "cast_at")
    voice = voice_in(session, asked, given["voice"])
    payload = {"opinion_id": asked.record_id, "choice": given["choice"]}
    reaction = capture(asked, "reaction", f"reaction:{given['id']}", voice, payload, cast_at)
    return keep_captures(session, asked, [reaction])


def reply_to_feedback(session: Session, asked: Asked) -> Json:
    """Answer feedback; its speaker hears it on the next call, and so does everybody of the same matter.

    Problem 404 without the feedback; 409 for a platform that neither brought it nor owns its topic, once it
    is taken back, or (with Retry-After) until a worker has made a record of it.
    """
    about = _about(session, asked)
    topic = session.get(Topic, about.topic_id) if about.topic_id else None
    if asked.caller.id not in (about.source, topic.owner if topic is not None else None):
        raise Problem(409, "another answers this: whoever brought it or owns its topic")
    opinion = session.get(Opinion, asked.record_id, with_for_update=True)
    if opinion is None:
        raise Problem(409, "it is not settled yet; try again soon", {"Retry-After": "2"})
    if opinion.state not in OPEN:
        raise Problem(409, "it was taken back")
    actor = Actor(asked.caller.id, asked.caller.community_id)
    words = " ".join(asked.given["spoken"].split())
    return {"id": reply_in(session, actor, opinion, words, asked.now, asked.given.get("is_private", False))}


@dataclass(frozen=True)
class _About:
    """The feedback a call is about: whose it is, who brought it, where it stands."""

    person_id: str
    source: str
    topic_id: str | None
    state: str


def _about(session: Session, asked: Asked) -> _About:
    """What the id in the path means, settled or still in the inbox. Problem 404."""
    here = asked.caller.community_id
    opinion = session.get(Opinion, asked.record_id)
    if opinion is not None and opinion.community_id == here and _may_be_seen(session, opinion):
        return _About(opinion.person_id, opinion.source, opinion.topic_id, opinion.state)
    waits = select(Capture).where(
        Capture.subject_id == asked.record_id,
        Capture.kind == "opinion",
        Capture.source == asked.caller.id,
        Capture.state == "pending",
    )
    if opinion is None and (capture := session.scalar(waits.limit(1))) is not None:
        return _About(capture.person_id, capture.source, capture.topic_id, "waiting")
    raise Problem(404, "no such feedback")


def _may_be_seen(session: Session, opinion: Opinion) -> bool:
    return not opinion.is_practice or session.get_one(Community, opinion.community_id).is_demo


def _is_theirs(session: Session, asked: Asked, about: _About) -> bool:
    """Whether the account that the body names is of the person who said it."""
    voice: dict[str, Any] | None = asked.given.get("voice")
    if voice is None:
        return False
    person_id = known_person(session, asked.archive, asked.caller.id, voice["account"])
    return person_id is not None and _root(session, person_id) == _root(session, about.person_id)


def _root(session: Session, person_id: str) -> str:
    return session.get_one(Person, person_id).root_id or person_id


def _check_topic(session: Session, asked: Asked, topic_id: str) -> None:
    topic = session.get(Topic, topic_id)
    if topic is None or topic.community_id != asked.caller.community_id or topic.state == "draft":
        raise Problem(404, "topic_id: no such topic")


def _known(session: Session, asked: Asked, said: Given, before: Capture) -> Json:
    """What was answered to the same feedback before."""
    if not is_same(said, before) or not _has_words(session, asked, before):
        raise used_otherwise(said.source_id)
    return {"id": before.payload["opinion_id"], "receipt": before.payload.get("receipt")}


def _has_words(session: Session, asked: Asked, before: Capture) -> bool:
    """Whether the words are those kept before; of what was taken back nobody can tell any more."""
    sealed = before.payload.get("sealed_text")
    if sealed is None:
        return True
    key_id = session.get_one(Person, before.person_id).key_id
    try:
        kept = unsealed_words(session, asked.archive, key_id, before.payload["opinion_id"], sealed)
    except KeyDestroyed:
        return True
    return bool(kept == asked.given["text"])
