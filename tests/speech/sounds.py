"""Sounds of a telephone line and of a room that hold no words, made of sines and noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from speech.audio import PHONE_RATE, Audio, join, silence
from speech.channel import phone

SECONDS = 6.0
ROWS, COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477, 1633)  # ITU-T Q.23
CHINESE_TONE = 450  # GB/T 3380: ring-back 1 s on, 4 s off; busy .35 s on, .35 s off
SCALE = tuple(261.6 * 2 ** (step / 12) for step in (0, 2, 4, 7, 9, 12))  # pentatonic, as most tunes on hold


def _time(seconds: float = SECONDS) -> np.ndarray:
    return np.arange(round(seconds * PHONE_RATE)) / PHONE_RATE


def _sound(samples: np.ndarray) -> Audio:
    return Audio(np.clip(samples, -1, 1).astype(np.float32), PHONE_RATE)


def _tones(*pitches: float, on: float = SECONDS, off: float = 0.0, size: float = 0.3) -> Audio:
    time = _time()
    wave = sum(np.sin(2 * np.pi * pitch * time) for pitch in pitches) * size / len(pitches)
    return _sound(wave * ((time % (on + off)) < on))


def _noise(size: float, seed: int = 1, seconds: float = SECONDS) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, size, round(seconds * PHONE_RATE))


def _band(samples: np.ndarray, low: float, high: float) -> np.ndarray:
    """Only what lies between two pitches, with soft edges, as a throat or a drum shapes noise."""
    spectrum = np.fft.rfft(samples)
    pitches = np.fft.rfftfreq(len(samples), 1 / PHONE_RATE)
    spectrum *= 1 / (1 + (low / np.maximum(pitches, 1)) ** 4) / (1 + (pitches / high) ** 4)
    return np.fft.irfft(spectrum, len(samples))


def _all_keys() -> Audio:
    """The sixteen keys, 120 ms each, as somebody types them."""
    time = _time(0.12)
    pressed = [
        _sound(0.15 * (np.sin(2 * np.pi * row * time) + np.sin(2 * np.pi * column * time)))
        for row in ROWS
        for column in COLUMNS
    ]
    return join(pressed, gap_seconds=0.2)


def _notes(pitches: Sequence[float], beat: float, parts: int, decay: float, size: float) -> np.ndarray:
    """A note a beat, over and over, of so many harmonics."""
    time = _time()
    pitch = np.take(pitches, (time / beat).astype(int) % len(pitches))
    phase = 2 * np.pi * np.cumsum(pitch) / PHONE_RATE
    wave = sum(np.sin(phase * part) / part for part in range(1, parts + 1))
    return wave * size * np.exp(-(time % beat) * decay)


def _drums() -> np.ndarray:
    time = _time()
    kick = np.sin(2 * np.pi * 70 * time) * np.exp(-(time % 0.5) * 18) * 0.4
    snare = _band(_noise(0.3, seed=3), 800, 3000) * np.exp(-((time + 0.25) % 0.5) * 25)
    return kick + snare


def _music() -> Audio:
    """A tune, chords that change each second, a bass drum and a snare."""
    chords = sum(_notes([SCALE[a], SCALE[b]], 1.0, 4, 0.8, 0.05) for a, b in ((0, 3), (2, 4), (3, 1)))
    return _sound(
        _notes([SCALE[at] for at in (0, 2, 4, 5, 4, 3, 2, 1)], 0.25, 5, 4, 0.12) + chords + _drums()
    )


def _fiddle() -> Audio:
    """A bowed string with vibrato and slides, of all music the most like a voice."""
    time = _time()
    pitch = np.interp(time, np.linspace(0, SECONDS, 9), [SCALE[at] * 2 for at in (0, 2, 1, 3, 2, 4, 3, 5, 4)])
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.008 * np.sin(2 * np.pi * 5.5 * time))) / PHONE_RATE
    return _sound(0.15 * sum(np.sin(phase * part) / part for part in range(1, 7)))


def _coughs() -> Audio:
    """Three coughs: a burst of throat noise that opens at once and dies away, with some voice in its tail."""
    time = _time(0.45)
    burst = _band(_noise(0.5, seed=2, seconds=0.45), 400, 2200) * np.exp(-time * 9)
    tail = 0.1 * np.sin(2 * np.pi * 180 * time) * np.exp(-((time - 0.2) ** 2) / 0.004)
    cough = _sound(np.minimum(1, time * 80) * (burst + tail))
    return join([silence(0.8, PHONE_RATE), cough, cough, silence(1.5, PHONE_RATE), cough], gap_seconds=0.15)


def coughing(seed: int) -> Audio:
    """A fit of coughs by somebody hoarse, drawn by `seed`: longer ones, with more of a voice in them."""
    rng = np.random.default_rng(seed)
    time = _time(rng.uniform(0.35, 0.6))
    middle = float(time[-1]) / 2
    burst = _band(_noise(0.4, seed=seed, seconds=len(time) / PHONE_RATE), 400, rng.uniform(1200, 3200))
    voice = sum(np.sin(2 * np.pi * rng.uniform(120, 300) * part * time) / part for part in (1, 2, 3))
    tail = 0.25 * voice * np.exp(-((time - middle) ** 2) / 0.004)
    cough = _sound(np.minimum(1, time * 80) * (burst * np.exp(-time * 8) + tail))
    quiet = silence(0.5, PHONE_RATE)
    return join([quiet, *[cough] * int(rng.integers(2, 6)), quiet], gap_seconds=rng.uniform(0.05, 0.4))


def _breathing() -> Audio:
    """In and out, close to the mouthpiece, every two seconds."""
    time = _time()
    breath = np.clip(np.sin(2 * np.pi * time / 2), 0, 1) + 0.6 * np.clip(-np.sin(2 * np.pi * time / 2), 0, 1)
    return _sound(_band(_noise(0.25, seed=5), 500, 1800) * breath**2)


def _idle_line() -> Audio:
    """What A-law makes of a line on which nothing happens: its smallest steps, up and down."""
    return phone(_sound(_noise(0.0004, seed=7)))


def _clicks() -> Audio:
    samples = np.zeros(round(SECONDS * PHONE_RATE))
    samples[:: PHONE_RATE // 3] = 0.8
    return _sound(samples)


WORDLESS: Mapping[str, Audio] = {
    "silence": silence(SECONDS, PHONE_RATE),
    "idle line": _idle_line(),
    "hiss": _sound(_noise(0.002)),
    "loud noise": _sound(_noise(0.08)),
    "hum": _tones(50, size=0.3),
    "humming mains": _tones(50, 150, 250, size=0.2),
    "ring-back": _tones(CHINESE_TONE, on=1.0, off=4.0),
    "busy tone": _tones(CHINESE_TONE, on=0.35, off=0.35),
    "dial tone": _tones(CHINESE_TONE),
    "all keys": _all_keys(),
    "long key": _tones(ROWS[0], COLUMNS[0]),
    "music": _music(),
    "fiddle": _fiddle(),
    "coughs": _coughs(),
    "breathing": _breathing(),
    "clicks": _clicks(),
}
