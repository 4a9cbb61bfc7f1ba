"""Jobs for adapters under test: a sound like speech, made once, and a list of what was told."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from ivr.broadcast.loudspeakers import Job, SoundFile, Speaker, Told
from tests.exchange.town import speech

RATE = 8000


def phone_sound(folder: Path, seconds: float = 1.0, seed: int = 3) -> SoundFile:
    """A programme in the form of telephone lines: an A-law WAV."""
    pcm = speech(seconds, seed=seed)
    target = io.BytesIO()
    soundfile.write(target, np.frombuffer(pcm, "<i2"), RATE, subtype="ALAW", format="WAV")
    path = folder / f"{seconds:g}-{seed}.wav"
    path.write_bytes(target.getvalue())
    return SoundFile(path, hashlib.sha256(target.getvalue()).hexdigest(), seconds, "audio/wav")


def pcm_of(sound: SoundFile) -> bytes:
    """What it says, as PCM16LE of 8 kHz."""
    samples, _ = soundfile.read(sound.path, dtype="int16")
    pcm: bytes = samples.astype("<i2").tobytes()
    return pcm


def job(sound: SoundFile, address: Mapping[str, Any], play: str = "pl1", **changes: Any) -> Job:
    """A job that is due now and expires in a minute."""
    now = datetime.now(UTC)
    airing = changes.pop("airing", "ai1")
    volume = changes.pop("volume", 100)
    speaker = Speaker(changes.pop("speaker", f"ls-{play}"), address, volume=volume)
    usual = {"repeat": 1, "at": now, "expires_at": now + timedelta(minutes=1)}
    return Job(play, airing, speaker, sound, **{**usual, **changes})


@dataclass
class Ledger:
    """Everything that was told, in order; give it to `start` as the report."""

    told: list[Told] = field(default_factory=list)

    def __call__(self, told: Told) -> None:
        self.told.append(told)

    def of(self, play: str) -> list[tuple[str, str]]:
        """What was told of a play, and the details."""
        return [(one.what, one.detail) for one in self.told if one.play_id == play]

    def ended(self, play: str) -> bool:
        """Whether it is known how a play ended."""
        return any(what in ("finished", "failed") for what, _ in self.of(play))

    async def until(self, is_so: Callable[[], bool], seconds: float = 15) -> None:
        """Wait for something to be so."""
        async with asyncio.timeout(seconds):
            while not is_so():
                await asyncio.sleep(0.01)
