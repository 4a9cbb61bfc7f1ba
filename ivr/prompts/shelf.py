"""The program's own sentences, rendered once on a machine: a new home takes them over in seconds."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

from ivr.prompts.book import Book
from ivr.prompts.clips import FORMAT
from ivr.prompts.wanted import book_clips, digit_clips
from speech.audio import Audio, read_audio, write_wav
from speech.errors import SpeechError
from speech.pacing import Pace
from speech.synthesize import ENGINES

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Said:
    """Words, and how they are said: two that are equal sound the same in every home of this version."""

    text: str
    engine: str
    voice: str
    pace: Pace
    language: str

    @property
    def digest(self) -> str:
        """Its name on the shelf (40 hex digits)."""
        pace = str(self.pace.value)
        parts = (version("tingjian"), FORMAT, self.engine, self.voice, pace, self.language, self.text)
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:40]


@dataclass(frozen=True)
class Shelf:
    """Sounds in `folder`, named by what is said and how. Only words of the prompt books may lie there.

    What a community wrote or a resident said never does: a shelf knows no deletion.
    """

    folder: Path

    def sound(self, said: Said, make: Callable[[], Audio]) -> Audio:
        """The sound of what is said: from the shelf, or made now and put there if it is the book's own.

        Two processes never make the same sentence. Raises what `make` raises; a shelf that can't be read or
        written is passed over.
        """
        if said.text not in book_texts(said.language) or said.engine not in ENGINES:
            return make()
        path = self.folder / f"{said.digest}.wav"
        if (sound := _taken(path)) is not None:
            return sound
        with self._alone():
            if (sound := _taken(path)) is not None:
                return sound
            sound = make()
            _put(path, sound)
        return sound

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time renders for the shelf; its end, however it comes, lets the next one in."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


@cache
def book_texts(language: str) -> frozenset[str]:
    """The words that the program itself brings: sentences of the book, counts and digits."""
    return frozenset((*book_clips(Book.load(language)), *digit_clips(language)))


def _taken(path: Path) -> Audio | None:
    if not path.is_file():
        return None
    try:
        return read_audio(path)
    except (OSError, SpeechError):
        log.warning("a sound on the shelf can't be read and is made again: %s", path.name)
        return None


def _put(path: Path, sound: Audio) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}")
    try:
        unfinished.write_bytes(write_wav(sound))
        unfinished.replace(path)
    except OSError as problem:
        log.info("a sound can't be put on the shelf: %s", problem.strerror)
        with suppress(OSError):
            unfinished.unlink(missing_ok=True)
