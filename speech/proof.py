"""Proof that an engine works here: one speaks, the telephone carries it, the other writes it down."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from speech.channel import phone
from speech.error_rate import character_error_rate
from speech.errors import SpeechError
from speech.recognize import Recognizer
from speech.synthesize import Synthesizer

SENTENCES: Mapping[str, str] = {
    "zh": "小区东门的路灯坏了三个星期了，晚上老人出门很不方便。",
    "en": "The street lamp at the east gate has been broken for three weeks.",
}
MOST_WRONG = 0.5  # of the characters; a working pair has a tenth or two wrong, a broken one nearly all
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Proof:
    """What came of it; `wrong` is the share of characters, None where there was nothing to compare with.

    `mebibytes` is how much the process grew by the engine and its work, both engines together where both
    had to be loaded.
    """

    said: str
    heard: str
    wrong: float | None
    audio_seconds: float
    load_seconds: float
    say_seconds: float
    hear_seconds: float
    mebibytes: int

    @property
    def is_good(self) -> bool:
        """Words were heard, and they were the right ones where that can be told."""
        return bool(self.heard) and (self.wrong is None or self.wrong <= MOST_WRONG)


def prove(
    open_recognizer: Callable[[], Recognizer], open_synthesizer: Callable[[], Synthesizer], language: str = ""
) -> Proof:
    """Load both, speak, carry, recognise. Raises SpeechError.

    The language is the recognizer's first that we have a sentence in. A recognizer of another language hears
    the Chinese sentence in its own words: that it hears any is all that can be said then.
    """
    before, started = resident_mebibytes(), time.monotonic()
    recognizer, synthesizer = open_recognizer(), open_synthesizer()
    loaded = time.monotonic()
    spoken = language or next((one for one in SENTENCES if one in recognizer.languages), "zh")
    if spoken not in SENTENCES:
        raise SpeechError(f"there is no sentence to say in {spoken}", permanent=True)
    sound = phone(synthesizer.say(SENTENCES[spoken], spoken))
    said = time.monotonic()
    hears = spoken if spoken in recognizer.languages else min(recognizer.languages)
    heard = recognizer.transcribe(sound, hears).text
    ended = time.monotonic()
    wrong = character_error_rate(SENTENCES[spoken], heard) if hears == spoken else None
    return Proof(
        SENTENCES[spoken],
        heard,
        wrong,
        sound.seconds,
        loaded - started,
        said - loaded,
        ended - said,
        max(0, resident_mebibytes() - before),
    )


def resident_mebibytes() -> int:
    """How much memory this process holds; 0 where the system does not tell (Linux does)."""
    try:
        told = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    kilobytes = next((row.split()[1] for row in told.splitlines() if row.startswith("VmRSS:")), "0")
    return int(kilobytes) * 1024 // MEBIBYTE
