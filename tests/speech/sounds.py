"""Sounds of a telephone line that hold no words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from speech.audio import PHONE_RATE, Audio

SECONDS = 5.0


def _time() -> np.ndarray:
    return np.arange(int(SECONDS * PHONE_RATE)) / PHONE_RATE


def _tones(*pitches: float, on: float = SECONDS, off: float = 0.0, size: float = 0.3) -> Audio:
    time = _time()
    wave = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches) * size / len(pitches)
    return Audio((wave * ((time % (on + off)) < on)).astype(np.float32), PHONE_RATE)


def _noise(size: float, seed: int = 1) -> Audio:
    samples = np.random.default_rng(seed).normal(0, size, int(SECONDS * PHONE_RATE))
    return Audio(np.clip(samples, -1, 1).astype(np.float32), PHONE_RATE)


def _melody() -> Audio:
    time = _time()
    pitch = np.take([262, 330, 392, 523, 392, 330], (time * 4).astype(int) % 6)
    wave = sum(np.sin(2 * np.pi * np.cumsum(pitch * part) / PHONE_RATE) / part for part in (1, 2, 3))
    return Audio((wave * 0.15 * np.exp(-(time % 0.25) * 6)).astype(np.float32), PHONE_RATE)


def _cough() -> Audio:
    time = _time()
    burst = np.exp(-((time - 1.0) ** 2) / 0.004) + 0.6 * np.exp(-((time - 1.4) ** 2) / 0.006)
    return Audio((_noise(0.4, seed=2).samples * burst).astype(np.float32), PHONE_RATE)


WORDLESS: Mapping[str, Audio] = {
    "silence": _noise(0.0),
    "hiss": _noise(0.002),
    "loud noise": _noise(0.08),
    "hum": _tones(50, 150, 250, size=0.2),
    "ring-back": _tones(450, on=1.0, off=4.0),
    "busy tone": _tones(450, on=0.35, off=0.35),
    "key tones": _tones(770, 1336, on=0.12, off=0.2),
    "long key tone": _tones(697, 1209),
    "music": _melody(),
    "cough": _cough(),
}
