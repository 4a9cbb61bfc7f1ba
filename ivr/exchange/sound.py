"""Telephone sound as bytes: 8 kHz mono PCM16LE, in frames of 20 ms."""

from __future__ import annotations

import io

import numpy as np
import soundfile
import soxr

from ivr.exchange.errors import SoundError

RATE = 8000
FRAME_SECONDS = 0.02
FRAME_BYTES = int(RATE * FRAME_SECONDS) * 2
BYTES_PER_SECOND = RATE * 2
MAX_SECONDS = 900


def decode(data: bytes) -> bytes:
    """A sound file (WAV with PCM, A-law or µ-law, FLAC, Ogg; any rate, mono or stereo) as telephone sound.

    Raises SoundError when it cannot be read or lasts over 15 minutes.
    """
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            rate = int(file.samplerate)
            samples = file.read(MAX_SECONDS * rate + 1, dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, ValueError) as error:
        raise SoundError("not a sound we can read") from error
    if len(samples) > MAX_SECONDS * rate:
        raise SoundError("sound of more than 15 minutes")
    mono = samples.mean(axis=1)
    return from_floats(mono if rate == RATE else soxr.resample(mono, rate, RATE))


def from_floats(samples: np.ndarray) -> bytes:
    """Samples at 8 kHz in [-1, 1] as PCM16LE; louder ones are clipped."""
    pcm: bytes = (np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes()
    return pcm


def to_wav(pcm: bytes) -> bytes:
    """Telephone sound as a PCM16 WAV file."""
    target = io.BytesIO()
    soundfile.write(target, np.frombuffer(pcm, "<i2"), RATE, subtype="PCM_16", format="WAV")
    return target.getvalue()


def seconds_of(pcm: bytes) -> float:
    """How long a piece of telephone sound lasts."""
    return len(pcm) / BYTES_PER_SECOND


def silence(seconds: float) -> bytes:
    """Nothing to be heard, for so long."""
    return bytes(int(RATE * seconds) * 2)


def tone(hertz: float, seconds: float, level: float = 0.25) -> bytes:
    """A sine with soft edges of 10 ms, so that it does not click."""
    times = np.arange(int(RATE * seconds)) / RATE
    edges = np.clip(np.minimum(times, seconds - times) / 0.01, 0, 1)
    return from_floats(np.sin(2 * np.pi * hertz * times) * edges * level)


BEEP = tone(1000, 0.4)
RINGING = tone(450, 1.0, 0.15) + silence(4.0)  # the ring-back tone of mainland exchanges
