"""Replies that staff speak: sealed as every recording, turned to words for the platforms, then published.

A caller hears the voice itself: its clip is filed under the words, as people's own recordings of prompts are.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from speech.audio import read_audio
from speech.errors import SpeechError
from speech.recognize import Recognizer
from speech.repair import repair
from sync.archive import Archive
from sync.community_settings import audit
from sync.desk import LONGEST_SPOKEN, Actor, DeskError, NotThere, acting_on, reply_in
from sync.errors import KeyDestroyed, RecordingMissing
from sync.records.tables import Community, Person, Recording, SpokenReply, new_id
from sync.sound import hints_for, unsealed
from sync.spoken_voices import drop

LOG = logging.getLogger("tingjian.spoken")
LONGEST_SECONDS = 120.0
_MOST_TRIES = 5


@dataclass(frozen=True)
class Draft:
    """A reply that was spoken and isn't published. `words` are the machine's; None while they are awaited."""

    id: str
    seconds: float
    words: str | None
    made_by: str
    made_at: datetime


def keep_spoken(archive: Archive, actor: Actor, opinion_id: str, wav: bytes, now: datetime) -> str:
    """Keep a spoken reply to an opinion, under its speaker's key; the draft's id.

    Raises as every act does, DeskError for what is no sound or too long, RecordsUnavailable on a full disk.
    """
    try:
        seconds = read_audio(wav, LONGEST_SECONDS).seconds
    except SpeechError as error:
        raise DeskError("that is no sound, or it is too long", "not_sound", int(LONGEST_SECONDS)) from error
    with acting_on(archive, actor, opinion_id, None) as (session, opinion):
        recording_id, spoken_id = new_id("rec"), new_id("sr")
        key_id = session.get_one(Person, opinion.person_id).key_id
        archive.recordings.put(recording_id, archive.keyring.seal(session, key_id, wav, recording_id))
        session.add(
            Recording(
                id=recording_id, community_id=opinion.community_id, person_id=opinion.person_id,
                sid=recording_id, line="desk", seconds=seconds, state="stored", is_claimed=True,
                file=recording_id, sha256=hashlib.sha256(wav).hexdigest(), created_at=now,
                acknowledged_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            SpokenReply(
                id=spoken_id, opinion_id=opinion.id, community_id=opinion.community_id,
                recording_id=recording_id, made_by=actor.id, made_at=now,
            )
        )  # fmt: skip
        audit(session, opinion.community_id, actor.id, "reply.spoken", opinion.id, draft=spoken_id)
    return spoken_id


def transcribe_spoken(archive: Archive, spoken_id: str, recognizer: Callable[[], Recognizer]) -> bool:
    """Turn a spoken reply into words; True when it has some now. Safe to repeat and to be killed.

    Raises SpeechError (not permanent) while the recognizer is away; after some tries staff type the words.
    """
    with archive.database.begin() as session:
        row = session.get(SpokenReply, spoken_id, with_for_update=True)
        if row is None or row.state != "waiting":
            return False
        row.tries += 1
        is_last = row.tries >= _MOST_TRIES
        sound, language, hints = _to_recognise(session, archive, row)
    try:
        heard = recognizer().transcribe(read_audio(sound), language, hints) if sound else None
        words = repair(heard, hints).text if heard else ""
    except SpeechError as error:
        if not error.permanent and not is_last:
            raise
        LOG.warning("spoken reply %s: left to be typed", spoken_id)
        words = ""
    with archive.database.begin() as session:
        row = session.get_one(SpokenReply, spoken_id, with_for_update=True)
        if row.state != "waiting":
            return False
        key_id = _key_of(session, row)
        try:
            row.sealed_text = archive.keyring.seal(session, key_id, words.encode(), row.id)
        except KeyDestroyed:
            return False
        row.state = "ready"
    return bool(words)


def publish_spoken(
    archive: Archive, actor: Actor, spoken_id: str, words: str, now: datetime, is_private: bool = False
) -> str:
    """Answer with a voice and the words it says; the reply's id. One that is published already stays so."""
    said = words.strip()
    if not said:
        raise DeskError("something has to be said", "nothing_said")
    if len(said) > LONGEST_SPOKEN:
        raise DeskError(f"at most {LONGEST_SPOKEN} characters", "too_long", LONGEST_SPOKEN)
    with archive.database.read() as session:
        opinion_id = _ours(session, actor, spoken_id).opinion_id
    with acting_on(archive, actor, opinion_id, None) as (session, opinion):
        row = session.get_one(SpokenReply, spoken_id, with_for_update=True)
        if row.reply_id is not None:
            return row.reply_id
        row.reply_id = reply_in(session, actor, opinion, said, now, is_private)
        row.state, row.sealed_text = "published", None
        return row.reply_id


def drop_spoken(archive: Archive, actor: Actor, spoken_id: str) -> None:
    """Throw a draft away, its sound too. A published one stays: that is for withdrawing a reply."""
    with archive.database.begin() as session:
        drop(session, _ours(session, actor, spoken_id))


def drafts(session: Session, archive: Archive, opinion_id: str) -> list[Draft]:
    """What was spoken in answer to an opinion and waits to be published, oldest first."""
    rows = session.execute(
        select(SpokenReply, Recording.seconds)
        .join(Recording, Recording.id == SpokenReply.recording_id)
        .where(SpokenReply.opinion_id == opinion_id, SpokenReply.state.in_(("waiting", "ready")))
        .order_by(SpokenReply.made_at)
    ).all()
    return [
        Draft(row.id, seconds or 0.0, _words(session, archive, row), row.made_by, row.made_at)
        for row, seconds in rows
    ]


def spoken_sound(session: Session, archive: Archive, actor: Actor, spoken_id: str) -> bytes:
    """The WAV of a spoken reply. Raises NotThere, KeyDestroyed, RecordingMissing."""
    row = _ours(session, actor, spoken_id)
    return unsealed(session, archive, session.get_one(Recording, row.recording_id))


def _to_recognise(session: Session, archive: Archive, row: SpokenReply) -> tuple[bytes, str, tuple[str, ...]]:
    community = session.get_one(Community, row.community_id)
    try:
        sound = unsealed(session, archive, session.get_one(Recording, row.recording_id))
    except (KeyDestroyed, RecordingMissing):
        sound = b""
    return sound, community.language, hints_for(session, community.id, None)


def _ours(session: Session, actor: Actor, spoken_id: str) -> SpokenReply:
    row = session.get(SpokenReply, spoken_id)
    if row is None or row.community_id != actor.community_id or row.state == "dropped":
        raise NotThere("there is no such reply", "not_there")
    return row


def _words(session: Session, archive: Archive, row: SpokenReply) -> str | None:
    if row.sealed_text is None:
        return None
    try:
        return archive.keyring.unseal(session, _key_of(session, row), row.sealed_text, row.id).decode()
    except KeyDestroyed:
        return None


def _key_of(session: Session, row: SpokenReply) -> str:
    recording = session.get_one(Recording, row.recording_id)
    return session.get_one(Person, recording.person_id).key_id
