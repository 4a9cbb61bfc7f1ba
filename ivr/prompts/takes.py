"""Prompts in a person's own voice: recorded anew, each version kept, an earlier one brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ivr.prompts.book import Book
from ivr.prompts.pieces import COUNTED
from speech.audio import Audio, read_audio, resample, write_wav
from speech.errors import SpeechError
from speech.loudness import level
from sync.community_settings import audit
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Community, PromptRecording, PromptTake

LONGEST_SECONDS = 60
LARGEST_BYTES = 12 * 1024 * 1024  # a minute of 48 kHz stereo
_SHORTEST_SECONDS = 0.3
_RATE = 24_000  # what the synthesizer gives
_QUIET = 0.01  # of full scale: below this nobody has spoken
_EDGE_SECONDS = 0.08


@dataclass(frozen=True)
class Phrase:
    """Fixed words of the book that are one clip. `key` is its prompt, or `prompt/2` for a later stretch."""

    key: str
    words: str


def phrases(book: Book) -> list[Phrase]:
    """Everything that can be recorded, in the book's order: not what is said in one clip with a number."""
    found = []
    for prompt_id in book.sentences:
        if COUNTED in book.placeholders(prompt_id):
            continue
        fixed = [words for words, is_value in book.fragments(prompt_id) if not is_value]
        for place, words in enumerate(fixed, start=1):
            found.append(Phrase(prompt_id if place == 1 else f"{prompt_id}/{place}", words))
    return found


def recorded(session: Session, community_id: str) -> Mapping[str, datetime]:
    """Which prompts are heard in a person's voice now, and since when."""
    rows = session.execute(
        select(PromptRecording.prompt, PromptRecording.recorded_at).where(
            PromptRecording.community_id == community_id
        )
    )
    return {row.prompt: row.recorded_at for row in rows}


def versions(session: Session, community_id: str, prompt: str) -> Sequence[PromptTake]:
    """All versions of one prompt, the newest, which is heard, first."""
    mine = select(PromptTake).where(PromptTake.community_id == community_id, PromptTake.prompt == prompt)
    return session.scalars(mine.order_by(PromptTake.version.desc())).all()


def record(
    session: Session, actor: Actor, prompt: str, data: bytes, version: int, now: datetime
) -> PromptTake:
    """Let callers hear this sound from now on; `version` is the one it replaces, 0 where there was none.

    DeskError: `no_sound`, `sound_too_long`, `sound_too_quiet`; ChangedMeanwhile where another was quicker.
    """
    _known(session, actor, prompt)
    audio = _checked(data)
    return _next(session, actor, prompt, version, write_wav(audio), audio.seconds, now, "prompt.recorded")


def restore(
    session: Session, actor: Actor, prompt: str, which: int, version: int, now: datetime
) -> PromptTake:
    """Let callers hear version `which` again; 0: the synthesizer's voice."""
    _known(session, actor, prompt)
    old = session.get(PromptTake, (actor.community_id, prompt, which)) if which else None
    if which and old is None:
        raise NotThere("there is no such version", "not_there")
    sound, seconds = (old.sound, old.seconds) if old is not None else (None, None)
    return _next(session, actor, prompt, version, sound, seconds, now, "prompt.restored")


def sound_of(session: Session, community_id: str, prompt: str, version: int) -> bytes | None:
    """The WAV of one version; None where it has none."""
    take = session.get(PromptTake, (community_id, prompt, version))
    return take.sound if take is not None else None


def _known(session: Session, actor: Actor, prompt: str) -> None:
    book = Book.load(session.get_one(Community, actor.community_id).language)
    if prompt not in {phrase.key for phrase in phrases(book)}:
        raise NotThere("there is no such prompt", "not_there")


def _next(
    session: Session,
    actor: Actor,
    prompt: str,
    version: int,
    sound: bytes | None,
    seconds: float | None,
    now: datetime,
    act: str,
) -> PromptTake:
    session.get_one(Community, actor.community_id, with_for_update=True)  # one writer of prompts at a time
    mine = (PromptTake.community_id == actor.community_id, PromptTake.prompt == prompt)
    newest = session.scalar(select(func.max(PromptTake.version)).where(*mine)) or 0
    if newest != version:
        raise ChangedMeanwhile("somebody else has just recorded it", "changed_meanwhile")
    take = PromptTake(
        community_id=actor.community_id, prompt=prompt, version=newest + 1, sound=sound, seconds=seconds,
        recorded_by=actor.id, recorded_at=now,
    )  # fmt: skip
    session.add(take)
    _let_stand(session, take)
    audit(session, actor.community_id, actor.id, act, prompt, version=take.version)
    session.flush()
    return take


def _let_stand(session: Session, take: PromptTake) -> None:
    standing = session.get(PromptRecording, (take.community_id, take.prompt))
    if take.sound is None:
        if standing is not None:
            session.delete(standing)
        return
    if standing is None:
        standing = PromptRecording(community_id=take.community_id, prompt=take.prompt)
        session.add(standing)
    standing.sound, standing.recorded_by, standing.recorded_at = (
        take.sound,
        take.recorded_by,
        take.recorded_at,
    )


def _checked(data: bytes) -> Audio:
    """Read, freed of silence at its ends, as loud as every other prompt."""
    try:
        audio = read_audio(data, max_seconds=LONGEST_SECONDS)
    except SpeechError as error:
        if "longer" in str(error):
            raise DeskError(str(error), "sound_too_long", LONGEST_SECONDS) from error
        raise DeskError(str(error), "no_sound") from error
    loud = np.flatnonzero(np.abs(audio.samples) > _QUIET)
    if not len(loud) or (loud[-1] - loud[0]) / audio.rate < _SHORTEST_SECONDS:
        raise DeskError("nobody is heard in it", "sound_too_quiet")
    edge = round(_EDGE_SECONDS * audio.rate)
    spoken = Audio(audio.samples[max(0, loud[0] - edge) : loud[-1] + edge], audio.rate)
    return level(resample(spoken, _RATE))
