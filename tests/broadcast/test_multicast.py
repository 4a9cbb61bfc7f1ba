"""Multicast loudspeakers: real packets to a second process, their headers, their sound, and how they end."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.broadcast_ear import Ear, Packet, listening
from ivr.broadcast.groups import group_of
from ivr.broadcast.loudspeakers import BroadcastError, SoundFile
from ivr.broadcast.multicast import MulticastLoudspeakers
from ivr.broadcast.pacing import LEAD_PACKETS, TAIL_PACKETS
from ivr.broadcast.rtp import LAWS, PACKET_BYTES, Stream
from tests.broadcast.jobs import Ledger, job, pcm_of, phone_sound
from tests.exchange.sip_phone import decoded
from tests.exchange.test_sip_line import resemblance
from tests.live import LIVE

pytestmark = pytest.mark.slow
PORT = 20_000 + os.getpid() % 4000 * 2
SQUARE = {"group": "239.255.70.1", "port": PORT}
SCHOOL = {"group": "239.255.70.2", "port": PORT, "law": "ulaw"}
LOOPBACK = "127.0.0.1"
QUIET_SECONDS = 0.15


@pytest.fixture(scope="module")
def ear() -> Iterator[Ear]:
    """Somebody who stands between the loudspeakers of both groups."""
    with listening([("239.255.70.1", PORT), ("239.255.70.2", PORT)]) as one:
        yield one


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SoundFile:
    """One programme of half a second."""
    return phone_sound(tmp_path_factory.mktemp("sound"), 0.5)


@asynccontextmanager
async def loudspeakers(ear: Ear) -> AsyncIterator[tuple[MulticastLoudspeakers, Ledger]]:
    """The adapter on this machine alone, closed afterwards; the ear has forgotten what was before."""
    ear.packets.clear()
    adapter, ledger = MulticastLoudspeakers(LOOPBACK), Ledger()
    await adapter.start(ledger)
    try:
        yield adapter, ledger
    finally:
        await adapter.close()


async def is_heard(ear: Ear, is_so: Callable[[], bool]) -> None:
    await Ledger().until(is_so)


def saying(packets: list[Packet], law: str) -> bytes:
    """What the packets sound like."""
    return decoded(b"".join(packet.body for packet in packets), law)


@LIVE
def test_every_group_hears_the_whole_programme_in_steady_well_numbered_packets(
    ear: Ear, sound: SoundFile
) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1", repeat=2))
            await adapter.air(job(sound, SCHOOL, "pl2", volume=50))
            await ledger.until(lambda: ledger.ended("pl1") and ledger.ended("pl2"))
            for play in ("pl1", "pl2"):
                assert ledger.of(play) == [("started", ""), ("finished", "unconfirmed")]
            count = LEAD_PACKETS + 100 + TAIL_PACKETS
            await is_heard(ear, lambda: len(ear.of(0)) >= count)

    asyncio.run(scene())
    square, school = ear.of(0), ear.of(1)
    assert (len(square), len(school)) == (LEAD_PACKETS + 100 + TAIL_PACKETS, LEAD_PACKETS + 25 + TAIL_PACKETS)
    for packets, law in ((square, "alaw"), (school, "ulaw")):
        assert {packet.payload for packet in packets} == {LAWS[law].payload}
        assert len({packet.ssrc for packet in packets}) == 1
        assert [packet.is_marked for packet in packets] == [True] + [False] * (len(packets) - 1)
        for before, after in pairwise(packets):
            assert (after.sequence - before.sequence) & 0xFFFF == 1
            assert (after.stamp - before.stamp) & 0xFFFFFFFF == PACKET_BYTES
        silence = LAWS[law].silence * PACKET_BYTES
        assert all(packet.body == silence for packet in packets[:LEAD_PACKETS] + packets[-TAIL_PACKETS:])
        took = packets[-1].at - packets[0].at
        assert abs(took - (len(packets) - 1) * 0.02) < 0.06  # no drift
    assert square[0].ssrc != school[0].ssrc
    programme = pcm_of(sound)
    assert resemblance(programme, saying(square[:60], "alaw")) > 0.99
    assert resemblance(programme, saying(square[60:], "alaw")) > 0.99  # the second time
    assert resemblance(programme, saying(school, "ulaw")) > 0.99
    loud, soft = (
        np.abs(np.frombuffer(saying(packets[LEAD_PACKETS:50], law), "<i2").astype(int)).mean()
        for packets, law in ((square, "alaw"), (school, "ulaw"))
    )
    assert soft / loud == pytest.approx(0.5, abs=0.02)


def test_a_job_that_comes_twice_or_for_a_neighbour_in_the_same_group_sounds_once(
    ear: Ear, sound: SoundFile
) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            first, neighbour = job(sound, SQUARE, "pl1"), job(sound, {**SQUARE, "law": "ulaw"}, "pl2")
            await adapter.air(first)
            await adapter.air(first)
            await ledger.until(lambda: ("started", "") in ledger.of("pl1"))
            await adapter.air(neighbour)
            await ledger.until(lambda: ledger.ended("pl2"))
            assert ledger.of("pl1") == ledger.of("pl2") == [("started", ""), ("finished", "unconfirmed")]
            await adapter.air(first)
            await adapter.air(job(sound, SQUARE, "pl3"))  # a third loudspeaker, handed down late
            await asyncio.sleep(QUIET_SECONDS)
            assert ledger.of("pl1") == ledger.of("pl3") == [("started", ""), ("finished", "unconfirmed")]

    asyncio.run(scene())
    assert len({packet.ssrc for packet in ear.of(0)}) == 1


def test_stop_is_silence_at_once_and_only_for_its_airing(ear: Ear, sound: SoundFile) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1"))
            await adapter.air(job(sound, SQUARE, "pl2", airing="ai2"))
            await adapter.air(job(sound, SCHOOL, "pl3", airing="ai2"))
            await ledger.until(lambda: ("started", "") in ledger.of("pl1") and len(ear.of(0)) > 30)
            await adapter.stop("ai1")
            silent_at = time.time()
            assert ledger.of("pl1")[-1] == ("failed", "stopped")
            await ledger.until(lambda: ledger.ended("pl2") and ledger.ended("pl3"))
            assert ledger.of("pl2")[-1] == ledger.of("pl3")[-1] == ("finished", "unconfirmed")
            first = ear.of(0)[0].ssrc
            assert all(packet.at <= silent_at for packet in ear.of(0) if packet.ssrc == first)
            assert len({packet.ssrc for packet in ear.of(0)}) == 2  # one after the other, never mixed
            waiting = job(sound, SQUARE, "pl4", airing="ai4", at=datetime.now(UTC) + timedelta(seconds=20))
            await adapter.air(waiting)
            await adapter.stop("ai4")  # before it began
            await adapter.air(waiting)
            assert ledger.of("pl4") == [("failed", "stopped")]

    asyncio.run(scene())


def test_an_emergency_cuts_in_and_what_waited_comes_after_it_or_expires(ear: Ear, sound: SoundFile) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            now = datetime.now(UTC)
            await adapter.air(job(sound, SQUARE, "pl1", repeat=9))
            await ledger.until(lambda: ("started", "") in ledger.of("pl1"))
            await adapter.air(job(sound, SQUARE, "pl2", airing="ai2"))
            soon = now + timedelta(seconds=0.8)
            await adapter.air(job(sound, SQUARE, "pl3", airing="ai3", expires_at=soon))
            await adapter.air(job(sound, SQUARE, "pl4", airing="ai4", is_emergency=True))
            await ledger.until(lambda: all(ledger.ended(f"pl{n}") for n in range(1, 5)))
            assert ledger.of("pl1")[-1] == ("failed", "interrupted")
            assert ledger.of("pl3") == [("failed", "expired")]
            ends = [one.play_id for one in ledger.told if one.what == "finished"]
            assert ends == ["pl4", "pl2"]

    asyncio.run(scene())


def test_what_must_not_sound_does_not(ear: Ear, sound: SoundFile, tmp_path: Path) -> None:
    async def scene() -> None:
        changed = phone_sound(tmp_path, 0.4)
        changed.path.write_bytes(sound.path.read_bytes())  # not what was approved
        past = datetime.now(UTC) - timedelta(seconds=1)
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1", airing="ai1", expires_at=past))
            await adapter.air(job(changed, SQUARE, "pl2", airing="ai2"))
            gone = replace(sound, path=tmp_path / "gone.wav")
            await adapter.air(job(gone, SQUARE, "pl3", airing="ai3"))
            await adapter.air(job(sound, {"group": "8.8.8.8", "port": 53}, "pl4", airing="ai4"))
            blocked = {**SQUARE, "interface": "203.0.113.77"}  # no card of ours
            await adapter.air(job(sound, blocked, "pl5", airing="ai5"))
            await ledger.until(lambda: all(ledger.ended(f"pl{n}") for n in range(1, 6)))
            ends = [ledger.of(f"pl{n}") for n in range(1, 6)]
            reasons = ["expired", "wrong_sum", "refused", "refused", "unreachable"]
            assert ends == [[("failed", reason)] for reason in reasons]

    asyncio.run(scene())
    assert not ear.packets


def test_a_killed_pacing_process_is_silence_and_the_next_programme_has_a_new_one(
    ear: Ear, sound: SoundFile
) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1", repeat=5))
            await adapter.air(job(sound, SCHOOL, "pl2", repeat=5))
            await ledger.until(lambda: ("started", "") in ledger.of("pl1"))
            os.kill(adapter.pacer.pid, signal.SIGKILL)
            await ledger.until(lambda: ledger.ended("pl1") and ledger.ended("pl2"))
            assert ledger.of("pl1")[-1] == ledger.of("pl2")[-1] == ("failed", "interrupted")
            await adapter.air(job(sound, SQUARE, "pl3", airing="ai3"))
            await ledger.until(lambda: ledger.ended("pl3"))
            assert ledger.of("pl3")[-1] == ("finished", "unconfirmed")

    asyncio.run(scene())


@LIVE
def test_a_process_that_was_held_up_goes_on_without_a_burst(ear: Ear, sound: SoundFile) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1"))
            await ledger.until(lambda: ("started", "") in ledger.of("pl1"))
            os.kill(adapter.pacer.pid, signal.SIGSTOP)
            await asyncio.sleep(0.4)
            os.kill(adapter.pacer.pid, signal.SIGCONT)
            await ledger.until(lambda: ledger.ended("pl1"))

    asyncio.run(scene())
    packets = ear.of(0)
    after = next(number for number, packet in enumerate(packets[1:], 1) if packet.is_marked)
    gap = (packets[after].stamp - packets[after - 1].stamp) & 0xFFFFFFFF
    assert 0.25 < gap / 8000 < 3
    assert packets[after].at - packets[after - 1].at == pytest.approx(gap / 8000, abs=0.05)
    assert len({packet.sequence for packet in packets}) == LEAD_PACKETS + 25 + TAIL_PACKETS
    assert resemblance(pcm_of(sound), saying(packets, "alaw")) > 0.99  # nothing left out


def test_a_closed_adapter_is_silent_and_has_said_so(ear: Ear, sound: SoundFile) -> None:
    async def scene() -> None:
        async with loudspeakers(ear) as (adapter, ledger):
            await adapter.air(job(sound, SQUARE, "pl1", repeat=5))
            await ledger.until(lambda: ("started", "") in ledger.of("pl1"))
            pid = adapter.pacer.pid
            await adapter.close()
            assert ledger.of("pl1")[-1] == ("failed", "interrupted")
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)

    asyncio.run(scene())


ANNOUNCER = """
import asyncio
from ivr.broadcast.pacer import Pacer
async def announce():
    pacer = Pacer(lambda name, what: None, lambda: None)
    more = {"law": "alaw", "ttl": 0, "interface": "127.0.0.1"}
    await pacer.send("one", bytes(8000 * 60), ("239.255.70.1", PORT), more)
    await asyncio.sleep(60)
