"""Sound as one plain value: read from files of any usual kind, written for the telephone or in full band."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from speech.errors import SpeechError

PHONE_RATE = 8_000
KNOWN_FORMATS = frozenset({"WAV", "WAVEX", "RF64", "W64", "FLAC", "OGG", "MP3"})
MAX_CHANNELS = 8
RATES = range(4_000, 192_001)
MOST_SAMPLES_A_SECOND = 400_000  # of all channels together: two at 192 kHz, eight at 48
FULL_BAND_RATE = 48_000  # nothing here uses more, and a quarter of an hour at 192 kHz is 700 MB
BLOCK_FRAMES = 1 << 12  # of a damaged file at most so much is lost before the damage
UNKNOWN_LENGTH = (1 << 63) - 1  # what libsndfile says of a stream whose header leaves it open

Samples = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Audio:
    """Mono sound: float32 samples from -1 to 1, shape (n,), and how many of them make a second."""

    samples: Samples
    rate: int

    @property
    def seconds(self) -> float:
        """The length in seconds."""
        return len(self.samples) / self.rate


def read_audio(data: bytes | Path, max_seconds: float = 900) -> Audio:
    """Read a recording: WAV (PCM, float, A-law, µ-law), FLAC, OGG or MP3, told by content and not by name.

    Channels are averaged; a file that was cut off gives what is left of it. Raises SpeechError (permanent)
    when it is no sound, is empty, holds samples that are not numbers, or lasts longer than `max_seconds`;
    SpeechError (not permanent) when the file can't be opened. What has more than 48 kHz is brought to 48 kHz;
    never holds more than `max_seconds` of that in memory.
    """
    if isinstance(data, Path):
        if data.exists() and not data.is_file():
            raise SpeechError("this is no file", permanent=True)  # a pipe or a device might never end
        try:
            with data.open("rb") as file:
                return _read(file, max_seconds)
        except OSError as error:
            raise SpeechError(f"a recording can't be opened: {error.strerror}", permanent=False) from error
    return _read(io.BytesIO(data), max_seconds)


def _read(file: IO[bytes], max_seconds: float) -> Audio:
    try:
        with soundfile.SoundFile(file) as sound:
            _refuse_oddities(sound, max_seconds)
            rate = min(int(sound.samplerate), FULL_BAND_RATE)
            blocks = list(_brought_to(rate, sound.samplerate, _blocks(sound, max_seconds)))
    except soundfile.SoundFileError as error:
        raise SpeechError("this is no sound that can be read", permanent=True) from error
    samples = np.concatenate([np.zeros(0, np.float32), *blocks])
    if not len(samples):
        raise SpeechError("the recording is empty", permanent=True)
    return Audio(np.clip(samples, -1.0, 1.0, out=samples), rate)


def _refuse_oddities(sound: soundfile.SoundFile, max_seconds: float) -> None:
    if sound.format not in KNOWN_FORMATS:
        raise SpeechError(f"sound of the kind {sound.format} is not read", permanent=True)
    if sound.channels > MAX_CHANNELS:
        raise SpeechError(f"the recording has {sound.channels} channels", permanent=True)
    if sound.samplerate not in RATES:
        raise SpeechError(f"the recording has {sound.samplerate} samples a second", permanent=True)
    if sound.samplerate * sound.channels > MOST_SAMPLES_A_SECOND:
        told = f"{sound.channels} channels of {sound.samplerate} samples a second"
        raise SpeechError(f"the recording has {told}", permanent=True)
    if sound.frames != UNKNOWN_LENGTH and sound.frames > max_seconds * sound.samplerate:
        raise SpeechError(f"the recording is longer than {max_seconds:g} s", permanent=True)


def _blocks(sound: soundfile.SoundFile, max_seconds: float) -> Iterator[Samples]:
    """Read block by block, because the length that a header promises need not be true; one channel."""
    total = 0
    while True:
        try:
            block = sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)
        except soundfile.SoundFileError:
            if not total:
                raise
            return  # it was cut off, or is damaged from here on
        if not len(block):
            return
        total += len(block)
        if total > max_seconds * sound.samplerate:
            raise SpeechError(f"the recording is longer than {max_seconds:g} s", permanent=True)
        if not np.isfinite(block).all():
            raise SpeechError("the recording holds samples that are not numbers", permanent=True)
        yield np.clip(block, -1.0, 1.0, out=block).mean(axis=1, dtype=np.float32)


def _brought_to(rate: int, own: int, blocks: Iterable[Samples]) -> Iterator[Samples]:
    """The same blocks at a lower rate, without ever holding all of them at their own."""
    if rate == own:
        yield from blocks
        return
    stream = soxr.ResampleStream(own, rate, 1, dtype="float32")
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros(0, np.float32), last=True)


def write_wav(audio: Audio) -> bytes:
    """A WAV file of 16-bit samples at the sound's own rate."""
    return _write(audio, "PCM_16")


def write_phone_wav(audio: Audio) -> bytes:
    """A WAV file as telephone lines carry it: 8 kHz, A-law."""
    return _write(resample(audio, PHONE_RATE), "ALAW")


def _write(audio: Audio, encoding: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, np.clip(audio.samples, -1.0, 1.0), audio.rate, format="WAV", subtype=encoding)
    return out.getvalue()


def resample(audio: Audio, rate: int) -> Audio:
    """The same sound at another rate."""
    if rate == audio.rate:
        return audio
    return Audio(soxr.resample(audio.samples, audio.rate, rate).astype(np.float32), rate)


def silence(seconds: float, rate: int) -> Audio:
    """Nothing to hear, for so long."""
    return Audio(np.zeros(max(0, round(seconds * rate)), np.float32), rate)


def join(parts: Iterable[Audio], gap_seconds: float = 0.0) -> Audio:
    """One sound after the other, at the rate of the first, with a gap between them."""
    sounds = list(parts)
    if not sounds:
        return silence(0, PHONE_RATE)
    rate = sounds[0].rate
    gap = silence(gap_seconds, rate).samples
    pieces: list[Samples] = []
    for sound in sounds:
        pieces += [gap, resample(sound, rate).samples]
    return Audio(np.concatenate(pieces[1:]), rate)
