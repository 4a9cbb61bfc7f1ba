"""Opinions at a desk that were really spoken: a stored recording, and words with the times they were said."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from admin.demo.seed import COMMUNITY_ID
from speech.audio import Audio, write_wav
from speech.recognize import Transcript as Heard
from speech.recognize import Word
from sync.archive import Archive
from sync.inbox import Given, keep
from sync.people import find_or_create_number, person_at
from sync.receipts import allot
from sync.records.tables import Person, Recording, new_id, record_id
from sync.settle import settle_batch
from sync.words import transcribe_opinion

RATE = 8000
SURE, DOUBTFUL = 0.95, 0.3


class Timed:
    """A recognizer that heard these words, half a second each; a word with `?` at its end is doubtful."""

    name = "timed"
    languages = frozenset({"zh"})

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Heard:
        said = [
            Word(word.rstrip("?"), n / 2, n / 2 + 0.5, DOUBTFUL if word.endswith("?") else SURE)
            for n, word in enumerate(self.words)
        ]
        text = "".join(word.text for word in said)
        return Heard(text, tuple(said), language, self.name, 0.9 if text else 0.0, audio.seconds)


def tone(seconds: float) -> bytes:
    """A soft tone as WAV that swells and fades, so that its wave has a shape."""
    at = np.arange(int(seconds * RATE)) / RATE
    swell = 0.4 * np.abs(np.sin(3 * at))
    return write_wav(Audio((swell * np.sin(2 * np.pi * 220 * at)).astype(np.float32), RATE))


def speak(
    archive: Archive,
    words: Sequence[str],
    key: str,
    topic_id: str | None = None,
    number: str = "+8613800000001",
    days_ago: float = 1.0,
) -> str:
    """Somebody said `words` on the phone some days ago; the id of the opinion, which waits for review."""
    said_at = datetime.now(UTC) - timedelta(days=days_ago)
    opinion_id = record_id("op", "test", key)
    with archive.database.begin() as session:
        caller = find_or_create_number(session, archive, COMMUNITY_ID, number)
        person = person_at(session, archive, COMMUNITY_ID, caller)
        recording_id = _recording(archive, session, person, tone(len(words) / 2 + 0.5), said_at)
        payload = {
            "opinion_id": opinion_id, "recordings": [recording_id], "receipt": allot(session, COMMUNITY_ID),
            "kind": "opinion" if topic_id else "message",
        }  # fmt: skip
        keep(session, Given("test", key, COMMUNITY_ID, person.id, "opinion", topic_id, payload, "phone",
                            "caller_id", False, said_at), said_at)  # fmt: skip
    settle_batch(archive)
    transcribe_opinion(archive, opinion_id, lambda: Timed(words), lambda: datetime.now(UTC))
    return opinion_id


def _recording(archive: Archive, session: object, person: Person, wav: bytes, at: datetime) -> str:
    recording_id = new_id("rec")
    sealed = archive.keyring.seal(session, person.key_id, wav, recording_id)  # type: ignore[arg-type]
    archive.recordings.put(recording_id, sealed)
    session.add(  # type: ignore[attr-defined]
        Recording(
            id=recording_id, community_id=COMMUNITY_ID, person_id=person.id, sid=recording_id, line="test",
            seconds=len(wav) / 2 / RATE, state="stored", is_claimed=True, file=recording_id,
            sha256=hashlib.sha256(wav).hexdigest(), created_at=at, acknowledged_at=at,
        )
    )  # fmt: skip
    return recording_id
