"""Who may reach the line's sockets: the kernel drops every other packet, so that a scanner hears nothing.

A classic BPF filter on a socket of one's own needs no right beyond owning it (Linux, `socket(7)`,
SO_ATTACH_FILTER). The SIP library never sees what is dropped, whatever it might have answered or crashed on.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network

from ivr.exchange.errors import ExchangeError

SO_ATTACH_FILTER = 26
IP_SOURCE = 0xFFF00000 + 12
"""SKF_NET_OFF, and where an IPv4 header has its source address."""
LOAD, AND, JUMP_UNLESS_EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06
WHOLE_PACKET, NOTHING = 0xFFFFFFFF, 0


class FenceError(ExchangeError):
    """The kernel takes no filter, or there are too many networks for one."""


@dataclass(frozen=True)
class Fence:
    """Lets packets from these IPv4 networks through."""

    networks: tuple[IPv4Network, ...]

    def guard(self, fd: int) -> None:
        """Put the fence round a socket, in place of the one it had. Raises FenceError."""
        program = self.program()
        code = ctypes.create_string_buffer(program)
        told = struct.pack("HP", len(program) // 8, ctypes.addressof(code))
        with _borrowed(fd) as guarded:
            try:
                guarded.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, told)
            except OSError as error:
                raise FenceError(f"the kernel takes no packet filter: {error.strerror}") from error

    def program(self) -> bytes:
        """The filter: for each network, is the source address in it? Then the packet passes."""
        steps = []
        for network in self.networks:
            steps += [
                (LOAD, 0, 0, IP_SOURCE),
                (AND, 0, 0, int(network.netmask)),
                (JUMP_UNLESS_EQUAL, 0, 1, int(network.network_address)),
                (RETURN, 0, 0, WHOLE_PACKET),
            ]
        return b"".join(struct.pack("HBBI", *step) for step in [*steps, (RETURN, 0, 0, NOTHING)])


def networks_of(given: Iterable[str]) -> tuple[IPv4Network, ...]:
    """Addresses, networks (`192.0.2.0/24`) and names as IPv4 networks; a name stands for all its addresses.

    Blocks on the resolver. A name that does not resolve, now, is left out. Raises FenceError for nonsense.
    """
    found: dict[IPv4Network, None] = {}
    for one in given:
        host = one.partition(":")[0]
        if any(letter.isalpha() for letter in host):
            with contextlib.suppress(OSError):
                for *_, address in socket.getaddrinfo(host, None, socket.AF_INET, socket.SOCK_DGRAM):
                    found[IPv4Network(str(address[0]))] = None
            continue
        try:
            found[IPv4Network(host, strict=False)] = None
        except ValueError as error:
            raise FenceError(f"{one!r} is no IPv4 address, network or name") from error
    return tuple(found)


class Warden:
    """Keeps the fence round this process's own sockets on certain ports, however many it opens."""

    def __init__(self, fence: Fence, ports: Iterable[int]) -> None:
        self._fence, self._ports = fence, frozenset(ports)
        self._inside: dict[str, int] = {}

    def guard(self) -> frozenset[int]:
        """Fence what has been opened since the last time; all ports that are fenced. Raises FenceError."""
        there = dict(_sockets())
        self._inside = {name: port for name, port in self._inside.items() if name in there}
        for name, fd in there.items():
            port = self._inside[name] if name in self._inside else _port(fd)
            if name not in self._inside and port in self._ports:
                self._fence.guard(fd)
            self._inside[name] = port
        return self._ports.intersection(self._inside.values())

    def move(self, fence: Fence) -> None:
        """Let in other networks from now on."""
        if fence != self._fence:
            self._fence = fence
            self._inside.clear()
            self.guard()


def _sockets() -> Iterator[tuple[str, int]]:
    """The sockets of this process: the kernel's name, as long-lived as the socket, and its number."""
    for fd in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            name = os.readlink(f"/proc/self/fd/{fd}")
            if name.startswith("socket:"):
                yield name, int(fd)


def _port(fd: int) -> int:
    """The UDP port of a socket; 0 when it is of another kind, or gone by now."""
    with contextlib.suppress(OSError), _borrowed(fd) as one:
        if one.family is socket.AF_INET and one.type is socket.SOCK_DGRAM:
            return int(one.getsockname()[1])
    return 0


@contextlib.contextmanager
def _borrowed(fd: int) -> Iterator[socket.socket]:
    with socket.socket(fileno=os.dup(fd)) as one:
        yield one
