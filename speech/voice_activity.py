"""Where in a recording somebody speaks, by the Silero model that comes with faster-whisper."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps

from speech.audio import Audio, resample

RATE = 16_000
OPTIONS = VadOptions(
    threshold=0.5, min_speech_duration_ms=250, min_silence_duration_ms=1_000, speech_pad_ms=300
)


@dataclass(frozen=True)
class Packed:
    """Only the speech of a recording, stretch after stretch; `spans` are their seconds in the original."""

    audio: Audio
    spans: tuple[tuple[float, float], ...]

    def original(self, seconds: float) -> float:
        """The moment in the recording that a moment of the packed sound was taken from."""
        passed = 0.0
        for start, end in self.spans:
            if seconds <= passed + end - start:
                return start + max(0.0, seconds - passed)
            passed += end - start
        return self.spans[-1][1] if self.spans else 0.0


def speech_spans(audio: Audio) -> tuple[tuple[float, float], ...]:
    """Stretches of speech in seconds, in order; none for silence, tones and hum."""
    samples = resample(audio, RATE).samples
    if not len(samples):
        return ()
    return tuple(
        (span["start"] / RATE, span["end"] / RATE) for span in get_speech_timestamps(samples, OPTIONS)
    )


def pack(audio: Audio) -> Packed:
    """The speech alone, at 16 kHz."""
    wide = resample(audio, RATE)
    spans = speech_spans(wide)
    parts = [wide.samples[round(start * RATE) : round(end * RATE)] for start, end in spans]
    return Packed(Audio(np.concatenate(parts) if parts else wide.samples[:0], RATE), spans)
