"""A loudspeaker of our own on a SIP line: picks up by itself and plays what it hears into a WAV file.

With a PIN it stands for the adapters of village loudspeakers that are opened by keys: until they are pressed
nothing is played.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ivr.broadcast.player import WavPlayer
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.stack import Leg, Stack

LOOK_SECONDS = 0.04
FIRST_RTP_PORT, RTP_PORTS = 20_000, 40
"""Ports a loudspeaker needs for its one call, with some to spare for the one before it."""


@dataclass
class SipLoudspeaker:
    """Takes one call at a time; others hear that it is busy. `say` gets a line for whoever watches."""

    stack: Stack
    player: WavPlayer
    pin: str = ""
    say: Callable[[str], None] = lambda line: None
    _leg: Leg | None = None
    _keys: str = ""
    _is_open: bool = True
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Live until cancelled, or until the stack dies. Raises StackError where it does not start."""
        self.stack.on_dead = self._news.set
        await self.stack.start(self._take)
        try:
            self.say("在等电话 · waiting for calls")
            while not self._news.is_set():
                await asyncio.sleep(LOOK_SECONDS)
                self._hear()
        finally:
            await self.stack.close()

    def _take(self, leg: Leg) -> None:
        if self._leg is not None and not self._leg.is_over:
            leg.refuse(is_busy=True)
            self.say("又有人打来，回了占线 · another call: busy")
            return
        self._leg, self._keys, self._is_open = leg, "", not self.pin
        leg.on_key = self._press
        leg.on_over = self._over
        leg.answer()
        self.say("自动接听 · picked up")

    def _press(self, digit: str) -> None:
        self._keys = (self._keys + digit)[-len(self.pin) :]
        if not self._is_open and self._keys == self.pin:
            self._is_open = True
            self.say("口令正确，开始播 · the right keys: it plays")

    def _hear(self) -> None:
        if self._leg is None:
            return
        heard = self._leg.read()
        if heard and self._is_open:
            self.player.write(np.frombuffer(heard, "<i2").astype(np.float32) / np.float32(32768))

    def _over(self) -> None:
        self._hear()
        self._leg = None
        self.say("挂断 · over")


def speaker_line(host: str, port: int, welcome: tuple[str, ...]) -> LineSettings:
    """A telephone that only those on the list, and this machine, can call. Another port, other RTP ports."""
    first_rtp = FIRST_RTP_PORT + port % 500 * RTP_PORTS
    return LineSettings(
        exchange="",
        token="",
        host=host,
        port=port,
        trunks=welcome,
        rtp_ports=(first_rtp, first_rtp + RTP_PORTS),
        user="loudspeaker",
        most_calls=2,
    )
