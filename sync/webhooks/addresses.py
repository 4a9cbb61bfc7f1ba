"""Where a webhook may go: to public addresses over https, and to what the operator allows besides."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from sync.errors import RecordsError

LONGEST_URL = 2000
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all that IANA hands out; the rest of IPv6 is for other purposes
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address as IPv6-only networks reach it
_NOT_FOR_US: tuple[Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # looks public; in one large cloud it is the host that runs us
    IPv4Network("192.0.0.0/24"),  # RFC 6890: protocols; older Pythons call most of it global
    IPv4Network("192.88.99.0/24"),  # RFC 7526: relays into 6to4, whatever stands behind them
    IPv6Network("2001::/23"),  # RFC 2928: protocols
    IPv6Network("3fff::/20"),  # RFC 9637: documentation
)


class Unreachable(RecordsError):
    """A webhook may not or cannot go there; the message is one word of `PROBLEMS`, never an address."""


@dataclass(frozen=True)
class Reach:
    """What the operator allows besides public addresses: networks of their own, plain http there too."""

    allowed: tuple[Network, ...] = ()

    @classmethod
    def of(cls, text: str) -> Reach:
        """From `10.20.0.0/16, 192.168.1.5`. ValueError for what is no network."""
        return cls(tuple(ip_network(part.strip()) for part in text.split(",") if part.strip()))

    def admits(self, address: Address) -> bool:
        """Whether the operator has named this address."""
        return any(address in network for network in self.allowed if network.version == address.version)


PUBLIC_ONLY = Reach()


@dataclass(frozen=True)
class Target:
    """An address that has been looked up and checked: connect to one of `addresses`, to nothing else."""

    is_tls: bool
    host: str
    port: int
    path: str
    addresses: tuple[Address, ...]

    @property
    def host_header(self) -> str:
        """As HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def look_up(url: str, reach: Reach) -> Target:
    """Resolve the name once and check every address it has. Raises Unreachable.

    One address that is not allowed refuses them all: whoever mixes them wants us to try the wrong one.
    """
    parts = _parts(url)
    is_tls, host = parts.scheme == "https", parts.hostname or ""
    port = parts.port or (443 if is_tls else 80)
    addresses = tuple(_resolve(host, port))
    for address in addresses:
        if not reach.admits(address) and not is_public(address):
            raise Unreachable("address_not_public")
    if not is_tls and not all(map(reach.admits, addresses)):
        raise Unreachable("not_https")
    path = parts.path or "/"
    return Target(is_tls, host, port, f"{path}?{parts.query}" if parts.query else path, addresses)


def is_public(address: Address) -> bool:
    """Whether it belongs to the internet at large: not private, loopback, link-local, multicast, reserved.

    IPv6 addresses that carry an IPv4 one (mapped, 6to4, NAT64; Teredo both its own) are as public as that is.
    """
    if isinstance(address, IPv6Address) and (inner := list(_carried(address))):
        return all(map(is_public, inner))
    if any(address in network for network in _NOT_FOR_US if network.version == address.version):
        return False
    if isinstance(address, IPv6Address):
        return address in _GLOBAL_UNICAST and address.is_global
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _carried(address: IPv6Address) -> Iterator[IPv4Address]:
    if address.ipv4_mapped:
        yield address.ipv4_mapped
    elif address.sixtofour:
        yield address.sixtofour
    elif address.teredo:
        yield from address.teredo
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _parts(url: str) -> SplitResult:
    """The parts of an address a webhook can have. Raises Unreachable."""
    try:
        parts = urlsplit(url)
        is_sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_sound = False
    if not is_sound or len(url) > LONGEST_URL or not url.isascii() or not url.isprintable() or " " in url:
        raise Unreachable("no_such_address")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Unreachable("no_such_address")
    return parts


def _resolve(host: str, port: int) -> Iterator[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("name_unknown") from error
    for address in dict.fromkeys(str(one[4][0]) for one in found):
        if "%" in address:  # an interface of this machine: never beyond its own link
            raise Unreachable("address_not_public")
        yield ip_address(address)
