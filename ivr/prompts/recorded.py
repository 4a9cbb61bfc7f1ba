"""People's own recordings of prompts: they come before any synthesizer."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import select

from ivr.prompts.book import Book
from ivr.prompts.clips import ClipStore
from speech.audio import read_audio, write_phone_wav, write_wav
from speech.errors import SpeechError
from sync.errors import RecordsError
from sync.records.tables import Community, PromptRecording
from sync.sound import unsealed
from sync.spoken_voices import voices_of

if TYPE_CHECKING:
    from sync.archive import Archive

log = logging.getLogger(__name__)


def keep_recorded(archive: Archive, clips: ClipStore, community_id: str) -> int:
    """Put the community's recordings into the store; gives how many are usable; logs a broken one.

    A recording is filed under a prompt's id, or `id/2` for the second stretch of fixed words between values.
    """
    kept = 0
    for prompt, words, sound in _recordings(archive, community_id):
        try:
            audio = read_audio(sound)
        except SpeechError as problem:
            log.warning("the recording of prompt %s cannot be used: %s", prompt, problem)
            continue
        name = clips.recorded_name(words, community_id)
        clips.write(name, write_phone_wav(audio), write_wav(audio), words, may_change=True)
        kept += 1
    return kept + _keep_replies(archive, clips, community_id)


def recorded_names(archive: Archive, clips: ClipStore, community_id: str) -> frozenset[str]:
    """The clips that hold this community's recordings."""
    prompts = [words for _, words, _ in _recordings(archive, community_id)]
    with archive.database.read() as session:
        replies = [words for words, _ in voices_of(session, community_id)]
    return frozenset(clips.recorded_name(words, community_id) for words in (*prompts, *replies))


def _keep_replies(archive: Archive, clips: ClipStore, community_id: str) -> int:
    """What staff answered in their own voice, once: a reply's words and sound never change."""
    kept = 0
    with archive.database.read() as session:
        for words, recording in voices_of(session, community_id):
            name = clips.recorded_name(words, community_id)
            if clips.has(name):
                continue
            try:
                audio = read_audio(unsealed(session, archive, recording))
            except (SpeechError, RecordsError) as problem:
                log.warning("a spoken reply cannot be used: %s", type(problem).__name__)
                continue
            clips.write(name, write_phone_wav(audio), write_wav(audio), words, is_personal=True)
            kept += 1
    return kept


def _recordings(archive: Archive, community_id: str) -> list[tuple[str, str, bytes]]:
    with archive.database.read() as session:
        community = session.get(Community, community_id)
        if community is None:
            return []
        book = Book.load(community.language)
        rows = session.scalars(select(PromptRecording).where(PromptRecording.community_id == community_id))
        found = [(row.prompt, _words(book, row.prompt), row.sound) for row in rows]
    return [(prompt, words, sound) for prompt, words, sound in found if words]


def _words(book: Book, prompt: str) -> str:
    prompt_id, _, place = prompt.partition("/")
    if prompt_id not in book.ids:
        return ""
    fixed = [words for words, is_value in book.fragments(prompt_id) if not is_value]
    at = int(place) - 1 if place.isdecimal() else 0
    return fixed[at] if 0 <= at < len(fixed) else ""
