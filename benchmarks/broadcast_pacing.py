"""How steadily multicast packets leave beside busy workers, against a bare sender of twenty lines.

The pacing error is how far from 20 ms two packets of one group are apart, by the kernel's clock at a second
process. One busy worker to each core makes speech-sized arrays and hashes, as rendering a programme does.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import numpy as np

from benchmarks.broadcast_ear import Ear, listening
from benchmarks.report import Measured, percentile
from ivr.broadcast.pacer import Became, Pacer
from ivr.broadcast.rtp import PACKET_BYTES, PACKET_SECONDS

SECONDS = 10
INTERFACE = "127.0.0.1"
GROUPS = tuple((f"239.255.61.{number}", 20_610 + number * 2) for number in range(4))


def measure() -> Iterator[Measured]:
    """p99 of the pacing error of four groups at once beside busy workers; the bare sender sends to one."""
    alone = _p99(_bare())
    with busy_workers():
        bare, ours = _p99(_bare()), _p99(asyncio.run(_ours()))
    yield Measured("broadcast.pacing_p99_beside_workers", ours, "ms", 2, ours / bare, is_at_most=True)
    yield Measured("broadcast.pacing_p99_to_bare_alone", ours, "ms", 2, ours / alone, is_at_most=True)


def _p99(gaps: list[float]) -> float:
    return percentile([abs(gap - PACKET_SECONDS) * 1000 for gap in gaps], 99)


def _gaps(ear: Ear, groups: int) -> list[float]:
    """Seconds between packets that follow each other in their group."""
    found = []
    for group in range(groups):
        times = [packet.at for packet in ear.of(group)]
        assert len(times) > SECONDS / PACKET_SECONDS * 0.95, "packets are missing"
        found += [after - before for before, after in pairwise(times)]
    return found


def _bare() -> list[float]:
    with listening(GROUPS[:1], INTERFACE) as ear:
        subprocess.run([sys.executable, "-m", "benchmarks.broadcast_pacing", "bare"], check=True)
    return _gaps(ear, 1)


async def _ours() -> list[float]:
    over = {str(number): asyncio.Event() for number in range(len(GROUPS))}

    def hear(name: str, what: Became) -> None:
        if what in ("finished", "failed"):
            over[name].set()

    with listening(GROUPS, INTERFACE) as ear:
        pacer = Pacer(hear, lambda: None)
        sound = bytes(PACKET_BYTES * int(SECONDS / PACKET_SECONDS))
        more = {"law": "alaw", "ttl": 0, "interface": INTERFACE}
        for number, group in enumerate(GROUPS):
            await pacer.send(str(number), sound, group, more)
        for event in over.values():
            await event.wait()
        await pacer.close()
    return _gaps(ear, len(GROUPS))


@contextmanager
def busy_workers() -> Iterator[None]:
    """One on each core."""
    with ExitStack() as things:
        for _ in range(os.cpu_count() or 1):
            worker = subprocess.Popen([sys.executable, "-m", "benchmarks.broadcast_pacing", "busy"])
            things.callback(worker.wait)
            things.callback(worker.kill)
        time.sleep(1.0)  # until they are busy
        yield


def bare() -> None:
    """The bare sender: the same packets in the simplest loop that does not drift."""
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outlet.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(INTERFACE))
    due = time.monotonic()
    for number in range(int(SECONDS / PACKET_SECONDS)):
        head = bytes([0x80, 8]) + number.to_bytes(2, "big") + (number * PACKET_BYTES).to_bytes(4, "big")
        outlet.sendto(head + b"bare" + bytes(PACKET_BYTES), GROUPS[0])
        due += PACKET_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))


def busy() -> None:
    """A worker with more to do than there is time."""
    rng = np.random.default_rng(1)
    while True:
        sound = rng.normal(size=1 << 18).astype(np.float32)
        hashlib.sha256(np.fft.irfft(np.fft.rfft(sound)).tobytes()).hexdigest()


if __name__ == "__main__":
    {"bare": bare, "busy": busy}[sys.argv[1]]()
