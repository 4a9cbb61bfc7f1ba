"""Tells speech from silence by its energy above the noise of the line, 20 ms at a time."""

from __future__ import annotations

from collections import deque

import numpy as np

from ivr.exchange.sound import FRAME_BYTES, FRAME_SECONDS

QUIETEST_VOICE = -50.0
"""dBFS: below this nothing counts as speech, however quiet the line."""
SURELY_VOICE = -32.0
"""dBFS: above this everything counts as speech, however noisy the line."""
ABOVE_NOISE = 9.0
"""dB a voice must stand above the noise."""
NOISE_FRAMES = 150
"""The noise of the line is the quietest tenth of the last three seconds."""


class Ear:
    """Feed it sound; it knows how much was speech and for how long there has been none."""

    def __init__(self) -> None:
        self.voiced_seconds = 0.0
        self.silent_seconds = 0.0
        self._levels: deque[float] = deque(maxlen=NOISE_FRAMES)
        self._rest = b""
        self._run = 0

    def hear(self, pcm: bytes) -> None:
        """Listen to some more; any length, pieces of a frame wait for the next call."""
        sound = self._rest + pcm
        whole = len(sound) - len(sound) % FRAME_BYTES
        self._rest = sound[whole:]
        if not whole:
            return
        frames = np.frombuffer(sound[:whole], "<i2").reshape(-1, FRAME_BYTES // 2).astype(np.float32) / 32768
        for power in np.square(frames - frames.mean(axis=1, keepdims=True)).mean(axis=1):
            self._frame(10 * float(np.log10(power + 1e-10)))

    def rest(self, seconds: float) -> None:
        """Nothing at all came for so long."""
        self._run = 0
        self.silent_seconds += seconds

    def _frame(self, level: float) -> None:
        self._levels.append(level)
        noise = sorted(self._levels)[len(self._levels) // 10]
        threshold = min(max(noise + ABOVE_NOISE, QUIETEST_VOICE), SURELY_VOICE)
        self._run = self._run + 1 if level > threshold else 0
        self.silent_seconds += FRAME_SECONDS
        if self._run >= 3:  # a click is shorter than 60 ms
            self.voiced_seconds += FRAME_SECONDS
            self.silent_seconds = 0.0
