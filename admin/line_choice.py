"""How the telephone line is set: read from the environment, and refused in our words when it is nonsense."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

from ivr.exchange.sip.fence import FenceError, networks_of
from ivr.exchange.sip.settings import Jitter, ProviderAccount, Written

Value = Callable[[str], str]
_ACCOUNT = re.compile(r"([^@\s]+)@([^@\s/;]+)")
MOST_RING_SECONDS = 30
"""A trunk gives up after a minute, a caller sooner."""
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


@dataclass(frozen=True)
class LineChoice:
    """The line as it is set; `ivr.exchange.sip.settings` says what each means."""

    host: str = "127.0.0.1"
    port: int = 5070
    trunks: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    rtp_ports: tuple[int, int] = (16384, 17383)
    jitter: Jitter = "fixed"
    account: ProviderAccount | None = field(default=None)
    out: str = ""
    out_numbers: Written = "national"
    number: str = ""
    calls_a_minute: int = 120
    ring_seconds: int = 0


def read_line(value: Value) -> LineChoice | None:
    """The line from its variables, None when there is to be none. Raises ValueError in our words."""
    where = value("TINGJIAN_SIP")
    if where == "off":
        return None
    host, _, port = where.rpartition(":")
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise ValueError(f"TINGJIAN_SIP is {where!r}: it should look like 127.0.0.1:5070, or be off")
    return LineChoice(
        host=host or "127.0.0.1",
        port=int(port),
        trunks=_trunks(value("TINGJIAN_SIP_TRUNKS")),
        speakers=_speakers(value("TINGJIAN_SIP_SPEAKERS")),
        rtp_ports=_ports(value("TINGJIAN_SIP_RTP_PORTS")),
        jitter=_jitter(value("TINGJIAN_SIP_JITTER")),
        account=_account(value("TINGJIAN_SIP_ACCOUNT"), value("TINGJIAN_SIP_PASSWORD")),
        out=_out(value("TINGJIAN_SIP_OUT")),
        out_numbers=_written(value("TINGJIAN_SIP_OUT_NUMBERS")),
        number=value("TINGJIAN_SIP_NUMBER"),
        calls_a_minute=_count("TINGJIAN_SIP_CALLS_A_MINUTE", value("TINGJIAN_SIP_CALLS_A_MINUTE")),
        ring_seconds=_ring(value("TINGJIAN_SIP_RING_SECONDS")),
    )


def is_line_free(choice: LineChoice | None, tell: Callable[[str], None]) -> bool:
    """Whether a line can be started: it is set, and its port is free. A port that is taken is only told."""
    if choice is None:
        return False
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((choice.host, choice.port))
    except OSError as error:
        where = f"{choice.host}:{choice.port}"
        tell(
            f"电话线路用不了 {where}，先不开；请设置 TINGJIAN_SIP · no telephone line: {where} cannot be had"
            f" ({error.strerror}); set TINGJIAN_SIP to another, or to off"
        )
        return False
    return True


def _trunks(text: str) -> tuple[str, ...]:
    trunks = tuple(text.replace(",", " ").split())
    try:
        networks_of(trunk for trunk in trunks if not any(letter.isalpha() for letter in trunk))
    except FenceError as error:
        raise ValueError(f"TINGJIAN_SIP_TRUNKS: {error}") from error
    return trunks


def _speakers(text: str) -> tuple[str, ...]:
    """Addresses and networks, no names: the line compares every caller's address with them."""
    speakers = tuple(text.replace(",", " ").split())
    if any(letter.isalpha() for letter in text):
        raise ValueError("TINGJIAN_SIP_SPEAKERS: addresses and networks, such as 192.168.8.0/24, no names")
    try:
        networks_of(speakers)
    except FenceError as error:
        raise ValueError(f"TINGJIAN_SIP_SPEAKERS: {error}") from error
    return speakers


def _ports(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1024 <= first < last < 65536:
        raise ValueError(f"TINGJIAN_SIP_RTP_PORTS is {text!r}: it should look like 16384-17383")
    return first, last


def _jitter(text: str) -> Jitter:
    for known in get_args(Jitter):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"TINGJIAN_SIP_JITTER is {text!r}: it should be fixed, adaptive or off")


def _account(text: str, password: str) -> ProviderAccount | None:
    if not text:
        return None
    found = _ACCOUNT.fullmatch(text)
    if not found:
        raise ValueError("TINGJIAN_SIP_ACCOUNT should look like 057112345678@sip.example.com")
    return ProviderAccount(found[1], found[2], password)


def _out(text: str) -> str:
    if text and not _HOST.fullmatch(text):
        raise ValueError(f"TINGJIAN_SIP_OUT is {text!r}: it should be a host, or host:port")
    return text


def _written(text: str) -> Written:
    for known in get_args(Written):
        if text == known:
            return known  # type: ignore[no-any-return]
    raise ValueError(f"TINGJIAN_SIP_OUT_NUMBERS is {text!r}: it should be national or e164")


def _ring(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > MOST_RING_SECONDS:
        raise ValueError(f"TINGJIAN_SIP_RING_SECONDS is {text!r}: it should be from 0 to {MOST_RING_SECONDS}")
    return int(text)


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise ValueError(f"{name} is {text!r}: it should be a number from 1")
    return int(text)
