"""What the tests of loudspeakers behind a broker share: a server of sound, loudspeakers in the same loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.loudspeakers import Report
from ivr.broadcast.mqtt import MqttLoudspeakers
from ivr.broadcast.played import Memory
from ivr.broadcast.simulator import SimulatedLoudspeaker
from ivr.broadcast.sound_links import SoundLinks
from speech.audio import Audio
from sync.archive import Archive


@dataclass
class SoundServer:
    """Gives `data` to all. `moods` are statuses given first, one a request; `clock`: how wrong its own is."""

    data: bytes
    moods: list[int] = field(default_factory=list)
    pause: float = 0.0
    clock: float = 0.0
    asked: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sound"


@contextmanager
def sound_server(data: bytes) -> Iterator[SoundServer]:
    """A server of one sound, ended afterwards."""
    ours = SoundServer(data)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ours.asked += 1
            time.sleep(ours.pause)
            status = ours.moods.pop(0) if ours.moods else 200
            self.send_response_only(status)
            self.send_header("Date", formatdate(time.time() + ours.clock, usegmt=True))
            self.send_header("Content-Length", str(len(ours.data) if status == 200 else 0))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(ours.data if status == 200 else b"")

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ours.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield ours
    server.shutdown()
    server.server_close()


@dataclass
class Mouth:
    """A player that keeps what it played: (volume, seconds played). `seconds` is how long a sound takes."""

    seconds: float = 0.0
    played: list[tuple[int, Audio]] = field(default_factory=list)
    begun: int = 0

    async def play(self, sound: Audio, volume: int) -> None:
        self.begun += 1
        await asyncio.sleep(self.seconds)
        self.played.append((volume, sound))


@asynccontextmanager
async def announcer(broker: Broker, archive: Archive, report: Report) -> AsyncIterator[MqttLoudspeakers]:
    """Our side of the broker."""
    ours = MqttLoudspeakers(broker, SoundLinks(archive, "http://127.0.0.1:9"))
    await ours.start(report)
    await until(lambda: ours.is_up)
    try:
        yield ours
    finally:
        await ours.close()


@asynccontextmanager
async def loudspeaker(
    broker: Broker, mouth: Mouth, memory: Path | None = None
) -> AsyncIterator[SimulatedLoudspeaker]:
    """One loudspeaker in this loop."""
    device = SimulatedLoudspeaker(broker, Memory(memory), mouth)
    living = asyncio.create_task(device.run())
    try:
        await until(lambda: device.is_up)
        yield device
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)


async def until(is_so, seconds: float = 15.0) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(seconds):
        while not is_so():
            await asyncio.sleep(0.01)


def loudness(audio: Audio) -> float:
    return float(np.sqrt(np.mean(np.square(audio.samples))))
