"""A loudspeaker of every kind behind one handle, so that all are held to the same promises."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Protocol

from benchmarks.broadcast_ear import Ear
from ivr.broadcast.files import FileLoudspeakers
from ivr.broadcast.loudspeakers import Job, Loudspeakers, SoundFile
from ivr.broadcast.lying import read_index
from ivr.broadcast.mqtt import MqttLoudspeakers
from ivr.broadcast.multicast import MulticastLoudspeakers
from ivr.broadcast.paging import PagedLoudspeakers
from ivr.broadcast.rtp import LAWS, PACKET_BYTES
from ivr.broadcast.sound_links import SoundLinks
from tests.broadcast.broker import RealBroker
from tests.broadcast.jobs import Ledger, job
from tests.broadcast.paging_town import Village, WrittenLedger
from tests.broadcast.village import Mouth, SoundServer, loudspeaker, until
from tests.exchange.sip_person import Person
from tests.exchange.sip_town import SipTown

HEARD_BYTES = 8_000  # half a second
_numbers = count(1)


class Rig(Protocol):
    """One adapter and the loudspeakers behind it. Every job is for one of its own."""

    adapter: Loudspeakers
    ledger: Ledger
    says_so: bool
    """Whether word comes back of what was heard."""

    async def job(self, times: int = 1, expires: float = 30, wait: float = 0) -> Job:
        """A job that sounds so many times in a row, due in `wait` seconds."""
        ...

    def begun(self, job: Job) -> int:
        """How often its sound has begun there."""
        ...

    async def die(self, job: Job) -> None:
        """Its loudspeaker, or the way there, is gone without a word."""
        ...


def plain(sound: SoundFile, address: dict[str, Any], times: int, expires: float, wait: float) -> Job:
    """A job of its own number."""
    n, now = next(_numbers), datetime.now(UTC)
    return job(
        sound, address, f"pl{n}", airing=f"ai{n}", speaker=f"ls_{n}", repeat=times,
        at=now + timedelta(seconds=wait), expires_at=now + timedelta(seconds=expires),
    )  # fmt: skip


@dataclass
class MulticastRig:
    """A second process listens to `groups`."""

    ear: Ear
    groups: list[tuple[str, int]]
    sound: SoundFile
    ledger: Ledger = field(default_factory=Ledger)
    says_so = False

    def __post_init__(self) -> None:
        self.adapter = MulticastLoudspeakers("127.0.0.1")

    async def job(self, times: int = 1, expires: float = 30, wait: float = 0) -> Job:
        group, port = self.groups.pop(0)
        return plain(self.sound, {"group": group, "port": port}, times, expires, wait)

    def begun(self, job: Job) -> int:
        silence = LAWS["alaw"].silence * PACKET_BYTES
        port = job.loudspeaker.address["port"]
        heard = [packet for packet in list(self.ear.packets) if self.ear.ports[packet.group] == port]
        return len({packet.ssrc for packet in heard if packet.body != silence})

    async def die(self, job: Job) -> None:
        os.kill(self.adapter.pacer.pid, signal.SIGKILL)


@dataclass
class FilesRig:
    """Folders below a root."""

    root: Path
    sound: SoundFile
    ledger: Ledger = field(default_factory=Ledger)
    says_so = False

    def __post_init__(self) -> None:
        self.adapter = FileLoudspeakers(self.root)

    async def job(self, times: int = 1, expires: float = 30, wait: float = 0) -> Job:
        return plain(self.sound, {}, times, min(expires, 1.0), wait)

    def begun(self, job: Job) -> int:
        return sum(one.state != "coming" for one in read_index(self.root / job.loudspeaker.id))

    async def die(self, job: Job) -> None:
        self.root.rename(self.root.with_name("gone"))
        self.root.write_text("no folder any more")


@dataclass
class SipRig:
    """Telephones that pick up by themselves."""

    village: Village
    town: SipTown
    people: dict[str, Person] = field(default_factory=dict)
    says_so = True

    def __post_init__(self) -> None:
        self.ledger = WrittenLedger(village=self.village)
        self.adapter = self.village.adapter(PagedLoudspeakers, self.town.exchange.port)

    async def job(self, times: int = 1, expires: float = 30, wait: float = 0) -> Job:
        one = Person()
        await one.open()
        found = self.village.job({"uri": one.address}, repeat=times, expires=expires, wait=wait)
        self.people[found.play_id] = one
        return found

    def begun(self, job: Job) -> int:
        """Documents given: each makes its telephone sound."""
        path = self.village.path(job)
        return sum(asked == path for asked in self.village.given)

    async def die(self, job: Job) -> None:
        one = self.people[job.play_id]
        await until(lambda: len(one.heard) >= HEARD_BYTES)  # one that never sends sound has no microphone
        one.close()


@dataclass
class MqttRig:
    """Simulated loudspeakers behind a real broker, in this loop."""

    broker: RealBroker
    secrets: dict[str, str]
    links: SoundLinks
    web: SoundServer
    sound: SoundFile
    things: AsyncExitStack
    ledger: Ledger = field(default_factory=Ledger)
    mouths: dict[str, Mouth] = field(default_factory=dict)
    living: dict[str, AsyncExitStack] = field(default_factory=dict)
    says_so = True

    def __post_init__(self) -> None:
        self.adapter = MqttLoudspeakers(self.broker.ours, self.links)

    async def job(self, times: int = 1, expires: float = 30, wait: float = 0) -> Job:
        told = SoundFile(
            self.sound.path, self.sound.sha256, self.sound.seconds, self.sound.media_type, self.web.url
        )
        found = plain(told, {}, 1, expires, wait)
        user = found.loudspeaker.id
        mouth = self.mouths[found.play_id] = Mouth(seconds=self.sound.seconds * times)
        stack = self.living[found.play_id] = AsyncExitStack()
        await self.things.enter_async_context(stack)
        await stack.enter_async_context(loudspeaker(self.broker.address(user, self.secrets[user]), mouth))
        await until(lambda: any(one.loudspeaker_id == user for one in self.ledger.told))
        return found

    def begun(self, job: Job) -> int:
        return self.mouths[job.play_id].begun

    async def die(self, job: Job) -> None:
        await self.living[job.play_id].aclose()


@asynccontextmanager
async def working(*rigs: Rig) -> AsyncIterator[None]:
    """Their adapters at work, closed afterwards."""
    async with AsyncExitStack() as things:
        for rig in rigs:
            await rig.adapter.start(rig.ledger)
            things.push_async_callback(rig.adapter.close)
        yield
