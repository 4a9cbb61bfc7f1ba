"""What a line is told when it starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Literal

Jitter = Literal["fixed", "adaptive", "off"]
Written = Literal["national", "e164"]


@dataclass(frozen=True)
class ProviderAccount:
    """Where the line registers: `user` at `domain` (`sip.example.com` or with `:port`)."""

    user: str
    domain: str
    password: str = field(repr=False)
    auth_user: str = ""


@dataclass(frozen=True)
class LineSettings:
    """One SIP line.

    `trunks` are the addresses, networks and names calls may come from; the line's own machine and those it
    registers with or dials through are let in besides. `speakers` are the addresses and networks of
    loudspeakers, which are called and may not call. `rtp_ports` is a range that nothing else on this machine
    uses: where two programs share one, callers hear each other. `out` is the host (or `host:port`)
    people are rung through, '' where none is, and `out_numbers` how it wants numbers written. `number` is
    taken as the number dialled where a call names none, `user` is the name the line goes by without an
    account. `region` tells how numbers without a country are meant. A call without sound for `dead_seconds`
    is over. `sentences` are WAV files for names in `ivr.exchange.sentences`: what the line says by itself
    while the exchange is away.
    """

    exchange: str
    token: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5070
    trunks: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    rtp_ports: tuple[int, int] = (16384, 17383)
    jitter: Jitter = "fixed"
    codecs: tuple[str, ...] = ("pcma", "pcmu")
    account: ProviderAccount | None = None
    out: str = ""
    out_numbers: Written = "national"
    number: str = ""
    region: str = "CN"
    user: str = "tingjian"
    most_calls: int = 30
    most_calls_a_minute: int = 120
    dead_seconds: int = 30
    sentences: Mapping[str, Path] = field(default_factory=dict)

    @property
    def welcome(self) -> tuple[str, ...]:
        """Everybody whose packets are let in."""
        others = (self.account.domain,) if self.account else ()
        return (*self._ours, *self.trunks, *self.speakers, *others, *((self.out,) if self.out else ()))

    @property
    def _ours(self) -> tuple[str, ...]:
        return ("127.0.0.1",) if self.host == "0.0.0.0" else ("127.0.0.1", self.host)

    def may_call(self, source: str) -> bool:
        """Whether a call from this address is taken. Who stands at a loudspeaker's socket is no caller: the
        number it would name could be anybody's.
        """
        here = ip_address(source) if source and self.speakers else None
        if here is None or not any(here in ip_network(one, strict=False) for one in self.speakers):
            return True
        known = [one for one in (*self._ours, *self.trunks) if not any(map(str.isalpha, one))]
        return any(here in ip_network(one.partition(":")[0], strict=False) for one in known)
