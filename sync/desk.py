"""What staff do to records: approve, reject, correct, classify, reply, publish; each act is audited."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from speech.purpose import PURPOSES
from speech.redact import redact
from sync.acting import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.archive import Archive
from sync.changes import note
from sync.community_settings import audit
from sync.corrections import note_correction
from sync.learning import CATEGORY, PURPOSE, learn_choice, learn_words
from sync.matters import OPEN, tell_all
from sync.records.tables import (
    Assignment,
    Opinion,
    Person,
    ProgressUpdate,
    Reply,
    Topic,
    Transcript,
    new_id,
)
from sync.searching import index_words
from sync.sorting import labels_of, sorting_of
from sync.unsaid import heard_as, unsay
from sync.words import MACHINE, meaning_of, sort_anew, transcript_name

__all__ = [
    "LONGEST_SPOKEN", "LONGEST_TEXT", "Actor", "ChangedMeanwhile", "DeskError", "NotThere", "acting_on",
    "approve", "changed", "classify", "correct", "mean", "publish_in", "publish_progress", "put_back",
    "reject", "reply", "reply_in", "retopic",
]  # fmt: skip

LONGEST_SPOKEN = 300  # characters: about two minutes of speech
LONGEST_TEXT = 5000


def approve(
    archive: Archive, actor: Actor, opinion_id: str, now: datetime, version: int | None = None
) -> None:
    """Let the redacted words out: to platforms, and to neighbours where their speaker allowed it."""
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        if not (latest := _latest(session, opinion_id)) or not latest.redacted:
            raise DeskError("first type what was said: there are no words to approve", "no_words_yet")
        changed(session, actor, opinion, "approved", now, state="approved")


def reject(
    archive: Archive, actor: Actor, opinion_id: str, reason: str, now: datetime, version: int | None = None
) -> None:
    """Keep the words back. It still counts, can be answered, and can be approved later."""
    if not reason.strip():
        raise DeskError("a rejection needs a reason", "reason_needed")
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        changed(session, actor, opinion, "rejected", now, reason=reason.strip()[:500], state="rejected")


def put_back(
    archive: Archive, actor: Actor, opinion_id: str, now: datetime, version: int | None = None
) -> None:
    """Undo an approval or a rejection: it waits for review again."""
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        if opinion.state not in {"approved", "rejected"}:
            raise DeskError("nobody has decided about it yet", "nothing_to_undo")
        changed(session, actor, opinion, "put_back", now, state="review")


def correct(
    archive: Archive,
    actor: Actor,
    opinion_id: str,
    text: str,
    now: datetime,
    version: int | None = None,
    public: str | None = None,
) -> int:
    """Write what was really said as a new version; returns its number. `public`: what others may read.

    Earlier versions stay. It is sorted anew, but for what a person chose. An opinion that was approved goes
    back to review: nobody has approved these words.
    """
    words = _bounded(text, LONGEST_TEXT)
    shown = redact(_bounded(public, LONGEST_TEXT) if public is not None else words).text
    with archive.database.read() as session:
        sorting = sorting_of(session, archive, actor.community_id)
    meaning = meaning_of(words, shown, sorting)
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        number = _next_version(session, opinion_id)
        _write(session, archive, opinion, actor, number, words, shown, now)
        index_words(session, archive, opinion.id, opinion.community_id, words)
        learn_words(session, opinion, _machines(session, opinion_id), shown, actor.id, now)
        note_correction(session, archive, opinion, words, now)
        sort_anew(session, archive, opinion, meaning, now)
        opinion.needs_listening, opinion.problem = False, None
        changed(session, actor, opinion, "corrected", now, state="review", transcript=number)
        return number


def classify(
    archive: Archive, actor: Actor, opinion_id: str, category: str, now: datetime, version: int | None = None
) -> None:
    """Put an opinion into another category than the machine did, or confirm the machine's.

    DeskError `unknown_category` for one that its community has not.
    """
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        if category not in labels_of(session, opinion.community_id):
            raise DeskError("there is no such category", "unknown_category")
        before = opinion.category or ""
        learn_choice(session, opinion, CATEGORY, before, category, actor.id, now)
        opinion.category, opinion.category_confidence = category, 1.0
        changed(session, actor, opinion, "classified", now, before=before, after=category)


def mean(
    archive: Archive, actor: Actor, opinion_id: str, purpose: str, now: datetime, version: int | None = None
) -> None:
    """Say what a caller wants, or with "" that it is none of the six. DeskError `unknown_purpose`."""
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        if purpose not in ("", *PURPOSES):
            raise DeskError("there is no such kind of call", "unknown_purpose")
        before = opinion.purpose or ""
        learn_choice(session, opinion, PURPOSE, before, purpose, actor.id, now)
        opinion.purpose, opinion.purpose_confidence = purpose or None, 1.0
        changed(session, actor, opinion, "purposed", now, before=before, after=purpose)


def retopic(
    archive: Archive,
    actor: Actor,
    opinion_id: str,
    topic_id: str | None,
    now: datetime,
    version: int | None = None,
) -> None:
    """Put an opinion to another topic of its community, or to none: then it is a message."""
    with acting_on(archive, actor, opinion_id, version) as (session, opinion):
        topic = session.get(Topic, topic_id) if topic_id else None
        if topic_id and (topic is None or topic.community_id != actor.community_id):
            raise NotThere("there is no such topic", "not_there")
        before, opinion.topic_id = opinion.topic_id, topic_id or None
        if before != opinion.topic_id and heard_as(opinion) != "none":
            unsay(session, opinion.community_id, now)
        opinion.kind = "opinion" if opinion.topic_id else "message"
        changed(session, actor, opinion, "put_to_topic", now, before=before, after=opinion.topic_id)


def reply(
    archive: Archive, actor: Actor, opinion_id: str, spoken: str, now: datetime, is_private: bool = False
) -> str:
    """Answer an opinion; its speaker hears it on the next call, and so does everybody of the same matter.

    A private one is for its speaker alone. Returns the reply's id.
    """
    words = _bounded(spoken, LONGEST_SPOKEN)
    with acting_on(archive, actor, opinion_id, None) as (session, opinion):
        return reply_in(session, actor, opinion, words, now, is_private)


def reply_in(
    session: Session, actor: Actor, opinion: Opinion, words: str, now: datetime, is_private: bool = False
) -> str:
    """The same within a session, of an opinion that it has locked; the words are bounded already."""
    answer = Reply(
        id=new_id("re"),
        opinion_id=opinion.id,
        community_id=opinion.community_id,
        spoken=words,
        is_private=is_private,
        published_at=now,
        published_by=actor.id,
    )
    session.add(answer)
    session.execute(update(Assignment).where(Assignment.opinion_id == opinion.id).values(settled_at=now))
    note(session, "reply", answer.id, opinion.community_id, "created", now, opinion_id=opinion.id)
    tell_all(session, answer)
    opinion.stage = "answered"
    changed(session, actor, opinion, "replied", now, reply=answer.id)
    return answer.id


def publish_progress(
    archive: Archive, actor: Actor, topic_id: str, stage: str, spoken: str, text: str, now: datetime
) -> str:
    """Say what became of a topic: one spoken sentence, and the whole text for platforms. Returns its id."""
    sentence, whole = _bounded(spoken, LONGEST_SPOKEN), _bounded(text or spoken, LONGEST_TEXT)
    with archive.database.begin() as session:
        topic = session.get(Topic, topic_id)
        if topic is None or topic.community_id != actor.community_id:
            raise NotThere("there is no such topic", "not_there")
        return publish_in(session, actor, topic, _bounded(stage, 40), sentence, whole, now).id


def publish_in(
    session: Session, actor: Actor, topic: Topic, stage: str, sentence: str, whole: str, now: datetime
) -> ProgressUpdate:
    """The same within a session. Without a sentence ("") the phone says nothing until staff word it."""
    update = ProgressUpdate(
        id=new_id("pu"),
        topic_id=topic.id,
        community_id=topic.community_id,
        stage=stage,
        spoken=sentence,
        text=whole,
        published_at=now,
        published_by=actor.id,
    )
    session.add(update)
    note(session, "progress", update.id, topic.community_id, "created", now, topic_id=topic.id)
    audit(session, topic.community_id, actor.id, "progress.published", topic.id, progress=update.id)
    return update


@contextmanager
def acting_on(
    archive: Archive, actor: Actor, opinion_id: str, version: int | None
) -> Iterator[tuple[Session, Opinion]]:
    """The opinion, locked, in the transaction of one act.

    Raises NotThere, ChangedMeanwhile where its version is another, DeskError where it was taken back.
    """
    with archive.database.begin() as session:
        opinion = session.get(Opinion, opinion_id, with_for_update=True)
        if opinion is None or opinion.community_id != actor.community_id:
            raise NotThere("there is no such opinion", "not_there")
        if opinion.state not in OPEN:
            raise DeskError("its speaker has taken it back", "taken_back")
        if version is not None and version != opinion.version:
            raise ChangedMeanwhile("somebody else has just changed it: look again", "changed_meanwhile")
        yield session, opinion


def changed(
    session: Session,
    actor: Actor,
    opinion: Opinion,
    act: str,
    now: datetime,
    reason: str | None = None,
    state: str | None = None,
    **details: Any,
) -> None:
    """Count the version up, tell platforms, write down who did what, and silence what may not be heard."""
    before, opinion.state = heard_as(opinion), state or opinion.state
    if heard_as(opinion) != before != "none":
        unsay(session, opinion.community_id, now)
    opinion.version += 1
    note(session, "opinion", opinion.id, opinion.community_id, "updated", now, state=opinion.state, **details)
    audit(session, opinion.community_id, actor.id, f"opinion.{act}", opinion.id, reason, **details)


def _write(
    session: Session,
    archive: Archive,
    opinion: Opinion,
    actor: Actor,
    number: int,
    words: str,
    shown: str,
    now: datetime,
) -> None:
    latest = _latest(session, opinion.id)
    key_id = session.get_one(Person, opinion.person_id).key_id
    sealed = archive.keyring.seal(session, key_id, words.encode(), transcript_name(opinion.id, number))
    session.add(
        Transcript(
            opinion_id=opinion.id,
            version=number,
            sealed_text=sealed,
            redacted=shown,
            confidence=1.0,
            language=latest.language if latest else "zh",
            engine="person",
            speech_seconds=latest.speech_seconds if latest else 0.0,
            made_by=actor.id,
            made_at=now,
        )
    )


def _latest(session: Session, opinion_id: str) -> Transcript | None:
    newest = select(Transcript).where(Transcript.opinion_id == opinion_id).order_by(Transcript.version.desc())
    return session.scalar(newest.limit(1))


def _machines(session: Session, opinion_id: str) -> str:
    """What the machine heard, as it might be published; "" where it heard nothing or a person wrote it."""
    first = session.get(Transcript, (opinion_id, MACHINE))
    return (first.redacted or "") if first is not None and first.made_by == "machine" else ""


def _next_version(session: Session, opinion_id: str) -> int:
    """Version 1 stays the machine's, even where it has not come to it yet."""
    query = select(func.max(Transcript.version)).where(Transcript.opinion_id == opinion_id)
    return (session.scalar(query) or MACHINE) + 1


def _bounded(text: str, longest: int) -> str:
    words = text.strip()
    if not words:
        raise DeskError("something has to be said", "nothing_said")
    if len(words) > longest:
        raise DeskError(f"at most {longest} characters", "too_long", longest)
    if "\x00" in words:
        raise DeskError("these are not words", "not_words")
    return words
