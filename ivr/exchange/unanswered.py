"""Numbers at which nobody is answered and everybody called back, as web told ahead of time.

Whoever rings there is to pay nothing, also while web is slow or away: then the exchange refuses by itself.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from ivr.exchange.door import Door
from ivr.exchange.errors import ExchangeError
from ivr.exchange.settings import ExchangeSettings

log = logging.getLogger(__name__)

KIND = "sip"
"""Only who calls by a real telephone is called back."""
FILE = "unanswered.json"


class Unanswered:
    """What is known of them; it outlives the exchange, for web may be away when it is started."""

    def __init__(self, settings: ExchangeSettings, door: Door) -> None:
        self._url = f"{settings.public_base.rstrip('/')}/calls/unanswered"
        self._account, self._door = settings.account_sid, door
        self._pause = settings.ask_unanswered_seconds
        self._file = settings.spool / FILE
        self.numbers = _read(self._file)

    def has(self, caller: str, dialled: str, kind: str) -> bool:
        """Whether this call is refused, should web not say otherwise in time. A withheld number never is."""
        return kind == KIND and bool(caller) and dialled in self.numbers

    async def keep_asking(self, changed: Callable[[], None]) -> None:
        """Ask web again and again, until cancelled. What was known stays while web does not answer."""
        while self._pause:
            try:
                await self._ask(changed)
            except (ExchangeError, OSError, ValueError) as error:
                log.warning("web does not say which numbers are not answered: %s", type(error).__name__)
            await asyncio.sleep(self._pause)

    async def _ask(self, changed: Callable[[], None]) -> None:
        told = json.loads(await self._door.inquire(self._url, {"AccountSid": self._account}))
        numbers = frozenset(str(one) for one in told["numbers"])
        if numbers != self.numbers:
            await asyncio.to_thread(_write, self._file, numbers)
            self.numbers = numbers
            changed()


def _read(file: Path) -> frozenset[str]:
    try:
        return frozenset(str(one) for one in json.loads(file.read_text("utf-8")))
    except (OSError, ValueError):
        return frozenset()


def _write(file: Path, numbers: Iterable[str]) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps(sorted(numbers)), "utf-8")
    os.replace(fresh, file)
