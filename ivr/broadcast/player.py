"""What a loudspeaker of ours plays into: a WAV file that is whole at any moment, a sound card, or nothing."""

from __future__ import annotations

import asyncio
import time
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soundfile

from ivr.broadcast.loudspeakers import BroadcastError
from speech.audio import Audio, Samples, resample

PIECE_SECONDS = 0.1


class Player(Protocol):
    """Makes sound heard. Cancelling `play` ends it within a tenth of a second."""

    async def play(self, sound: Audio, volume: int) -> None:
        """Play to the end, in the sound's own time; `volume` is 0 to 100. Raises BroadcastError."""


class WavPlayer:
    """Adds what it plays to a WAV file, 16 bit mono, piece by piece in real time; `speed` hurries it."""

    def __init__(self, path: Path, rate: int = 24_000, speed: float = 1.0) -> None:
        self._path, self._rate, self._speed = path, rate, speed

    def write(self, samples: Samples) -> None:
        """Add a piece (-1 to 1, at the file's rate); the header is right again before this returns."""
        try:
            if not self._path.exists():
                self._path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(self._path, samples, self._rate, subtype="PCM_16", format="WAV")
                return
            with soundfile.SoundFile(self._path, "r+") as file:
                file.seek(0, soundfile.SEEK_END)
                file.write(samples)
        except (OSError, soundfile.SoundFileError) as error:
            raise BroadcastError("the WAV file cannot be written") from error

    async def play(self, sound: Audio, volume: int) -> None:
        """Piece after piece, each at its time."""
        samples = resample(sound, self._rate).samples * (volume / 100)
        size, began = int(self._rate * PIECE_SECONDS), time.monotonic()
        for start in range(0, len(samples), size):
            piece = samples[start : start + size]
            self.write(piece)
            ends_at = began + (start + len(piece)) / self._rate / self._speed
            await asyncio.sleep(max(0.0, ends_at - time.monotonic()))


class NoPlayer:
    """Makes no sound and takes no time: for measuring."""

    async def play(self, sound: Audio, volume: int) -> None:
        """Over at once."""
        await asyncio.sleep(0)


class SoundCard:
    """The sound card of this machine, by the library `sounddevice` where that is installed."""

    def __init__(self) -> None:
        try:
            self._library: Any = import_module("sounddevice")
        except (ImportError, OSError) as error:
            raise BroadcastError("no sound card: pip install sounddevice, and PortAudio") from error

    async def play(self, sound: Audio, volume: int) -> None:
        """Piece after piece; the card itself keeps the time."""
        samples = (sound.samples * (volume / 100)).astype(np.float32)
        size = int(sound.rate * PIECE_SECONDS)
        try:
            stream = self._library.OutputStream(samplerate=sound.rate, channels=1, dtype="float32")
            with stream:
                for start in range(0, len(samples), size):
                    await asyncio.to_thread(stream.write, samples[start : start + size])
        except self._library.PortAudioError as error:
            raise BroadcastError("the sound card does not play") from error
