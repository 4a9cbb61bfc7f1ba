"""The exchange as a program: the door for practice phones, the calls behind it, its start and its end."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
from aiohttp import web

from ivr.exchange.announce import Announcer
from ivr.exchange.busy import turn_away
from ivr.exchange.call import Call
from ivr.exchange.calling import incoming, missed, new_sid
from ivr.exchange.counter import Counter
from ivr.exchange.desk import Desk
from ivr.exchange.door import Door, open_session
from ivr.exchange.errands import Errand, Errands
from ivr.exchange.errors import SpoolError
from ivr.exchange.handset import Handset
from ivr.exchange.media import Media
from ivr.exchange.phones import WebSocketHandset
from ivr.exchange.placing.placer import Placer
from ivr.exchange.placing.resource import Calls
from ivr.exchange.sentences import SENTENCES, Sentences
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.sip.board import Board
from ivr.exchange.spool import Spool
from ivr.exchange.tickets import read_ticket
from ivr.exchange.unanswered import Unanswered

log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 256 * 1024
STOP_SECONDS = 5.0
LINE = "sip"


class Exchange:
    """One running exchange: `start`, then calls come in, then `stop`. `port` is known after the start."""

    def __init__(self, settings: ExchangeSettings) -> None:
        self.settings = settings
        self.port = settings.port
        self._things = AsyncExitStack()
        self._handsets: set[Handset] = set()
        self._lines: set[WebSocketHandset] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._board = Board(self._begin, self._miss, lambda: self.desk.unanswered.numbers)
        self.desk: Desk
        self._placer: Placer
        self._duties: list[asyncio.Task[None]]
        self._door: web.SockSite

    async def start(self) -> None:
        """Take up what an earlier life left over, then open the doors. Raises OSError when the port is
        taken.
        """
        counter = self._things.enter_context(bound(self.settings.host, self.settings.port))
        self.port = counter.getsockname()[1]
        session = await self._things.enter_async_context(open_session())
        self.desk = self._desk(session)
        self._placer = Placer(self.desk, self._board, self._handsets, self._spawn)
        await self._take_up()
        self._duties = [
            asyncio.create_task(one)
            for one in (self._rehearse(), self.desk.unanswered.keep_asking(self._board.tell_unanswered))
        ]
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=STOP_SECONDS)
        await runner.setup()
        self._things.push_async_callback(runner.cleanup)
        self._door = web.SockSite(runner, counter)
        await self._door.start()

    async def _take_up(self) -> None:
        """Go on with what is unfinished. No call may begin meanwhile: its tape and errand would be taken for
        an earlier life's.
        """
        for sid in await asyncio.to_thread(self.desk.spool.recover):
            log.warning("recording %s was cut off and has been closed", sid)
        for sid in self.desk.spool.sids():
            self.desk.announcer.announce(sid)
        for errand in self.desk.errands.left_over():
            self.desk.errands.run(errand)

    async def _rehearse(self) -> None:
        """Make the local sentences ready, one after another: a call's own words need not wait for them."""
        for name in SENTENCES:
            await self.desk.sentences.clip(name)

    def _desk(self, session: aiohttp.ClientSession) -> Desk:
        settings, secret = self.settings, self.settings.token.encode()
        door = Door(session, settings)
        spool = Spool(settings.spool, secret)
        base = settings.own_base if settings.port else f"http://{settings.host}:{self.port}"
        announcer = Announcer(spool, door, base, settings.account_sid, settings.speed)
        errands = Errands(settings.spool / "errands", secret, door, spool, announcer)
        sentences = Sentences(settings.sentences, settings.speaker)
        unanswered = Unanswered(settings, door)
        return Desk(settings, door, Media(door), sentences, spool, announcer, errands, unanswered)

    async def stop(self) -> None:
        """End all calls as if everybody hung up, keep everything, close the doors."""
        if hasattr(self, "_door"):
            await self._door.stop()
            for duty in self._duties:
                duty.cancel()
        await asyncio.gather(*(handset.hang_up("stopped") for handset in self._handsets | self._lines))
        if self._calls:
            await asyncio.wait(self._calls, timeout=STOP_SECONDS)
        await self._board.stop()
        if hasattr(self, "desk"):
            await self.desk.errands.stop()
            await self.desk.announcer.stop()
        await self._things.aclose()

    async def take(self, handset: Handset) -> None:
        """Carry one call of any handset through, or say kindly that all lines are busy."""
        if len(self._handsets) >= self.settings.max_calls:
            log.warning("all %d lines are busy", self.settings.max_calls)
            await turn_away(self.desk, handset)
            return
        self._handsets.add(handset)
        try:
            await Call(self.desk, handset).run()
        finally:
            self._handsets.discard(handset)

    # --- doors ---
    def _application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/phone/ws", self._phone),
                web.get("/line/ws", self._line),
                *Counter(self.desk).routes(),
                *Calls(self.settings, self._placer).routes(),
            ]
        )
        return application

    async def _health(self, request: web.Request) -> web.Response:
        """Whether recordings can be kept, the calls going on, and what web has not taken over yet."""
        is_well = await asyncio.to_thread(os.access, self.desk.spool.folder, os.W_OK)
        waiting = await asyncio.to_thread(lambda: (len(self.desk.spool.sids()), self.desk.errands.count()))
        told = {
            "ok": is_well,
            "calls": len(self._handsets),
            "lines": self._board.count,
            "dials": self._board.dials,
            "recordings": waiting[0],
            "errands": waiting[1],
        }
        return web.json_response(told, status=200 if is_well else 503)

    async def _phone(self, request: web.Request) -> web.WebSocketResponse:
        kind = self._kind(request)
        if kind == LINE:
            raise web.HTTPForbidden(text="a line is no practice phone")
        if not self._is_ours(request.headers.get("Origin"), kind):
            raise web.HTTPForbidden(text="this page may not use the telephone")
        phone = web.WebSocketResponse(
            timeout=2, heartbeat=20, max_msg_size=MOST_MESSAGE_BYTES, compress=False
        )
        await phone.prepare(request)
        handset = WebSocketHandset(phone, kind, self.desk.sentences, self.settings.speed)
        self._lines.add(handset)
        try:
            await self._serve(handset)
        finally:
            self._lines.discard(handset)
        return phone

    async def _line(self, request: web.Request) -> web.WebSocketResponse:
        if self._kind(request) != LINE:
            raise web.HTTPForbidden(text="a practice phone is no line")
        return await self._board.plug(request)

    def _kind(self, request: web.Request) -> str:
        kind = read_ticket(self.settings.token, request.query.get("ticket", ""))
        if kind is None:
            raise web.HTTPUnauthorized(text="this ticket is not valid, or no longer")
        return kind

    async def _serve(self, handset: WebSocketHandset) -> None:
        if await handset.take_call():
            call = self._begin(handset)
            await handset.read()
            await asyncio.wait({call})

    def _begin(self, handset: Handset) -> asyncio.Task[None]:
        return self._spawn(self.take(handset))

    def _spawn(self, call: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(call)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)
        return task

    def _miss(self, caller: str, dialled: str, at: str) -> None:
        """Somebody called a line that had no exchange."""
        call = incoming(self.settings, caller, dialled, LINE, new_sid(), at)
        self._spawn(self._owe(missed(self.settings, call)))

    async def _owe(self, errand: Errand) -> None:
        try:
            await self.desk.errands.keep(errand)
        except SpoolError as error:
            log.error("call %s: %s", errand.call_sid, error)
        self.desk.errands.run(errand)

    def _is_ours(self, origin: str | None, kind: str) -> bool:
        """Whether the page a phone runs on is ours. A terminal runs on none."""
        return origin in self.settings.origins or (origin is None and kind == "terminal")


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the port but does not listen yet: whoever calls now is refused. Raises OSError."""
    family, kind, protocol, _, address = socket.getaddrinfo(
        host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    counter = socket.socket(family, kind, protocol)
    try:
        counter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        counter.bind(address)
    except OSError:
        counter.close()
        raise
    return counter


async def serve(settings: ExchangeSettings, until: asyncio.Event) -> None:
    """Run an exchange until the event is set."""
    exchange = Exchange(settings)
    try:
        await exchange.start()
        log.info("the exchange listens on %s:%d", settings.host, exchange.port)
        await until.wait()
    finally:
        await exchange.stop()


def run_exchange(settings: ExchangeSettings) -> None:
    """Run an exchange in this process until SIGTERM or Ctrl-C."""

    async def until_signal() -> None:
        until = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, until.set)
        await serve(settings, until)

    asyncio.run(until_signal())
