"""The sound of a programme made in a job: by the voice and the clips of the telephone, kept by its digest."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import select

from ivr.broadcast.checking import forget_sounds
from ivr.broadcast.mixing import mix
from ivr.broadcast.reading import Unsayable, script_of
from ivr.broadcast.script import OwnVoice, Said, Script
from ivr.broadcast.store import SoundStore
from ivr.prompts.clips import ClipStore
from ivr.prompts.readings import readings_of
from speech.audio import Audio, read_audio, write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.pacing import Pace, speak, teach
from speech.synthesize import Synthesizer
from sync import leases
from sync.archive import Archive
from sync.bleeped import CannotBleep, NotToBeHeard, bleeped
from sync.errors import RecordsError
from sync.records.broadcasts import SOUND_WANTED
from sync.records.tables import Opinion, Programme
from sync.voiding import TAKEN_BACK, unapprove

LOG = logging.getLogger("tingjian.broadcast")
_HOLD_SECONDS = 1800.0


@dataclass(frozen=True)
class Studio:
    """What programmes are made with."""

    archive: Archive
    clips: ClipStore
    sounds: SoundStore
    synthesizer: Callable[[], Synthesizer]


_opened: Studio | None = None


def open_studio(
    archive: Archive, clips: ClipStore, sounds: SoundStore, synthesizer: Callable[[], Synthesizer]
) -> Studio:
    """Set what this process's jobs work with. The synthesizer loads once, on the first need."""
    global _opened
    _opened = Studio(archive, clips, sounds, cache(synthesizer))
    return _opened


def render_programme_job(programme_id: str) -> None:
    """The queued job: make the sound of a programme that wants one, forget sounds nobody wants any more."""
    if _opened is None:
        raise RuntimeError("open_studio() has not been called in this process")
    render_programme(_opened, programme_id)
    forget_sounds(_opened.archive, _opened.sounds)


def render_waiting() -> None:
    """Make all sounds that are wanted now: an announcement does not wait behind hours of prompts."""
    if _opened is None:
        return
    for programme_id in wanted(_opened.archive):
        render_programme(_opened, programme_id)


def wanted(archive: Archive) -> Sequence[str]:
    """Programmes whose sound is still to be made, emergencies first."""
    with archive.database.read() as session:
        rows = session.scalars(
            select(Programme).where(SOUND_WANTED).order_by(Programme.priority, Programme.changed_at)
        ).all()
    now = datetime.now(UTC)
    return [row.id for row in rows if leases.is_due(row, now)]


def render_programme(studio: Studio, programme_id: str) -> bool:
    """Make the sound of one programme; whether there is one now. Safe to repeat and to be killed.

    What can't be said for good is told in its row (`failed`, with a problem); anything else is tried again.
    """
    taken = _take(studio, programme_id)
    if taken is None:
        return False
    version, script = taken
    try:
        if not studio.sounds.has(script.digest):
            sound = mix(script.parts, _say(studio, programme_id, script), _bring(studio))
            studio.sounds.write(script.digest, sound)
        seconds = studio.sounds.file(script.digest, "wav").seconds
    except (Unsayable, CannotBleep, NotToBeHeard) as problem:
        known = str(problem) if isinstance(problem, Unsayable) else "voice_not_to_be_had"
        return _fail(studio, programme_id, version, known)
    except (SpeechError, RecordsError, OSError) as problem:
        if isinstance(problem, SpeechError) and problem.permanent:
            return _fail(studio, programme_id, version, "unsayable")
        _put_off(studio, programme_id, version, problem)
        return False
    return _keep(studio, programme_id, version, script.digest, seconds)


def _take(studio: Studio, programme_id: str) -> tuple[int, Script] | None:
    """The version to be made and its script; None where nothing is wanted, or another makes it."""
    now = datetime.now(UTC)
    with studio.archive.database.begin() as session:
        programme = session.get(Programme, programme_id, with_for_update=True)
        if programme is None or programme.sound_state != "wanted" or not leases.is_due(programme, now):
            return None
        try:
            script = script_of(session, programme)
        except Unsayable as problem:
            programme.sound_state, programme.problem = "failed", str(problem)
            programme.sound_digest = programme.sound_seconds = None
            leases.let_go(programme)
            return None
        leases.hold(programme, now, _HOLD_SECONDS)
        programme.sound_digest = script.digest  # so that its files are not taken for forgotten ones
        return programme.version, script


def _say(studio: Studio, programme_id: str, script: Script) -> Callable[[Said], Audio]:
    """How a sentence becomes sound: as a person recorded it, as it was rendered before, or rendered now."""
    clips = studio.clips
    with studio.archive.database.read() as session:
        community_id = session.get_one(Programme, programme_id).community_id
        readings = readings_of(session, community_id, clips.engine)

    def say(part: Said) -> Audio:
        name = readings.name(clips, part.text, script.voice, part.is_slow)
        recorded = clips.recorded_name(part.text, community_id)
        is_there = readings.has(clips, part.text, script.voice, part.is_slow)
        if clips.has(recorded) or is_there:
            known = recorded if clips.has(recorded) else name
            return read_audio(clips.path(known, is_full_band=True))
        pace, engine = Pace.SLOW if part.is_slow else Pace.NORMAL, studio.synthesizer()
        teach(engine, readings.words)
        sound = speak(part.text, engine, script.voice, pace, script.language)
        if not part.is_personal:  # a resident's words stay in the programme's own files alone
            mark, wavs = readings.mark(part.text), (write_phone_wav(sound), write_wav(sound))
            clips.write(name, *wavs, part.text, may_change=bool(mark), reading=mark)
        return sound

    return say


def _bring(studio: Studio) -> Callable[[OwnVoice], Audio]:
    def bring(part: OwnVoice) -> Audio:
        with studio.archive.database.read() as session:
            opinion = session.get(Opinion, part.opinion_id)
            if opinion is None:
                raise Unsayable(TAKEN_BACK)
            return bleeped(session, studio.archive, opinion)

    return bring


def _keep(studio: Studio, programme_id: str, version: int, digest: str, seconds: float) -> bool:
    """Say in the row that the sound is there, unless the programme has changed since."""
    with studio.archive.database.begin() as session:
        programme = session.get_one(Programme, programme_id, with_for_update=True)
        if programme.version != version or programme.sound_state != "wanted":
            if programme.version == version:
                leases.let_go(programme)
            return False
        if programme.state == "approved" and programme.approved_digest != digest:
            unapprove(session, programme, datetime.now(UTC), "announcer", "content_changed")
        programme.sound_state, programme.sound_digest, programme.sound_seconds = "ready", digest, seconds
        programme.tries = 0
        leases.let_go(programme)
    return True


def _fail(studio: Studio, programme_id: str, version: int, problem: str) -> bool:
    with studio.archive.database.begin() as session:
        programme = session.get_one(Programme, programme_id, with_for_update=True)
        if programme.version == version:
            programme.sound_state, programme.problem = "failed", problem
            programme.sound_digest = programme.sound_seconds = None
            leases.let_go(programme)
    return False


def _put_off(studio: Studio, programme_id: str, version: int, problem: Exception) -> None:
    LOG.warning("programme %s: no sound yet (%s)", programme_id, type(problem).__name__)
    with studio.archive.database.begin() as session:
        programme = session.get_one(Programme, programme_id, with_for_update=True)
        if programme.version == version:
            leases.put_off(programme, datetime.now(UTC), "voice_is_away")
