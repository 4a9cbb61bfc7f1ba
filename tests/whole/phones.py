"""Telephones for scripts: calls through the real exchange over its WebSocket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.tickets import make_ticket
from tests.conftest import COMMUNITY_NUMBER
from tests.whole.town import Town


@dataclass
class ElderPhone:
    """A telephone whose every key waits until the call takes keys. `reached` is what was acknowledged."""

    phone: ScriptedPhone
    reached: list[str] = field(default_factory=list)

    async def press(self, *keys: str) -> None:
        """Press one key after another, each when the call asks for one."""
        for key in keys:
            await self.phone.wait_for_keys()
            await self.phone.press(key)

    async def hears_on(self, acknowledged: str) -> None:
        """The call has gone on: what was given before is acknowledged."""
        await self.phone.wait_for_keys()
        self.reached.append(acknowledged)

    async def speak(self, sound: bytes, finish: str = "#") -> None:
        """Speak after the beep."""
        await self.phone.wait_for_speech()
        await self.phone.speak(sound)
        if finish:
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
        yield ElderPhone(phone)
