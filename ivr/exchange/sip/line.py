"""The line's process: takes calls from the SIP stack, plugs them into the exchange, rings people for it."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import time
from collections import defaultdict, deque
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp

from ivr.exchange.errors import ExchangeError
from ivr.exchange.sip.alone import Alone
from ivr.exchange.sip.dialling import Dialler
from ivr.exchange.sip.numbers import caller_of, dialled_of
from ivr.exchange.sip.settings import LineSettings
from ivr.exchange.sip.stack import Leg, Stack, StackError
from ivr.exchange.sip.telephone import Telephone
from ivr.exchange.sip.wire import MOST_MESSAGE_BYTES, read_to_line, said, say
from ivr.exchange.tickets import make_ticket

log = logging.getLogger(__name__)

PUMP_SECONDS = 0.04
PLUG_SECONDS = 1.0
"""Between two tries to reach the exchange."""
HAND_OVER_SECONDS = 0.0005
"""How long Python may keep the stack's own thread waiting, instead of its usual 5 ms: it tells of every call
and key through Python. Meant for many calls that begin at once; on a busy machine the gain was not proved.
"""
HANG_UP_SECONDS = 1.0
"""What the stack gets to say goodbye to everybody when the line stops."""


class Line:
    """One SIP line. `run` lasts until `stop` is called or the stack is gone."""

    def __init__(self, settings: LineSettings, stack: Stack) -> None:
        self._settings, self._stack = settings, stack
        self._telephones: dict[int, Telephone] = {}
        self._rings: dict[int, asyncio.Task[None]] = {}
        self._dialler = Dialler(settings, stack)
        self._alone = Alone(settings.sentences)
        self._placing: dict[int, bool] = {}
        self._tasks: set[asyncio.Task[None]] = set()
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
        if len(self._telephones) >= settings.most_calls:
            leg.refuse(is_busy=True)
            return
        if self._is_too_often(leg.invite.source):
            log.warning("a trunk sends more calls than it may: one is refused")
            leg.refuse(is_busy=True)
            return
        if not settings.may_call(leg.invite.source):
            log.warning("a loudspeaker calls: it is refused")
            leg.refuse(is_busy=False)
            return
        self._last += 1
        own_user = settings.account.user if settings.account else ""
        caller = caller_of(leg.invite, settings.region)
        dialled = dialled_of(leg.invite, settings.region, settings.number, own_user)
        if self._outgoing is None:
            telephone = self._alone.take(self._last, leg, caller, dialled)
            self._spawn(self._alone.speak(telephone, is_free=bool(caller) and self._alone.is_free(dialled)))
        else:
            telephone = Telephone(self._last, leg, self._send)
            self._send(say("ring", telephone.number, **{"from": caller, "to": dialled}))
        self._telephones[self._last] = telephone
        leg.on_over = lambda: self._gone(telephone)

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
            self._send(say("ready", 0, dials=bool(self._settings.out)))
            while self._alone.missed:
                caller, dialled, at = self._alone.missed.popleft()
                self._send(say("missed", 0, **{"from": caller, "to": dialled, "at": at}))
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
        number = given.get("call", 0)
        telephone = self._telephones.get(number)
        if telephone is None:
            self._obey_early(given, number)
            return
        match given.get("type"):
            case "answer":
                telephone.leg.answer()
            case "refuse":
                telephone.leg.refuse(bool(given.get("busy")))
            case "press":
                telephone.leg.press(str(given.get("key", "")))
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
                self._rings[telephone.number] = asyncio.create_task(self._ring(telephone, number, seconds))

    def _obey_early(self, given: Mapping[str, Any], number: int) -> None:
        """A call is to be placed, or given up before the stack has begun it; or it is about no call."""
        if given.get("type") == "place":
            self._placing[number] = True
            self._spawn(self._place(given))
        elif given.get("type") == "hangup" and number in self._placing:
            self._placing[number] = False
        elif given.get("type") == "unanswered":
            self._alone.unanswered = frozenset(map(str, given.get("numbers", ())))

    def _send(self, message: str | bytes) -> None:
        if self._outgoing is not None:
            self._outgoing.put_nowait(message)

    def _hang_up_all(self) -> None:
        for telephone in list(self._telephones.values()):
            telephone.leg.hang_up()

    # --- calls go out ---
    async def _ring(self, telephone: Telephone, number: str, seconds: float) -> None:
        status, spoke = await self._dialler.ring(telephone, number, seconds)
        self._rings.pop(telephone.number, None)
        self._send(say("dialled", telephone.number, status=status, seconds=round(spoke)))

    async def _place(self, given: Mapping[str, Any]) -> None:
        """Call somebody for the exchange, which is told how it goes."""
        number, headers = given["call"], given.get("headers", {})
        try:
            leg = await self._dialler.place(str(given.get("to")), str(given.get("from")), headers)
        except ExchangeError as error:
            log.warning("a call cannot be placed: %s", error)
            self._placing.pop(number)
            self._send(say("gone", number, status="failed"))
            return
        telephone = Telephone(number, leg, self._send)
        self._telephones[number] = telephone
        leg.on_ringing = lambda: self._send(say("ringing", number))
        leg.on_over = lambda: self._gone(telephone)
        if not self._placing.pop(number):
            telephone.end()

    # --- time ---
    def _spawn(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _pump(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            for telephone in list(self._telephones.values()):
                telephone.pump()
            due = max(due + PUMP_SECONDS, loop.time())
            await asyncio.sleep(due - loop.time())


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

    sys.setswitchinterval(HAND_OVER_SECONDS)

    async def until_signal() -> None:
        line = Line(settings, BaresipStack(settings))
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, line.stop)
        await line.run()

    asyncio.run(until_signal())
