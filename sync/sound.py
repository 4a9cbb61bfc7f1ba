"""The sound of an opinion: its segments unsealed and joined, and the words that are likely to be in it."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from speech.audio import Audio, join, read_audio
from speech.errors import SpeechError
from sync import problems
from sync.archive import Archive
from sync.errors import RecordingMissing
from sync.learning import taught_words
from sync.records.tables import Community, Opinion, OpinionRecording, Person, Recording, Setting, Topic

LOG = logging.getLogger("tingjian.sound")
_GAP_SECONDS = 0.3  # between segments, so that words don't run together where the tone was


@dataclass(frozen=True)
class Spoken:
    """What there is to recognise. `sound` is None where no segment can be read; `parts` counts segments."""

    opinion_id: str
    language: str
    hints: tuple[str, ...]
    sound: Audio | None
    parts: int
    problem: str | None


def gather(session: Session, archive: Archive, opinion_id: str) -> Spoken:
    """All that can be read of an opinion's sound. Raises KeyDestroyed, RecordsUnavailable."""
    opinion = session.get_one(Opinion, opinion_id)
    community = session.get_one(Community, opinion.community_id)
    parts = segments(session, opinion_id)
    found = [_sound(session, archive, recording) for recording in parts]
    sounds = [one for one in found if isinstance(one, Audio)]
    wrong = [one for one in found if isinstance(one, str)]
    return Spoken(
        opinion_id,
        community.language,
        hints_for(session, community.id, opinion.topic_id),
        join(sounds, gap_seconds=_GAP_SECONDS) if sounds else None,
        len(parts),
        problems.MISSING if not parts else (wrong[0] if wrong else None),
    )


def segments(session: Session, opinion_id: str) -> list[Recording]:
    """The recordings of an opinion, in order."""
    return list(
        session.scalars(
            select(Recording)
            .join(OpinionRecording, OpinionRecording.recording_id == Recording.id)
            .where(OpinionRecording.opinion_id == opinion_id)
            .order_by(OpinionRecording.part)
        )
    )


def unsealed(session: Session, archive: Archive, recording: Recording) -> bytes:
    """The bytes of a stored recording. Raises KeyDestroyed, RecordingMissing, RecordsUnavailable."""
    person = session.get_one(Person, recording.person_id)
    sealed = archive.recordings.get(recording.file or recording.id)
    return archive.keyring.unseal(session, person.key_id, sealed, recording.id)


def hints_for(session: Session, community_id: str, topic_id: str | None) -> tuple[str, ...]:
    """Words that are likely to be said: the topic's own, the setting `vocabulary`, what was corrected."""
    topic = session.get(Topic, topic_id) if topic_id else None
    own = [topic.spoken_title or topic.title, *(label for _, label in topic.options)] if topic else []
    setting = session.get(Setting, (community_id, "vocabulary"))
    listed = setting.value if setting is not None and isinstance(setting.value, list) else []
    taught = taught_words(session, community_id)
    return tuple(dict.fromkeys(str(word) for word in (*own, *listed, *taught) if word))


def _sound(session: Session, archive: Archive, recording: Recording) -> Audio | str:
    """The sound of one segment, or what is wrong with it."""
    if recording.state == "broken":
        return problems.BROKEN
    if recording.state != "stored" or recording.file is None:
        return problems.MISSING
    try:
        return read_audio(unsealed(session, archive, recording))
    except SpeechError:
        return problems.BROKEN
    except RecordingMissing:
        LOG.error("recording %s: its file is not in the store", recording.id)
        return problems.MISSING
