"""The sounds of the line's benchmark, and how much of one arrived intact."""

from __future__ import annotations

import io
import os

import numpy as np
import soundfile

from ivr.exchange.sound import RATE, from_floats

PROMPT_SECONDS = SPEECH_SECONDS = 8 if os.environ.get("SMALL") else 30
DIGITS = "1234567890"
ALAW_SILENCE = b"\xd5" * 160
WINDOW = RATE // 2
INTACT = 0.95


def prompt_pcm() -> bytes:
    """What callers hear: noise in syllables, so that every window is like no other."""
    return _babble(1)


def speech_pcm() -> bytes:
    """What callers say."""
    return _babble(2)


def speech_alaw() -> bytes:
    """The same as it travels."""
    target = io.BytesIO()
    sound = np.frombuffer(speech_pcm(), "<i2")
    soundfile.write(target, sound, RATE, subtype="ALAW", format="RAW")
    return target.getvalue()


def from_alaw(data: bytes) -> np.ndarray:
    """A-law as samples."""
    sound, _ = soundfile.read(
        io.BytesIO(data), dtype="float64", samplerate=RATE, channels=1, subtype="ALAW", format="RAW"
    )
    return np.asarray(sound)


def intact_windows(wanted: bytes, heard: np.ndarray) -> tuple[int, int]:
    """Half-second windows that arrived whole at an unchanged place, and how many there are."""
    sound = np.frombuffer(wanted, "<i2") / 32768
    count = len(sound) // WINDOW
    if len(heard) < WINDOW:
        return 0, count
    size = 1 << (len(sound) + len(heard)).bit_length()
    matches = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(sound, size)), size)
    place = int(matches.argmax())
    place -= size if place > size // 2 else 0
    return sum(_is_intact(sound, heard, n * WINDOW, place) for n in range(count)), count


def _is_intact(sound: np.ndarray, heard: np.ndarray, start: int, place: int) -> bool:
    at = start + place
    if at < 0 or at + WINDOW > len(heard):
        return False
    ours, theirs = sound[start : start + WINDOW], heard[at : at + WINDOW]
    power = float(np.sqrt(np.sum(ours**2) * np.sum(theirs**2)))
    return power > 0 and float(np.sum(ours * theirs)) / power > INTACT


def _babble(seed: int) -> bytes:
    times = np.arange(RATE * PROMPT_SECONDS) / RATE
    syllables = 0.25 + 0.75 * np.clip(np.sin(2 * np.pi * 2.3 * times), 0, 1)
    return from_floats(np.random.default_rng(seed).normal(0, 0.12, len(times)) * syllables)
