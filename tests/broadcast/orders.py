"""Jobs for loudspeakers behind the broker, and what was told of them."""

from __future__ import annotations

from typing import Any

from ivr.broadcast.loudspeakers import Job, SoundFile
from tests.broadcast.jobs import Ledger, job
from tests.broadcast.village import SoundServer

DEVICES = {f"ls_{n}": f"secret {n}" for n in range(8)}


def order(web: SoundServer, sound: SoundFile, play: str, speaker: str, **changes: Any) -> Job:
    """A job for one of DEVICES, an airing of its own unless told otherwise."""
    return job(
        SoundFile(sound.path, sound.sha256, sound.seconds, sound.media_type, web.url),
        {}, play, speaker=speaker, airing=changes.pop("airing", f"air_{play}"), **changes,
    )  # fmt: skip


def course(ledger: Ledger, play: str) -> list[tuple[str, str]]:
    """What was told of a play; what was told again in the same words counts once."""
    return list(dict.fromkeys(ledger.of(play)))
