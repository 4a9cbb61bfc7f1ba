"""What a telephone line and a noisy room do to sound, so that engines are judged on what they will hear."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from speech.audio import PHONE_RATE, Audio, Samples, read_audio, resample, write_phone_wav

PHONE_BAND = (300.0, 3_400.0)
NOISE_DB = 15.0
FRAME_SECONDS = 0.02
QUIETEST_DB = 30.0  # a frame that is this far below the loudest one holds no speech


def phone(audio: Audio) -> Audio:
    """The sound as it arrives over a telephone line: 8 kHz, 300–3400 Hz, through A-law (G.711) and back."""
    narrow = resample(audio, PHONE_RATE)
    if not len(narrow.samples):
        return narrow
    band = Audio(_band(narrow.samples), PHONE_RATE)
    return read_audio(write_phone_wav(band), max_seconds=audio.seconds + 1)


def noisy(audio: Audio, snr_db: float, seed: int) -> Audio:
    """The sound in a room that is noisy: pink noise, `snr_db` below the level of the speech in it.

    The level is that of the frames in which somebody speaks, so that pauses do not make the noise weaker. The
    same seed gives the same noise; a sum that would be too loud is made quieter as a whole.
    """
    level = _speech_level(audio)
    if level == 0:
        return audio
    noise = _pink(len(audio.samples), seed) * np.float32(level * 10 ** (-snr_db / 20))
    mixed = audio.samples + noise
    return Audio((mixed / max(1.0, float(np.abs(mixed).max()))).astype(np.float32), audio.rate)


def noisy_phone(audio: Audio, seed: int = 0) -> Audio:
    """A noisy room at 15 dB, heard over the telephone. The noise is of the telephone's band alone."""
    return phone(noisy(resample(audio, PHONE_RATE), NOISE_DB, seed))


CONDITIONS: Mapping[str, Callable[[Audio, int], Audio]] = {
    "clean": lambda audio, _: audio,
    "phone": lambda audio, _: phone(audio),
    "noisy": noisy_phone,
}
"""What recognizers are measured under, by name; each takes the sound and a seed for its noise."""


def _band(samples: Samples) -> Samples:
    spectrum = np.fft.rfft(samples)
    pitches = np.fft.rfftfreq(len(samples), 1 / PHONE_RATE)
    low, high = PHONE_BAND
    spectrum *= np.clip((pitches - low * 0.8) / (low * 0.2), 0, 1)
    spectrum *= np.clip((high * 1.05 - pitches) / 170, 0, 1)
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def _speech_level(audio: Audio) -> float:
    """The root mean square of the frames that are not pauses; 0 for silence."""
    frame = max(1, round(FRAME_SECONDS * audio.rate))
    whole = audio.samples[: len(audio.samples) // frame * frame].reshape(-1, frame)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    if not len(power) or not power.max():
        return 0.0
    return float(np.sqrt(power[power > power.max() * 10 ** (-QUIETEST_DB / 10)].mean()))


def _pink(length: int, seed: int) -> Samples:
    """Noise of level 1 whose power falls by half with each octave, as that of rooms and streets does."""
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(length))
    spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
    spectrum[0] = 0
    noise = np.fft.irfft(spectrum, length)
    return (noise / max(1e-12, float(np.sqrt(np.mean(noise**2))))).astype(np.float32)
