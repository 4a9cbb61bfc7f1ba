"""Where the line's process plugs into the exchange: one WebSocket, a handset for every call on it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from aiohttp import WSMsgType, web

from ivr.exchange.handset import Handset
from ivr.exchange.sip.handset import PlacedHandset, SipHandset
from ivr.exchange.sip.wire import FIRST_PLACED, MOST_MESSAGE_BYTES, read_from_line, said, say

log = logging.getLogger(__name__)

CLOSE_SECONDS = 2.0
Take = Callable[[Handset], asyncio.Task[None]]
"""Carries one call through, in a task."""
Carry = Callable[[PlacedHandset], asyncio.Task[None]]
Miss = Callable[[str, str, str], None]
"""Hears of a call nobody took: who called, which number, and when."""


class Board:
    """The lines plugged in. `unanswered` gives the numbers that a line left alone is to refuse."""

    def __init__(self, take: Take, miss: Miss, unanswered: Callable[[], Iterable[str]]) -> None:
        self._take, self._miss, self._unanswered = take, miss, unanswered
        self._plugs: set[Plug] = set()

    async def plug(self, request: web.Request) -> web.WebSocketResponse:
        """One line, until it is unplugged: then all its calls are over, as if everybody had hung up."""
        socket = web.WebSocketResponse(
            timeout=CLOSE_SECONDS, heartbeat=10, max_msg_size=MOST_MESSAGE_BYTES, compress=False
        )
        await socket.prepare(request)
        plug = Plug(socket, self._take, self._miss, self._unanswered)
        self._plugs.add(plug)
        log.info("a line is plugged in")
        try:
            await plug.serve()
        finally:
            self._plugs.discard(plug)
            log.info("a line is unplugged")
        return socket

    async def stop(self) -> None:
        """Unplug all of them. Calls that are ending may still say so."""
        await asyncio.gather(*(plug.close() for plug in self._plugs))

    def tell_unanswered(self) -> None:
        """Those numbers are others now."""
        for plug in self._plugs:
            plug.tell_unanswered()

    @property
    def count(self) -> int:
        """How many lines are plugged in and take calls."""
        return sum(plug.is_ready for plug in self._plugs)

    @property
    def dials(self) -> bool:
        """Whether a line is plugged in that calls numbers."""
        return any(plug.dials for plug in self._plugs)

    def place(self, caller: str, dialled: str, headers: Mapping[str, str], carry: Carry) -> bool:
        """Call somebody and let `carry` go on with it; False when no line can."""
        is_number = not dialled.startswith("sip:")
        for plug in self._plugs:
            if plug.dials or (plug.is_ready and not is_number):
                plug.place(caller, dialled, headers, carry)
                return True
        return False


class Plug:
    """One line's end at the exchange. `dials`: the line has somebody to call numbers through."""

    def __init__(
        self, socket: web.WebSocketResponse, take: Take, miss: Miss, unanswered: Callable[[], Iterable[str]]
    ) -> None:
        self.is_ready = self.dials = False
        self._socket, self._take, self._miss, self._unanswered = socket, take, miss, unanswered
        self._last_placed = FIRST_PLACED
        self._handsets: dict[int, SipHandset] = {}
        self._calls: set[asyncio.Task[None]] = set()
        self._outgoing: asyncio.Queue[str | bytes] = asyncio.Queue()

    async def serve(self) -> None:
        """Pass messages to their calls until the line is gone, then let the calls end."""
        sending = asyncio.create_task(self._deliver())
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    call, sound = read_from_line(message.data)
                    if handset := self._handsets.get(call):
                        handset.take_in(sound)
                elif message.type is WSMsgType.TEXT:
                    self._hear(said(message.data))
        finally:
            sending.cancel()
            self.is_ready = self.dials = False
            for handset in self._handsets.values():
                handset.gone()
            if self._calls:
                await asyncio.wait(self._calls)

    async def close(self) -> None:
        """Say what is still to be said, then unplug."""
        while not self._outgoing.empty() and not self._socket.closed:
            await asyncio.sleep(0.01)
        await self._socket.close()

    def place(self, caller: str, dialled: str, headers: Mapping[str, str], carry: Carry) -> None:
        """Call somebody."""
        self._last_placed += 1
        handset = PlacedHandset(self._last_placed, caller, dialled, self._outgoing.put_nowait)
        handset.place(headers)
        self._hold(self._last_placed, handset, carry(handset))

    def tell_unanswered(self) -> None:
        """Tell which numbers to refuse, should we be gone."""
        self._outgoing.put_nowait(say("unanswered", 0, numbers=sorted(self._unanswered())))

    def _hear(self, given: Mapping[str, Any]) -> None:
        number, kind = given.get("call", 0), given.get("type")
        caller, dialled = str(given.get("from", "")), str(given.get("to", ""))
        if kind == "ready":
            self.is_ready, self.dials = True, bool(given.get("dials"))
            self.tell_unanswered()
        elif kind == "missed":
            self._miss(caller, dialled, str(given.get("at", "")))
        elif kind == "ring":
            handset = SipHandset(number, caller, dialled, self._outgoing.put_nowait)
            self._hold(number, handset, self._take(handset))
        elif known := self._handsets.get(number):
            known.told(given)

    def _hold(self, number: int, handset: SipHandset, call: asyncio.Task[None]) -> None:
        self._handsets[number] = handset
        self._calls.add(call)
        call.add_done_callback(lambda ended: self._ended(number, ended))

    def _ended(self, number: int, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._handsets.pop(number, None)

    async def _deliver(self) -> None:
        """Everything in the order it was said."""
        while True:
            message = await self._outgoing.get()
            try:
                if isinstance(message, bytes):
                    await self._socket.send_bytes(message)
                else:
                    await self._socket.send_str(message)
            except (ConnectionError, RuntimeError):
                return  # the reading side sees the end, too
