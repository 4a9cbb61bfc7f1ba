"""A second process that listens to multicast groups, and to the kernel's word for when each packet came.

`python -m benchmarks.broadcast_ear INTERFACE GROUP:PORT…` until its standard input ends.
"""

from __future__ import annotations

import selectors
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread

SO_TIMESTAMPNS = 35
HEAD = struct.Struct("!dHI")
READY = b"ready\n"


@dataclass(frozen=True)
class Packet:
    """One RTP packet: seconds of the kernel's clock, the number of its group, its header, its sound."""

    at: float
    group: int
    is_marked: bool
    payload: int
    sequence: int
    stamp: int
    ssrc: int
    body: bytes


class Ear:
    """What the process has told so far; `ports` are those of the groups, in order."""

    def __init__(self, process: subprocess.Popen[bytes], ports: Sequence[int]) -> None:
        self.packets: list[Packet] = []
        self.ports = ports
        self._process = process
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def of(self, group: int = 0) -> list[Packet]:
        """The packets of one group, as they came."""
        return [packet for packet in list(self.packets) if packet.group == group]

    def close(self) -> None:
        """End it, once everything that came has been told."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._reading.join(5)
        self._process.wait(5)

    def _read(self) -> None:
        told = self._process.stdout
        assert told is not None
        while len(head := told.read(HEAD.size)) == HEAD.size:
            at, group, length = HEAD.unpack(head)
            data = told.read(length)
            first, second, sequence, stamp, ssrc = struct.unpack_from("!BBHII", data)
            assert first == 0x80, "RTP version 2, no padding, no extension"
            self.packets.append(
                Packet(at, group, bool(second & 0x80), second & 0x7F, sequence, stamp, ssrc, data[12:])
            )


@contextmanager
def listening(groups: Sequence[tuple[str, int]], interface: str = "127.0.0.1") -> Iterator[Ear]:
    """A process that has joined these groups, ended afterwards."""
    named = [f"{group}:{port}" for group, port in groups]
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.broadcast_ear", interface, *named],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == READY
    ear = Ear(process, [port for _, port in groups])
    try:
        yield ear
    finally:
        ear.close()


def joined(group: str, port: int, interface: str) -> socket.socket:
    """A socket that hears a group."""
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    one.bind((group, port))
    membership = socket.inet_aton(group) + socket.inet_aton(interface)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    return one


def main(interface: str, named: Sequence[str]) -> None:
    """Listen and tell."""
    chosen = selectors.DefaultSelector()
    for number, name in enumerate(named):
        group, port = name.split(":")
        chosen.register(joined(group, int(port), interface), selectors.EVENT_READ, number)
    chosen.register(sys.stdin, selectors.EVENT_READ, None)
    out = sys.stdout.buffer
    out.write(READY)
    out.flush()
    while True:
        for key, _ in chosen.select():
            if key.data is None:
                return
            assert isinstance(key.fileobj, socket.socket)
            data, more, _, _ = key.fileobj.recvmsg(2048, 128)
            seconds, nanoseconds = struct.unpack("qq", more[0][2])
            out.write(HEAD.pack(seconds + nanoseconds / 1e9, key.data, len(data)) + data)
            out.flush()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
