"""Short tones made by rule: the beep before a first recording and the soft tone that joins two segments."""

from __future__ import annotations

import numpy as np

from ivr.prompts.clips import ClipStore
from speech.audio import Audio, write_phone_wav, write_wav

BEEP, JOIN = "♪ beep", "♪ join"
_RATE = 8000
_SHAPES = {BEEP: (1000.0, 0.35, 0.35), JOIN: (660.0, 0.12, 0.2)}  # Hz, seconds, loudness


def tone(name: str) -> Audio:
    """One of our tones, faded in and out over 10 ms, with 50 ms of silence around it."""
    frequency, seconds, loudness = _SHAPES[name]
    moments = np.arange(int(seconds * _RATE)) / _RATE
    fade = np.clip(np.minimum(moments, seconds - moments) / 0.01, 0.0, 1.0)
    quiet = np.zeros(int(0.05 * _RATE))
    wave = np.sin(2 * np.pi * frequency * moments) * fade * loudness
    return Audio(np.concatenate((quiet, wave, quiet)).astype(np.float32), _RATE)


def tone_name(clips: ClipStore, name: str) -> str:
    """The clip of a tone: the same for every community and voice."""
    return clips.recorded_name(name, "")


def tone_names(clips: ClipStore) -> frozenset[str]:
    """The clips of all tones."""
    return frozenset(tone_name(clips, name) for name in _SHAPES)


def write_tones(clips: ClipStore) -> None:
    """Keep the tones that are not yet there."""
    for name in _SHAPES:
        clip = tone_name(clips, name)
        if not clips.has(clip):
            clips.write(clip, write_phone_wav(tone(name)), write_wav(tone(name)), "")
