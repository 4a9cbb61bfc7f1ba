"""A synthesizer that hums at once, for tests about clips and not about speech."""

from __future__ import annotations

import itertools
import threading

import numpy as np

from speech.audio import Audio
from speech.errors import SpeechError

SECONDS_PER_CHARACTER = 0.02
_RATE = 16_000
_NUMBERS = itertools.count()


class ToneSynthesizer:
    """Hums every text, remembers which ones; refuses those in `refused`, is away for those in `away`."""

    voices: tuple[str, ...] = ("zf_xiaobei", "zm_yunxi")

    def __init__(self, refused: frozenset[str] = frozenset(), away: frozenset[str] = frozenset()) -> None:
        self.name = f"tone {next(_NUMBERS)}"  # phrases are remembered by engine
        self.refused, self.away = refused, away
        self.said: list[str] = []
        self._lock = threading.Lock()

    def say(self, text: str, language: str = "zh", voice: str = "zf_xiaobei") -> Audio:
        if any(word in text for word in self.away):
            raise SpeechError("the engine is away", permanent=False)
        if any(word in text for word in self.refused):
            raise SpeechError("this cannot be said", permanent=True)
        with self._lock:
            self.said.append(text)
        moments = np.arange(int(max(len(text), 2) * SECONDS_PER_CHARACTER * _RATE)) / _RATE
        return Audio((0.3 * np.sin(2 * np.pi * 220 * moments)).astype(np.float32), _RATE)
