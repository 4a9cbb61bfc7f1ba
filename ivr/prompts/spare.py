"""What the voice can't say today the last fallback says until it can: hard to follow, but no silence."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ivr.prompts.clips import ClipStore
from ivr.prompts.due import Due, due
from ivr.prompts.wanted import Importance, Wanted
from speech.audio import write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.pacing import Pace, speak
from speech.synthesize import Synthesizer

if TYPE_CHECKING:
    from sync.archive import Archive

log = logging.getLogger(__name__)

Spare = Callable[[], Synthesizer]
"""Loads the engine that steps in. Raises SpeechError."""


def render_spare(
    archive: Archive,
    clips: ClipStore,
    load: Spare,
    community_id: str,
    problem: SpeechError,
    up_to: Importance = Importance.RECORDS,
) -> int:
    """Say by the spare engine what no clip says yet; gives how many. `problem` is why the voice can't.

    Raises `LookupError` without the community, `SpeechError` when the spare engine fails, too.
    """
    engine = load()
    log.warning(
        "the voice %s can't be used (%s): what is missing is said by %s until it is back, and that is hard to"
        " understand in Mandarin. `tingjian doctor` says what to do",
        clips.engine, problem, engine.name,
    )  # fmt: skip
    work = due(archive, clips, community_id, up_to)
    return sum(_say(clips, clip, engine, work) for clip in work.missing)


def _say(clips: ClipStore, clip: Wanted, engine: Synthesizer, work: Due) -> bool:
    """Whether a clip was made: none where an older or another voice's can be played."""
    community_id = work.readings.community_id
    if clips.find(clip.text, work.voice, clip.is_slow, community_id) is not None:
        return False
    pace = Pace.SLOW if clip.is_slow else Pace.NORMAL
    try:
        audio = speak(clip.text, engine, work.voice, pace, work.language)
    except SpeechError as problem:
        if not problem.permanent:
            raise
        return False
    name = clips.spare_name(clip.text, work.voice, clip.is_slow)
    # It may change: no line keeps it, and it is forgotten as soon as the voice has said the same.
    clips.write(name, write_phone_wav(audio), write_wav(audio), clip.text, clip.is_personal, may_change=True)
    return True
