"""A telephone on the SIP line, as the exchange sees it: `Handset`, by messages to the line's process.

It has called, or it is called (`PlacedHandset`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from ivr.exchange.errors import HungUp
from ivr.exchange.handset import Dialled, Expecting
from ivr.exchange.intake import Intake
from ivr.exchange.sip.wire import say, sound_to_line

KEY_SECONDS = 0.25
"""From one key to the next: 100 ms of sound and a pause that every receiver tells apart."""
PAUSES = {"w": 0.5, "W": 1.0}
"""Seconds, as Twilio's SendDigits counts them."""

Send = Callable[[str | bytes], None]
DialStatus = Literal["completed", "no-answer", "busy", "failed"]


class SipHandset(Intake):
    """A `Handset` on the line. `send` hands one message over, in order, without waiting.

    Real telephones live in real time, whatever speed practice calls go at.
    """

    kind = "sip"

    def __init__(self, number: int, caller: str, dialled: str, send: Send) -> None:
        super().__init__()
        self.caller, self.dialled = caller, dialled
        self._number, self._send = number, send
        self._is_answered = False
        self._begun = self._over = 0
        self._dialled: Dialled | None = None

    def told(self, given: Mapping[str, Any]) -> None:
        """The line says something of this call."""
        match given.get("type"):
            case "answered":
                self._is_answered = True
            case "key":
                self.press(str(given.get("key")))
            case "played":
                self._over = max(self._over, int(given.get("play", 0)))
            case "dialled":
                self._dialled = Dialled(_status(given.get("status")), int(given.get("seconds", 0)))
            case "gone":
                self.is_gone = True
        self._news.set()

    async def answer(self) -> None:
        """Pick up, and wait until sound goes through."""
        self._say("answer")
        await self._until(lambda: self._is_answered)

    async def ring(self, seconds: float) -> None:
        """Let it ring; `HungUp` when the caller gives up."""
        await self._until(lambda: False, asyncio.get_running_loop().time() + seconds)

    async def reject(self, reason: str) -> None:
        """Refuse the call unanswered."""
        self._say("refuse", busy=reason == "busy")
        self.gone()

    async def play(self, pcm: bytes) -> None:
        """Hand over the whole sound; the line says when it is over, a moment early, so that nothing gapes."""
        if self.is_gone:
            raise HungUp("before the sound")
        if not pcm:
            return
        self._begun += 1
        play = self._begun
        for piece in sound_to_line(self._number, play, pcm):
            self._send(piece)
        try:
            await self._until(lambda: self._over >= play)
        except asyncio.CancelledError:
            self._say("flush")
            raise

    def listen(self) -> None:
        """Begin to keep what is heard."""
        super().listen()
        self._say("listen")

    def stop_listening(self) -> bytes:
        """What was heard and not yet taken."""
        self._say("deaf")
        return super().stop_listening()

    async def show(self, caption: str) -> None:
        """A telephone has no screen."""

    async def expect(self, what: Expecting, seconds: float = 0) -> None:
        """A telephone needs not be told."""

    async def hang_up(self, reason: str = "completed") -> None:
        """End the call once what was said is heard."""
        if not self.is_gone:
            self._say("hangup")
            self.gone()

    async def dial(self, number: str, timeout_seconds: float) -> Dialled:
        """Ring a person and join the two until one hangs up; keys pressed meanwhile are theirs."""
        self._dialled = None
        self._say("dial", number=number, seconds=timeout_seconds)
        await self._until(lambda: self._dialled is not None)
        self._keys.clear()
        return self._dialled or Dialled("failed")

    def _say(self, kind: str, **more: Any) -> None:
        if not self.is_gone:
            self._send(say(kind, self._number, **more))


class PlacedHandset(SipHandset):
    """A telephone that is called: `caller` is the number it sees, `dialled` its own."""

    def __init__(self, number: int, caller: str, dialled: str, send: Send) -> None:
        super().__init__(number, caller, dialled, send)
        self.ending: DialStatus = "failed"
        self._is_ringing = False

    def told(self, given: Mapping[str, Any]) -> None:
        """The line says something of this call."""
        match given.get("type"):
            case "ringing":
                self._is_ringing = True
            case "gone":
                self.ending = _status(given.get("status"))
        super().told(given)

    def place(self, headers: Mapping[str, str]) -> None:
        """Have it called."""
        self._say("place", to=self.dialled, headers=dict(headers), **{"from": self.caller})

    async def until_ringing(self) -> None:
        """Until it rings or is picked up at once. Raises HungUp; then `ending` tells why."""
        await self._until(lambda: self._is_ringing or self._is_answered)

    async def answer(self) -> None:
        """Until it is picked up. Raises HungUp; then `ending` tells why."""
        await self._until(lambda: self._is_answered)

    async def send_keys(self, digits: str) -> None:
        """Press keys, one after another; `w` and `W` wait. Raises HungUp."""
        for digit in digits:
            if digit not in PAUSES:
                self._say("press", key=digit)
            seconds = PAUSES.get(digit, KEY_SECONDS)
            await self._until(lambda: False, asyncio.get_running_loop().time() + seconds)

    async def cut_off(self) -> None:
        """End the call in the middle of a sound."""
        self._say("flush")
        await self.hang_up()


def _status(told: object) -> DialStatus:
    return next((known for known in get_args(DialStatus) if known == told), "failed")
