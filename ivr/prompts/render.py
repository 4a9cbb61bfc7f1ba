"""Rendering ahead: what a community's calls may say becomes clips, so that nothing is spoken on the spot."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from ivr.prompts.clips import ClipStore
from ivr.prompts.due import Due, due
from ivr.prompts.previews import render_previews
from ivr.prompts.recorded import keep_recorded
from ivr.prompts.shelf import Said
from ivr.prompts.spare import Spare, render_spare
from ivr.prompts.tidy import tidy
from ivr.prompts.tones import write_tones
from ivr.prompts.voice import voice_of
from ivr.prompts.wanted import Importance, Wanted, personal_texts, wanted
from speech.audio import Audio, write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.pacing import Pace, speak, teach
from speech.synthesize import Synthesizer
from sync.unsaid import pruned, unpruned

if TYPE_CHECKING:
    from sync.archive import Archive

__all__ = [
    "Importance",
    "Rendered",
    "Wanted",
    "due",
    "open_renderer",
    "preview_job",
    "prune_job",
    "render",
    "render_job",
    "voice_of",
    "wanted",
]

log = logging.getLogger(__name__)

Report = Callable[[int, int, str], None]
"""Called after each clip with: how many are there, how many there will be, the words of this one."""


LOOK_AGAIN_SECONDS = 15.0
"""After so long a run looks what is wanted by now: a reply given meanwhile comes before the rest."""


@dataclass(frozen=True)
class Rendered:
    """What a run did: clips wanted, made now, there already, and those the synthesizer refused."""

    total: int
    made: int
    kept: int
    failed: int


def render(
    archive: Archive,
    clips: ClipStore,
    synthesizer: Synthesizer,
    community_id: str,
    report: Report = lambda done, total, text: None,
    up_to: Importance = Importance.RECORDS,
) -> Rendered:
    """Render what is missing, most important first; safe to break off and to repeat.

    Raises `SpeechError` (not permanent) when the engine fails for now and `OSError` when the disk is full:
    what was made before stays, and the next run goes on from there.
    """
    write_tones(clips)
    keep_recorded(archive, clips, community_id)
    made, refused = 0, set[Wanted]()
    while True:
        work, looked_at = due(archive, clips, community_id, up_to), time.monotonic()
        done = work.total - len(work.missing)
        for clip in (clip for clip in work.missing if clip not in refused):
            render_previews(archive, clips, synthesizer)  # somebody sits and waits for these
            if _render_one(clips, clip, synthesizer, work):
                made, done = made + 1, done + 1
                if clip.is_personal and not _is_still_said(archive, community_id, clip.text):
                    clips.delete(work.readings.name(clips, clip.text, work.voice, clip.is_slow))
            else:
                refused.add(clip)
            report(done + len(refused), work.total, clip.text)
            if time.monotonic() - looked_at > LOOK_AGAIN_SECONDS:
                break
        else:
            return Rendered(work.total, made, max(0, work.total - made - len(refused)), len(refused))


def _render_one(clips: ClipStore, clip: Wanted, engine: Synthesizer, work: Due) -> bool:
    name, mark = work.readings.name(clips, clip.text, work.voice, clip.is_slow), work.readings.mark(clip.text)
    pace = Pace.SLOW if clip.is_slow else Pace.NORMAL

    def say() -> Audio:
        teach(engine, work.readings.words)
        return speak(clip.text, engine, work.voice, pace, work.language)

    try:
        shelf = None if mark or clip.is_personal else clips.shelf
        spoken = Said(clip.text, engine.name, work.voice, pace, work.language)
        audio = shelf.sound(spoken, say) if shelf else say()
    except SpeechError as problem:
        if not problem.permanent:
            raise
        log.warning("clip %s cannot be rendered: %s", name, problem)
        return False
    clips.write(
        name, write_phone_wav(audio), write_wav(audio), clip.text, clip.is_personal,
        may_change=bool(mark), reading=mark,
    )  # fmt: skip
    return True


def _is_still_said(archive: Archive, community_id: str, text: str) -> bool:
    """Whether nobody took the words back while they were being rendered."""
    with archive.database.read() as session:
        return text in personal_texts(session, community_id)


@dataclass(frozen=True)
class _Renderer:
    archive: Archive
    clips: ClipStore
    synthesizer_factory: Callable[[], Synthesizer]
    between: Callable[[], None]
    spare: Spare | None


_opened: _Renderer | None = None


def open_renderer(
    archive: Archive,
    clips: ClipStore,
    synthesizer_factory: Callable[[], Synthesizer],
    between: Callable[[], None] = lambda: None,
    spare: Spare | None = None,
) -> None:
    """Set what this process's render jobs work with. The synthesizer loads once, on the first need.

    `between` is called after each clip: for what must not wait behind hours of rendering. `spare` says what
    the synthesizer can't say for now; without it nothing is rendered until the synthesizer is back.
    """
    global _opened
    _opened = _Renderer(archive, clips, cache(synthesizer_factory), between, spare)


def render_job(community_id: str) -> int:
    """The queued job: render what the community lacks, forget what nobody may play now; gives clips made.

    Safe to repeat. A community that is gone is no error. Raises what `render` raises: the queue tries again.
    """
    here = _renderer()
    archive, clips = here.archive, here.clips
    made = 0
    try:
        write_tones(clips)
        keep_recorded(archive, clips, community_id)
        if due(archive, clips, community_id).missing:
            made = _render_missing(here, community_id)
    except LookupError:
        log.info("nothing to render: community %s is gone", community_id)
    tidy(archive, clips)
    return made


def _render_missing(here: _Renderer, community_id: str) -> int:
    try:
        engine = here.synthesizer_factory()
        return render(here.archive, here.clips, engine, community_id, lambda *_: here.between()).made
    except SpeechError as problem:
        if here.spare is None:
            raise
        return render_spare(here.archive, here.clips, here.spare, community_id, problem)


def preview_job() -> int:
    """The queued job: render what staff are waiting to hear; gives how many sentences. Safe to repeat."""
    here = _renderer()
    return render_previews(here.archive, here.clips, here.synthesizer_factory())


def prune_job() -> int:
    """The queued job: forget the clips of words that were taken back; gives how many clips went.

    Safe to repeat and to be killed: what was taken back stays on the list until its clips are gone.
    """
    here = _renderer()
    with here.archive.database.read() as session:
        told = unpruned(session)
    gone = tidy(here.archive, here.clips)
    if told:
        with here.archive.database.begin() as session:
            pruned(session, told, datetime.now(UTC))
    here.archive.database.empty_log()
    return gone


def _renderer() -> _Renderer:
    if _opened is None:
        raise RuntimeError("open_renderer() has not been called in this process")
    return _opened
