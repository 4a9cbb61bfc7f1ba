"""Places calls: dials, waits for an answer, listens who it is, then lets the call take its course."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from ivr.exchange.call import Call
from ivr.exchange.calling import Calling
from ivr.exchange.desk import Desk
from ivr.exchange.errands import Ended, Errand
from ivr.exchange.errors import HungUp, SpoolError
from ivr.exchange.handset import QUIET_SECONDS, Handset
from ivr.exchange.placing.machines import AnswerEar, Answered
from ivr.exchange.placing.orders import Order, Refused
from ivr.exchange.placing.placed import Ledger, Placed, now
from ivr.exchange.placing.telling import Telling
from ivr.exchange.sip.board import Board
from ivr.exchange.sip.handset import PlacedHandset

log = logging.getLogger(__name__)

Spawn = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
"""Begins a task that the exchange waits for when it stops."""


class Placer:
    """Places one exchange's calls. `busy` are the telephones in a call, whoever has called whom."""

    def __init__(self, desk: Desk, board: Board, busy: set[Handset], spawn: Spawn) -> None:
        self.ledger = Ledger()
        self._desk, self._board, self._busy, self._spawn = desk, board, busy, spawn

    def place(self, order: Order) -> Placed:
        """Begin to call. Raises Refused when there is no line to call through, or none is free for it."""
        settings = self._desk.settings
        if self.ledger.going_on() >= settings.max_placed or len(self._busy) >= self._most_busy:
            raise Refused(429, 20429, "Too Many Requests: no line is free for a call of ours")
        placed = Placed(order)

        def carry(handset: PlacedHandset) -> asyncio.Task[None]:
            placed.handset = handset
            return self._spawn(self._carry(placed, handset))

        if not self._board.place(order.from_, order.to, order.headers, carry):
            raise Refused(503, 20503, "Service Unavailable: no line is plugged in that calls out")
        self.ledger.enter(placed)
        return placed

    async def give_up(self, placed: Placed) -> None:
        """Ring no longer, or hang up."""
        placed.is_canceled = True
        if placed.handset:
            await placed.handset.cut_off()

    @property
    def _most_busy(self) -> int:
        """A quarter of the lines is left to those who call us; with less than four lines we take turns."""
        most = self._desk.settings.max_calls
        return most - most // 4

    async def _carry(self, placed: Placed, handset: PlacedHandset) -> None:
        self._busy.add(handset)
        telling = Telling(self._desk.door, self._desk.settings.account_sid, placed)
        try:
            calling = self._calling(placed)
            errand = Errand(calling.params, calling.status_url, status="failed")
            await self._keep(errand)
            telling.tell("initiated")
            ending = await self._reach(placed, handset, telling)
            if ending:
                await handset.hang_up()
                self._end(placed, telling, replace(errand, status=ending))
            else:
                await self._talk(placed, handset, telling)
        finally:
            self._busy.discard(handset)

    async def _reach(self, placed: Placed, handset: PlacedHandset, telling: Telling) -> Ended | None:
        """Until somebody has picked up: None. Otherwise how it ended."""
        try:
            async with asyncio.timeout(placed.order.ring_seconds):
                await handset.until_ringing()
                telling.tell("ringing")
                await handset.answer()
        except TimeoutError:
            return "no-answer"
        except HungUp:
            if placed.is_canceled:
                return "canceled"
            return "failed" if handset.ending == "completed" else handset.ending
        placed.answered_at = now()
        telling.tell("in-progress")
        return None

    async def _talk(self, placed: Placed, handset: PlacedHandset, telling: Telling) -> None:
        """Press keys and find out who it is, where that was ordered; then the call takes its course."""
        try:
            await handset.send_keys(placed.order.digits)
            if placed.order.detects_machine:
                placed.answered_by = "unknown"
                placed.answered_by = await _listen(handset, placed.order.detect_seconds)
        except HungUp:
            calling = self._calling(placed)
            self._end(placed, telling, Errand(calling.params, calling.status_url))
            return
        call = Call(
            self._desk, handset, self._calling(placed), lambda errand: self._end(placed, telling, errand)
        )
        await call.run()

    def _calling(self, placed: Placed) -> Calling:
        order, settings = placed.order, self._desk.settings
        return Calling(
            placed.params(settings.account_sid) | {"CallStatus": "in-progress"},
            order.url,
            order.status_callback if "completed" in order.events else "",
            min(order.most_seconds, settings.max_call_seconds),
            order.method,
            is_placed=True,
            is_quiet=order.is_quiet,
        )

    def _end(self, placed: Placed, telling: Telling, errand: Errand) -> None:
        """It is over: web is told until it has heard."""
        placed.status, placed.ended_at = errand.status, now()
        params = dict(errand.params) | telling.marks()
        self._desk.errands.run(replace(errand, params=params, seconds=placed.seconds), telling.last)

    async def _keep(self, errand: Errand) -> None:
        try:
            await self._desk.errands.keep(errand)
        except SpoolError as error:
            log.error("call %s: %s", errand.call_sid, error)


async def _listen(handset: PlacedHandset, seconds: float) -> Answered:
    """Who has picked up. Raises HungUp."""
    ear = AnswerEar()
    handset.listen()
    try:
        async with asyncio.timeout(seconds):
            while not ear.verdict:
                if sound := await handset.hear():
                    ear.hear(sound)
                else:
                    ear.rest(QUIET_SECONDS)
    except TimeoutError:
        log.info("a call is answered, nobody knows by whom")
    finally:
        handset.stop_listening()
    return ear.give_up()
