"""The parts of a script as one sound: chime, sentences of the prompt machinery, voices, rests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ivr.broadcast.script import BETWEEN_ITEMS_SECONDS, CHIME_SECONDS, Chime, OwnVoice, Part, Rest, Said
from ivr.broadcast.store import RATE
from speech.audio import Audio, Samples, join, resample, silence
from speech.loudness import level

Say = Callable[[Said], Audio]
Bring = Callable[[OwnVoice], Audio]

_STRIKES = ((0.0, 659.26), (0.55, 523.25), (1.1, 587.33), (1.65, 392.0))  # seconds, Hz: E C D G
_OVERTONES = ((1.0, 1.0), (2.0, 0.35), (3.01, 0.12))  # of a bell: how high, how loud
_FADES_SECONDS = 0.6
_CHIME_LOUDNESS = 0.35


def mix(parts: Sequence[Part], say: Say, bring: Bring) -> Audio:
    """All parts in order at 24 kHz. What `say` and `bring` raise goes through."""
    sounds: list[Audio] = []
    for part in parts:
        match part:
            case Chime():
                sounds.append(chime())
            case Said():
                sounds.append(say(part))
            case OwnVoice():
                sounds.append(level(bring(part)))
            case Rest(seconds):
                sounds.append(silence(seconds, RATE))
    tail = silence(BETWEEN_ITEMS_SECONDS, RATE)  # devices that cut the end off cut nothing that was said
    return join([resample(sound, RATE) for sound in (*sounds, tail)])


def chime() -> Audio:
    """Four strokes of a bell going down, made by rule and owned by nobody."""
    moments = np.arange(round(CHIME_SECONDS * RATE)) / RATE
    wave: Samples = np.zeros(len(moments), np.float32)
    for begin, pitch in _STRIKES:
        since = np.clip(moments - begin, 0.0, None)
        stroke = sum(
            loud * np.exp(-since * high / _FADES_SECONDS) * np.sin(2 * np.pi * pitch * high * since)
            for high, loud in _OVERTONES
        )
        wave += (stroke * np.clip(since / 0.005, 0.0, 1.0)).astype(np.float32)
    fade_out = np.clip((CHIME_SECONDS - moments) / 0.3, 0.0, 1.0)
    return Audio((wave * fade_out * (_CHIME_LOUDNESS / np.abs(wave).max())).astype(np.float32), RATE)
