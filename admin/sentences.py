"""The exchange's own kind sentences in the good voice: rendered when nothing more urgent is to be."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy import select

from admin.settings import Settings
from ivr.exchange.sentences import SENTENCES
from ivr.prompts.clips import ClipStore
from ivr.prompts.render import due
from speech.audio import write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.pacing import Pace, speak
from speech.synthesize import FEMALE, Synthesizer
from sync.archive import Archive
from sync.records.tables import Community

LOG = logging.getLogger("tingjian.sentences")


def open_sentences(settings: Settings, archive: Archive) -> ClipStore:
    """A store of their own: clips of calls that no community needs are tidied away."""
    return ClipStore(settings.home / "sentences", archive.keyring.secret("clips"), settings.synthesizer)


def sentence_files(clips: ClipStore) -> Mapping[str, Path]:
    """Where each sentence of the exchange lies, or will lie: it falls back to the light voice until then."""
    return {name: clips.path(clips.name(words, FEMALE)) for name, words in SENTENCES.items()}


def is_needed(archive: Archive, clips: ClipStore) -> bool:
    """Whether a community still lacks clips: those come first."""
    with archive.database.read() as session:
        communities = session.scalars(select(Community.id)).all()
    return any(due(archive, clips, one).missing for one in communities)


def render_sentences(clips: ClipStore, synthesizer: Callable[[], Synthesizer]) -> int:
    """Render what is missing; how many were made. A failing engine leaves the rest to the light voice."""
    made = 0
    for words in SENTENCES.values():
        name = clips.name(words, FEMALE)
        if clips.has(name):
            continue
        try:
            audio = speak(words, synthesizer(), FEMALE, Pace.NORMAL, "zh")
        except SpeechError as error:
            LOG.warning("the exchange's sentences stay in the light voice: %s", error)
            return made
        clips.write(name, write_phone_wav(audio), write_wav(audio), words)
        made += 1
    return made