asyncio.run(announce())
"""


def test_when_the_announcer_is_killed_its_groups_fall_silent(ear: Ear) -> None:
    ear.packets.clear()
    announcer = subprocess.Popen([sys.executable, "-c", ANNOUNCER.replace("PORT", str(PORT))])
    asyncio.run(is_heard(ear, lambda: len(ear.of(0)) > 5))
    announcer.kill()
    announcer.wait()
    killed_at = time.time()
    time.sleep(0.5)
    assert max(packet.at for packet in ear.of(0)) < killed_at + 0.25


def test_numbers_and_stamps_go_round_and_a_pause_is_marked() -> None:
    stream = Stream(b"\x01" * PACKET_BYTES * 3, LAWS["ulaw"])
    stream._sequence, stream._stamp = 0xFFFF, 0xFFFFFFFF - PACKET_BYTES + 1
    heads = []
    for number in range(3):
        if number == 2:
            stream.pause(10)
        packet = stream.packet()
        assert packet is not None
        heads.append(struct.unpack_from("!BBHI", packet))
    assert heads == [(0x80, 0x80, 0xFFFF, 0xFFFFFF60), (0x80, 0, 0, 0), (0x80, 0x80, 1, 11 * PACKET_BYTES)]
    assert stream.packet() is None


@pytest.mark.parametrize(
    "address",
    [
        {"group": "224.0.0.251", "port": 5353},  # what devices say among themselves
        {"group": "8.8.8.8", "port": 5004},
        {"group": "0.0.0.0", "port": 5004},
        {"group": "239.1.1.1", "port": 80},
        {"group": "239.1.1.1", "port": 5004, "ttl": 256},
        {"group": "239.1.1.1", "port": 5004, "law": "g722"},
        {"group": "239.1.1.1", "port": 5004, "interface": "eth0"},
        {"group": "村口", "port": 5004},
        {"port": 5004},
    ],
)
def test_an_address_that_can_not_be_meant_is_refused(address: dict[str, object]) -> None:
    with pytest.raises(BroadcastError):
        group_of(address)


def test_a_group_and_a_devices_own_address_are_taken() -> None:
    chosen = random.Random(3)
    for _ in range(50):
        host = f"239.{chosen.randrange(256)}.{chosen.randrange(256)}.{chosen.randrange(1, 255)}"
        port = chosen.randrange(1024, 65536)
        assert group_of({"group": host, "port": str(port)}).where == (host, port)
    assert group_of({"group": "192.168.1.20", "port": 5004, "ttl": 4}, "192.168.1.2").interface
