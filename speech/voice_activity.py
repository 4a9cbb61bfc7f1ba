"""Where in a recording somebody speaks, by the Silero model that comes with faster-whisper."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from faster_whisper.vad import VadOptions, get_speech_timestamps

from speech.audio import Audio, Samples, resample

RATE = 16_000
OPTIONS = VadOptions(
    threshold=0.3,  # at 0.5 whole words are lost over the telephone, and nothing is won: tones stay below 0.1
    min_speech_duration_ms=250,
    min_silence_duration_ms=1_000,
    speech_pad_ms=400,
    max_speech_duration_s=28,
)


@dataclass(frozen=True)
class Packed:
    """Only the speech of a recording, stretch after stretch; `spans` are their seconds in the original."""

    audio: Audio
    spans: tuple[tuple[float, float], ...]

    def original(self, start: float, end: float) -> tuple[float, float]:
        """When a word of the packed sound was said in the recording: in the stretch that holds its end."""
        passed = 0.0
        for first, last in self.spans:
            if end <= passed + last - first or (first, last) == self.spans[-1]:
                return first + max(0.0, start - passed), min(last, first + max(0.0, end - passed))
            passed += last - first
        return start, end

    def between(self, start: float, end: float) -> Samples:
        """The packed samples from one second to another."""
        return self.audio.samples[round(start * RATE) : round(end * RATE)]

    def portions(self, max_seconds: float) -> list[tuple[float, float]]:
        """The packed sound cut between stretches into portions that last no longer than `max_seconds`.

        A single longer stretch stays whole. Seconds are those of the packed sound.
        """
        cuts, passed = [0.0], 0.0
        for start, end in self.spans:
            if passed > cuts[-1] and passed + end - start - cuts[-1] > max_seconds:
                cuts.append(passed)
            passed += end - start
        return list(pairwise([*cuts, passed]))


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
