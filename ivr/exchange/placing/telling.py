"""Tells web how a call we place goes on: signed, one after another, in their order."""

from __future__ import annotations

import asyncio
import logging

from ivr.exchange.door import Door
from ivr.exchange.placing.placed import Placed, Status, now, written

log = logging.getLogger(__name__)

EVENTS: dict[Status, str] = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
TRIES, PAUSE_SECONDS = 3, 0.5


class Telling:
    """The status callbacks of one call but the last: that one is an errand, which waits for `last`."""

    def __init__(self, door: Door, account: str, placed: Placed) -> None:
        self._door, self._account, self._placed = door, account, placed
        self._sequence = 0
        self.last: asyncio.Task[None] | None = None

    def tell(self, status: Status) -> None:
        """This is how it stands now."""
        placed = self._placed
        placed.status = status
        if placed.order.status_callback and EVENTS.get(status) in placed.order.events:
            params = placed.params(self._account) | {"CallStatus": status} | self.marks()
            self.last = asyncio.create_task(self._in_turn(self.last, params))

    def marks(self) -> dict[str, str]:
        """What every callback carries besides."""
        self._sequence += 1
        return {
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(self._sequence - 1),
            "Timestamp": written(now()) or "",
        }

    async def _in_turn(self, before: asyncio.Task[None] | None, params: dict[str, str]) -> None:
        if before:
            await asyncio.wait({before})
        for _ in range(TRIES):
            if 200 <= await self._door.tell(self._placed.order.status_callback, params) < 500:
                return
            await asyncio.sleep(PAUSE_SECONDS)
        log.warning("call %s: web did not hear that it is %s", self._placed.sid, params["CallStatus"])
