"""Telephones for scripts: calls through the real exchange over its WebSocket."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.tickets import make_ticket
from tests.conftest import COMMUNITY_NUMBER
from tests.whole.town import Town

NO_SLIP_SECONDS = 3.0
"""Web measures double taps by the clock on the wall and from the moment it gave the turn."""


@dataclass
class ElderPhone:
    """A telephone whose every key waits until the call takes keys. `reached` is what was acknowledged."""

    phone: ScriptedPhone
    speed: float = 1.0
    reached: list[str] = field(default_factory=list)
    _last: tuple[str, float] = ("", 0.0)

    async def press(self, *keys: str) -> None:
        """Press one key after another, each when the call asks for one, never like a slip."""
        for key in keys:
            await self.phone.wait_for_keys()
            last, pressed_at = self._last
            if key == last:
                await asyncio.sleep(max(0.0, pressed_at + NO_SLIP_SECONDS - time.monotonic()))
            self._last = (key, time.monotonic())
            await self.phone.press(key)

    async def double_tap(self, key: str) -> None:
        """Press a key twice in a row, as trembling fingers do."""
        await self.press(key)
        await self.phone.press(key, is_double_tap=True)

    async def pause(self, seconds: float) -> None:
        """Let so much of the call's own time pass."""
        await asyncio.sleep(seconds / self.speed)

    async def hears_on(self, acknowledged: str) -> None:
        """The call has gone on: what was given before is acknowledged."""
        await self.phone.wait_for_keys()
        self.reached.append(acknowledged)

    async def speak(self, sound: bytes, finish: str = "#") -> None:
        """Speak after the beep."""
        await self.phone.wait_for_speech()
        await self.phone.speak(sound)
        if finish:
            self._last = (finish, time.monotonic())
            await self.phone.press(finish)

    def said(self, part: str) -> bool:
        """Whether the call has said this."""
        return any(part in caption for caption in self.phone.heard)


@asynccontextmanager
async def lifted(place: Town, caller: str) -> AsyncIterator[ElderPhone]:
    """A telephone in a call from `caller`; hung up at the end."""
    ticket = make_ticket(place.token, "terminal")
    phone = ScriptedPhone(place.settings.phone_url, ticket, caller, COMMUNITY_NUMBER)
    async with phone:
        yield ElderPhone(phone, place.plan.speed)
