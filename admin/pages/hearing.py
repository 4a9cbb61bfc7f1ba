"""The sound of an opinion at the desk: what is private bleeped, until somebody says why they must hear it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import session as cookie
from sqlalchemy.orm import Session

from admin.pages.wave import peaks
from speech.audio import Audio
from speech.bleep import Interval, hidden_intervals, hidden_letters
from speech.errors import SpeechError
from speech.recognize import Word
from sync.archive import Archive
from sync.bleeped import CannotBleep, NotToBeHeard, hushed, timed_words
from sync.errors import KeyDestroyed
from sync.records.tables import Opinion, Transcript
from sync.sound import gather, segments

DOUBTFUL = 0.6  # of a word less sure than that, the page says so
_WHOLE = "whole"
_WHOLE_SECONDS = 1800.0


@dataclass(frozen=True)
class Heard:
    """What the page shows of a sound: its `peaks`, none where it can't be played without a reason.

    `is_whole`: unbleeped, for a while. `missing` counts segments still on their way.
    """

    seconds: float
    is_whole: bool
    missing: int
    peaks: Sequence[int] = field(default=())


def hearing(session: Session, archive: Archive, opinion: Opinion) -> Heard | None:
    """The sound of an opinion as this reader may hear it; None where there is none."""
    parts = segments(session, opinion.id)
    if not parts:
        return None
    missing = sum(one.state != "stored" for one in parts)
    is_whole = may_hear_whole(opinion.id)
    sound = audible(session, archive, opinion, is_whole)
    if sound is None:
        return Heard(sum(one.seconds or 0.0 for one in parts), False, missing)
    return Heard(sound.seconds, is_whole, missing, peaks(sound))


def audible(session: Session, archive: Archive, opinion: Opinion, is_whole: bool) -> Audio | None:
    """The sound, whole or bleeped; None where there is none, or what to bleep isn't known for certain."""
    try:
        return gather(session, archive, opinion.id).sound if is_whole else hushed(session, archive, opinion)
    except (CannotBleep, NotToBeHeard, KeyDestroyed):
        return None


def spoken_words(session: Session, archive: Archive, opinion: Opinion) -> Sequence[Word]:
    """When the machine heard which word, from the start of the whole sound; none where that isn't known."""
    first = session.get(Transcript, (opinion.id, 1))
    if first is None:
        return ()
    try:
        return timed_words(session, archive, opinion, first)
    except (CannotBleep, KeyDestroyed):
        return ()


def bleeps(heard: Heard | None, text: str | None, shown: str | None, words: Sequence[Word]) -> list[Interval]:
    """When a tone is heard instead of words; never where the sound is whole or kept back."""
    if heard is None or heard.is_whole or not heard.peaks or not text:
        return []
    try:
        return list(hidden_intervals(text, hidden_letters(text, shown or ""), words, heard.seconds))
    except SpeechError:
        return []


def let_hear_whole(opinion_id: str) -> None:
    """For half an hour this reader hears the opinion unbleeped; why stands in the audit."""
    now = time.time()
    open_ones = {one: until for one, until in cookie.get(_WHOLE, {}).items() if until > now}
    cookie[_WHOLE] = open_ones | {opinion_id: now + _WHOLE_SECONDS}


def may_hear_whole(opinion_id: str) -> bool:
    """Whether this reader said why, lately."""
    return bool(cookie.get(_WHOLE, {}).get(opinion_id, 0.0) > time.time())
