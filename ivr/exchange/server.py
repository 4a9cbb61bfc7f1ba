"""The exchange as a program: the door for practice phones, the counter where web collects recordings, the
calls between.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import signal
from base64 import b64decode
from contextlib import AsyncExitStack

import aiohttp
from aiohttp import web

from ivr.exchange.announce import Announcer
from ivr.exchange.call import Call
from ivr.exchange.desk import Desk
from ivr.exchange.door import Door
from ivr.exchange.errands import Errands
from ivr.exchange.errors import HungUp
from ivr.exchange.handset import Handset
from ivr.exchange.media import Media
from ivr.exchange.phones import WebSocketHandset
from ivr.exchange.sentences import SENTENCES, Sentences
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.spool import SID, Spool
from ivr.exchange.tickets import read_ticket

log = logging.getLogger(__name__)

MOST_MESSAGE_BYTES = 256 * 1024
STOP_SECONDS = 5.0


class Exchange:
    """One running exchange: `start`, then calls come in, then `stop`. `port` is known after the start."""

    def __init__(self, settings: ExchangeSettings) -> None:
        self.settings = settings
        self.port = settings.port
        self._things = AsyncExitStack()
        self._handsets: set[Handset] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self.desk: Desk
        self._rehearsal: asyncio.Task[None]

    async def start(self) -> None:
        """Take up what an earlier life left over, then open the doors. Raises OSError when the port is
        taken.
        """
        session = await self._things.enter_async_context(aiohttp.ClientSession())
        runner = web.AppRunner(self._application(), access_log=None)
        await runner.setup()
        self._things.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, self.settings.host, self.settings.port)
        await site.start()
        self.port = runner.addresses[0][1]
        self.desk = self._desk(session)
        self._rehearsal = asyncio.create_task(self._rehearse())
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
        return Desk(settings, door, Media(door), sentences, spool, announcer, errands)

    async def stop(self) -> None:
        """End all calls as if everybody hung up, keep everything, close the doors."""
        for handset in list(self._handsets):
            await handset.hang_up("stopped")
        if self._calls:
            await asyncio.wait(self._calls, timeout=STOP_SECONDS)
        if hasattr(self, "desk"):
            self._rehearsal.cancel()
            await self.desk.errands.stop()
            await self.desk.announcer.stop()
        await self._things.aclose()

    async def take(self, handset: Handset) -> None:
        """Carry one call of any handset through, or say kindly that all lines are busy."""
        if len(self._handsets) >= self.settings.max_calls:
            await self._turn_away(handset)
            return
        self._handsets.add(handset)
        try:
            await Call(self.desk, handset).run()
        finally:
            self._handsets.discard(handset)

    async def _turn_away(self, handset: Handset) -> None:
        log.warning("all %d lines are busy", self.settings.max_calls)
        clip = await self.desk.sentences.clip("busy")
        try:
            await handset.answer()
            await handset.show(clip.caption)
            await handset.play(clip.pcm)
        except HungUp:
            pass
        await handset.hang_up("busy")

    # --- doors ---
    def _application(self) -> web.Application:
        application = web.Application()
        application.add_routes(
            [
                web.get("/health", self._health),
                web.get("/phone/ws", self._phone),
                web.get("/recordings/{name}", self._recording),
                web.delete("/recordings/{name}", self._taken),
            ]
        )
        return application

    async def _health(self, request: web.Request) -> web.Response:
        """Whether recordings can be kept, the calls going on, and what web has not taken over yet."""
        is_well = await asyncio.to_thread(os.access, self.desk.spool.folder, os.W_OK)
        waiting = await asyncio.to_thread(lambda: (len(self.desk.spool.sids()), self.desk.errands.count()))
        told = {"ok": is_well, "calls": len(self._handsets), "recordings": waiting[0], "errands": waiting[1]}
        return web.json_response(told, status=200 if is_well else 503)

    async def _phone(self, request: web.Request) -> web.WebSocketResponse:
        kind = read_ticket(self.settings.token, request.query.get("ticket", ""))
        if kind is None:
            raise web.HTTPUnauthorized(text="this ticket is not valid, or no longer")
        if not self._is_ours(request.headers.get("Origin"), kind):
            raise web.HTTPForbidden(text="this page may not use the telephone")
        socket = web.WebSocketResponse(
            timeout=2, heartbeat=20, max_msg_size=MOST_MESSAGE_BYTES, compress=False
        )
        await socket.prepare(request)
        handset = WebSocketHandset(socket, kind, self.desk.sentences, self.settings.speed)
        if await handset.take_call():
            call = asyncio.create_task(self.take(handset))
            self._calls.add(call)
            call.add_done_callback(self._calls.discard)
            await handset.read()
            await asyncio.wait({call})
        return socket

    def _is_ours(self, origin: str | None, kind: str) -> bool:
        """Whether the page a phone runs on is ours. A terminal runs on none."""
        return origin in self.settings.origins or (origin is None and kind == "terminal")

    async def _recording(self, request: web.Request) -> web.Response:
        sid = self._sid(request)
        wav = await asyncio.to_thread(self.desk.spool.wav, sid)
        if wav is None:
            raise web.HTTPNotFound(text="no such recording, or not yet")
        return web.Response(body=wav, content_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def _taken(self, request: web.Request) -> web.Response:
        sid = self._sid(request)
        if await asyncio.to_thread(self.desk.spool.delete, sid):
            log.info("recording %s has been taken over", sid)
        elif await asyncio.to_thread(self.desk.spool.read, sid):
            raise web.HTTPConflict(text="this recording is still being made")
        self.desk.announcer.taken(sid)
        return web.Response(status=204)

    def _sid(self, request: web.Request) -> str:
        """The recording asked for, once the asker has shown the line's name and token."""
        if not self._may_collect(request.headers.get("Authorization", "")):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="recordings"'})
        sid = request.match_info["name"].removesuffix(".wav")
        if not SID.fullmatch(sid):
            raise web.HTTPNotFound(text="no such recording")
        return sid

    def _may_collect(self, authorization: str) -> bool:
        scheme, _, given = authorization.partition(" ")
        wanted = f"{self.settings.account_sid}:{self.settings.token}".encode()
        try:
            return scheme.lower() == "basic" and hmac.compare_digest(b64decode(given, validate=True), wanted)
        except ValueError:
            return False


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
