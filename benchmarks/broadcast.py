"""Two hundred loudspeakers take a programme over a real broker; and how steadily multicast packets leave.

The baseline is a bare publish-and-acknowledge loop over the same broker: as many paho clients, in one process
as ours are, that answer each message with another. Messages are jobs and answers. The median
of eight rounds counts, the bare ones before and after ours.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import broadcast_bare, broadcast_pacing
from benchmarks.broadcast_village import MOSQUITTO, Village, crowd, village
from benchmarks.report import Measured
from ivr.broadcast.loudspeakers import Job, SoundFile, Speaker, Told
from ivr.broadcast.mqtt import MqttLoudspeakers
from ivr.broadcast.sound_links import SoundLinks
from ivr.broadcast.store import RATE, write_mp3
from speech.audio import Audio

LOUDSPEAKERS, ROUNDS = 200, 8
RATIO_TARGET, PLAYED_TARGET_SECONDS = 0.5, 5.0
SOUND_SECONDS = 20.0
LATER = timedelta(seconds=30)


def measure() -> Iterator[Measured]:
    """Loudspeakers behind a broker, then multicast."""
    if MOSQUITTO is None:
        print("!! NO MOSQUITTO HERE: loudspeakers behind a broker are not measured", file=sys.stderr)
    else:
        yield from _behind_a_broker()
    yield from broadcast_pacing.measure()


def _behind_a_broker() -> Iterator[Measured]:
    with tempfile.TemporaryDirectory(prefix="tj-broadcast-") as folder:
        home = Path(folder)
        sound = _sound(home)
        with village(home, LOUDSPEAKERS) as ours:
            before = _bare(ours)
            with crowd("benchmarks.broadcast_crowd", ours, str(sound.path)) as said:
                url = f"http://127.0.0.1:{said[1]}/sound"
                received, played = asyncio.run(_programmes(ours, sound, url))
            bare = median([*before, *_bare(ours)])
    messages = 2 * LOUDSPEAKERS
    rate, baseline = messages / received, messages / bare
    print(f"# bare: {baseline:.0f} messages a second", file=sys.stderr)
    yield Measured("broadcast.acknowledged", rate, "messages/s", RATIO_TARGET, rate / baseline)
    yield Measured("broadcast.all_played", played, "s", PLAYED_TARGET_SECONDS, None, is_at_most=True)


def _bare(ours: Village) -> list[float]:
    """Before and after ours, because other work on the machine comes and goes."""
    with crowd("benchmarks.broadcast_bare", ours):
        return broadcast_bare.publish(ours, ROUNDS)


@dataclass
class _Tally:
    """When the last of all loudspeakers said what is waited for."""

    wanted: int
    counts: dict[str, int] = field(default_factory=dict)
    done_at: dict[str, float] = field(default_factory=dict)

    def __call__(self, told: Told) -> None:
        if told.play_id is None:
            return
        what = told.detail if told.what == "failed" else told.what
        self.counts[what] = self.counts.get(what, 0) + 1
        if self.counts[what] == self.wanted:
            self.done_at[what] = time.perf_counter()

    def forget(self) -> None:
        """Begin anew."""
        self.counts.clear()
        self.done_at.clear()

    async def until(self, what: str) -> float:
        """Wait until all have said it; when the last did."""
        async with asyncio.timeout(120):
            while what not in self.done_at:
                await asyncio.sleep(0.005)
        return self.done_at[what]


async def _programmes(ours: Village, sound: SoundFile, url: str) -> tuple[float, float]:
    """Seconds until all have acknowledged a programme for later; until all have played one at once."""
    adapter, tally = MqttLoudspeakers(ours.broker, SoundLinks(ours.archive)), _Tally(LOUDSPEAKERS)
    await adapter.start(tally)
    while not adapter.is_up:
        await asyncio.sleep(0.02)
    await asyncio.sleep(1)  # the presences of all are in
    received, played = [], []
    for number in range(ROUNDS):
        received.append(await _one(adapter, tally, _jobs(ours, sound, url, f"l{number}", LATER), "received"))
        await adapter.stop(f"air_l{number}")
        await tally.until("stopped")
    for number in range(ROUNDS):
        played.append(await _one(adapter, tally, _jobs(ours, sound, url, f"n{number}"), "finished"))
    await adapter.close()
    return median(received), median(played)


async def _one(adapter: MqttLoudspeakers, tally: _Tally, jobs: list[Job], what: str) -> float:
    tally.forget()
    began = time.perf_counter()
    await asyncio.gather(*(adapter.air(job) for job in jobs))
    return await tally.until(what) - began


def _jobs(ours: Village, sound: SoundFile, url: str, name: str, later: timedelta = timedelta()) -> list[Job]:
    at = datetime.now(UTC) + later
    file = SoundFile(sound.path, sound.sha256, sound.seconds, sound.media_type, url)
    return [
        Job(f"pl_{name}_{number}", f"air_{name}", Speaker(user, {}), file, 1, at, at + timedelta(minutes=5))
        for number, user in enumerate(ours.secrets)
    ]


def _sound(home: Path) -> SoundFile:
    """A programme of twenty seconds."""
    wave = np.sin(np.arange(int(RATE * SOUND_SECONDS)) * (2 * np.pi * 440 / RATE)).astype(np.float32)
    data = write_mp3(Audio(wave * np.float32(0.3), RATE))
    path = home / "programme.mp3"
    path.write_bytes(data)
    return SoundFile(path, hashlib.sha256(data).hexdigest(), SOUND_SECONDS, "audio/mpeg")
