"""The doctor's look at the telephone line: its address, its ports, its fence, whom it may call."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

from admin.finding import Finding
from admin.health import is_plugged_in
from admin.line import SPARE_CALLS
from admin.line_choice import LineChoice, is_line_free
from admin.settings import Settings
from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.fence import Fence, networks_of

_KERNEL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def look_at_line(settings: Settings, is_running: bool) -> Iterator[Finding]:
    """Everything about the line, or that there is none. Changes nothing."""
    choice = settings.line
    if choice is None:
        yield Finding("telephone line", True, "off")
        return
    yield _plugged(settings, choice) if is_running else _port(choice)
    yield _sound_ports(choice, settings.lines + SPARE_CALLS)
    yield _fence()
    yield _trunks(choice)
    yield _calls_out(choice)


def _plugged(settings: Settings, choice: LineChoice) -> Finding:
    is_ok = is_plugged_in(settings)
    says = f"sip:{choice.host}:{choice.port} is {'plugged in' if is_ok else 'not plugged in'}"
    return Finding("telephone line", is_ok, says, "see line.log in TINGJIAN_HOME/logs")


def _port(choice: LineChoice) -> Finding:
    told: list[str] = []
    is_ok = is_line_free(choice, told.append)
    return Finding(
        "telephone line",
        is_ok,
        f"sip:{choice.host}:{choice.port} is {'free' if is_ok else 'not to be had'}",
        "set TINGJIAN_SIP to an address of this machine and a free UDP port, or to off",
    )


def _sound_ports(choice: LineChoice, calls: int) -> Finding:
    """Two ports a call, none of which the kernel hands to other programs."""
    first, last = choice.rtp_ports
    says = f"UDP {first}-{last}"
    if last - first + 1 < 2 * calls:
        return Finding(
            "sound ports", False, f"{says}: too few for {calls} calls", "widen TINGJIAN_SIP_RTP_PORTS"
        )
    lowest, highest = _kernel_ports()
    is_apart = last < lowest or highest < first
    told = f"keep TINGJIAN_SIP_RTP_PORTS out of {lowest}-{highest}: other programs are given those"
    return Finding("sound ports", is_apart, says, told)


def _kernel_ports() -> tuple[int, int]:
    try:
        lowest, highest = _KERNEL_PORTS.read_text("ascii").split()
    except (OSError, ValueError):
        return 32768, 60999
    return int(lowest), int(highest)


def _fence() -> Finding:
    """Whether the kernel keeps strangers away from our sockets."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as scratch:
            Fence(networks_of(["127.0.0.1"])).guard(scratch.fileno())
    except ExchangeError as error:
        told = "the line needs Linux with socket filters, which some sandboxes forbid"
        return Finding("line's fence", False, str(error), told)
    return Finding("line's fence", True, "the kernel takes packet filters")


def _trunks(choice: LineChoice) -> Finding:
    missing = [one for one in choice.trunks if not networks_of([one])]
    says = f"who may call: this machine{''.join(f', {one}' for one in choice.trunks)}"
    if missing:
        told = "correct TINGJIAN_SIP_TRUNKS, or the name server"
        return Finding("trunks", False, f"no address is known of {', '.join(missing)}", told)
    return Finding("trunks", True, says)


def _calls_out(choice: LineChoice) -> Finding:
    if choice.account and not choice.account.password:
        return Finding("line's account", False, "it has no password", "set TINGJIAN_SIP_PASSWORD")
    if not choice.out:
        return Finding("line calls out", True, "no: TINGJIAN_SIP_OUT names no host")
    is_known = bool(networks_of([choice.out]))
    told = "correct TINGJIAN_SIP_OUT, or the name server"
    return Finding("line calls out", is_known, f"through {choice.out}, numbers {choice.out_numbers}", told)
