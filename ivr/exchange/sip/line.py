"""The line's process: takes calls from the SIP stack, plugs them into the exchange, rings people for it."""

from __future__ import annotations

import asyncio
import logging
import re
import signal
import time
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

import aiohttp

from ivr.exchange.sip.numbers import caller_of, dialled_of, host_of
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.stack import Leg, Stack, StackError
from ivr.exchange.sip.telephone import Telephone
from ivr.exchange.sip.wire import MOST_MESSAGE_BYTES, read_to_line, said, say
from ivr.exchange.tickets import make_ticket

log = logging.getLogger(__name__)

PUMP_SECONDS = 0.04
PLUG_SECONDS = 1.0
"""Between two tries to reach the exchange."""
HANG_UP_SECONDS = 1.0
"""What the stack gets to say goodbye to everybody when the line stops."""
_DIALABLE = re.compile(r"\+?[0-9]{3,15}")


class Line:
    """One SIP line. `run` lasts until `stop` is called or the stack is gone."""

    def __init__(self, settings: LineSettings, stack: Stack) -> None:
        self._settings, self._stack = settings, stack
        self._telephones: dict[int, Telephone] = {}
        self._rings: dict[int, asyncio.Task[None]] = {}
        self._last = 0
        self._arrivals: defaultdict[str, deque[float]] = defaultdict(deque)
        self._outgoing: asyncio.Queue[str | bytes] | None = None
        self._over = asyncio.Event()
        self._is_dead = False
        stack.on_dead = self._die

    async def run(self) -> None:
        """Serve. Raises StackError when the stack does not start or breaks."""
        await self._stack.start(self._take)
        log.info("the line listens on %s:%d", self._settings.host, self._settings.port)
        duties = [asyncio.create_task(self._pump()), asyncio.create_task(self._stay_plugged())]
        over = asyncio.create_task(self._over.wait())
        try:
            await asyncio.wait([*duties, over], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for duty in (*duties, over):
                duty.cancel()
            results = await asyncio.gather(*duties, return_exceptions=True)
            self._hang_up_all()
            await asyncio.sleep(HANG_UP_SECONDS if self._telephones else 0)
            await self._stack.close()
        if self._is_dead:
            raise StackError("the SIP stack is gone")
        for result in results:
            if isinstance(result, Exception):
                raise result

    def stop(self) -> None:
        """End all calls and leave off."""
        self._over.set()

    def _die(self) -> None:
        self._is_dead = True
        self._over.set()

    # --- calls come in ---
    def _take(self, leg: Leg) -> None:
        settings = self._settings
        if self._outgoing is None or len(self._telephones) >= settings.most_calls:
            leg.refuse(is_busy=True)
            return
        if self._is_too_often(host_of(leg.invite.via)):
            log.warning("a trunk sends more calls than it may: one is refused")
            leg.refuse(is_busy=True)
            return
        self._last += 1
        telephone = Telephone(self._last, leg, self._send)
        self._telephones[self._last] = telephone
        leg.on_over = lambda: self._gone(telephone)
        own_user = settings.account.user if settings.account else ""
        caller = caller_of(leg.invite, settings.region)
        dialled = dialled_of(leg.invite, settings.region, settings.number, own_user)
        self._send(say("ring", telephone.number, **{"from": caller, "to": dialled}))

    def _is_too_often(self, host: str) -> bool:
        """Whether this neighbour has sent as many calls within a minute as it may."""
        now, arrivals = time.monotonic(), self._arrivals[host]
        while arrivals and now - arrivals[0] > 60:
            arrivals.popleft()
        if len(arrivals) >= self._settings.most_calls_a_minute:
            return True
        arrivals.append(now)
        return False

    def _gone(self, telephone: Telephone) -> None:
        self._telephones.pop(telephone.number, None)
        telephone.gone()
        if ringing := self._rings.pop(telephone.number, None):
            ringing.cancel()

    # --- the exchange ---
    async def _stay_plugged(self) -> None:
        """Plug into the exchange, and again whenever it was gone; its calls are over with it."""
        async with aiohttp.ClientSession() as session:
            while True:
                try:
                    await self._plugged(session)
                except (aiohttp.ClientError, OSError) as error:
                    log.warning("the exchange does not answer: %s", type(error).__name__)
                self._outgoing = None
                self._hang_up_all()
                await asyncio.sleep(PLUG_SECONDS)

    async def _plugged(self, session: aiohttp.ClientSession) -> None:
        ticket = {"ticket": make_ticket(self._settings.token, "sip")}
        async with session.ws_connect(
            self._settings.exchange, params=ticket, max_msg_size=MOST_MESSAGE_BYTES, heartbeat=10
        ) as socket:
            log.info("the line is plugged into the exchange")
            self._outgoing = asyncio.Queue()
            self._send(say("ready", 0))
            delivering = asyncio.create_task(_deliver(socket, self._outgoing))
            try:
                async for message in socket:
                    if message.type is aiohttp.WSMsgType.BINARY:
                        call, play, is_last, pcm = read_to_line(message.data)
                        if telephone := self._telephones.get(call):
                            telephone.play(play, pcm, is_last)
                    elif message.type is aiohttp.WSMsgType.TEXT:
                        self._obey(said(message.data))
            finally:
                delivering.cancel()

    def _obey(self, given: Mapping[str, Any]) -> None:
        telephone = self._telephones.get(given.get("call", 0))
        if telephone is None:
            return
        match given.get("type"):
            case "answer":
                telephone.leg.answer()
            case "refuse":
                telephone.leg.refuse(bool(given.get("busy")))
            case "flush":
                telephone.flush()
            case "listen":
                telephone.listen(True)
            case "deaf":
                telephone.listen(False)
            case "hangup":
                telephone.end()
            case "dial":
                number, seconds = str(given.get("number", "")), float(given.get("seconds", 0))
                self._rings[telephone.number] = asyncio.create_task(self._dial(telephone, number, seconds))

    def _send(self, message: str | bytes) -> None:
        if self._outgoing is not None:
            self._outgoing.put_nowait(message)

    def _hang_up_all(self) -> None:
        for telephone in list(self._telephones.values()):
            telephone.leg.hang_up()

    # --- a person is rung ---
    async def _dial(self, telephone: Telephone, number: str, seconds: float) -> None:
        """Ring somebody through the trunk and join the two until one of them hangs up."""
        status, spoke = "failed", 0.0
        if self._settings.out and _DIALABLE.fullmatch(number):
            telephone.ring()
            try:
                friend = await self._stack.dial(f"sip:{number}@{self._settings.out}")
                status, spoke = await _bridge(telephone, friend, seconds)
            except StackError as error:
                log.warning("a person cannot be rung: %s", error)
            finally:
                telephone.join(None)
        self._rings.pop(telephone.number, None)
        self._send(say("dialled", telephone.number, status=status, seconds=round(spoke)))

    # --- time ---
    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for telephone in list(self._telephones.values()):
                telephone.pump()
            due = max(due + PUMP_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())


async def _bridge(telephone: Telephone, friend: Leg, seconds: float) -> tuple[str, float]:
    """Wait for the other to answer, then until either is gone; what became of it and how long they spoke."""
    answered, over = asyncio.Event(), asyncio.Event()
    friend.on_answered, friend.on_over = answered.set, over.set
    waiting = [asyncio.create_task(one.wait()) for one in (answered, over)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if friend.is_over:
            return friend.ending, 0.0
        if not answered.is_set():
            return "no-answer", 0.0
        began = time.monotonic()
        telephone.join(friend)
        await over.wait()
        return "completed", time.monotonic() - began
    finally:
        for one in waiting:
            one.cancel()
        friend.hang_up()


async def _deliver(socket: aiohttp.ClientWebSocketResponse, outgoing: asyncio.Queue[str | bytes]) -> None:
    while True:
        message = await outgoing.get()
        try:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_str(message)
        except (ConnectionError, RuntimeError):
            return


def run_line(settings: LineSettings) -> None:
    """Run a line in this process until SIGTERM or Ctrl-C. Raises StackError."""
    from ivr.exchange.sip.baresip_stack import BaresipStack

    async def until_signal() -> None:
        line = Line(settings, BaresipStack(settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, line.stop)
        await line.run()

    asyncio.run(until_signal())
