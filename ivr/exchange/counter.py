"""The counter where web collects recordings and says that it has them."""

from __future__ import annotations

import asyncio
import hmac
import logging
from base64 import b64decode

from aiohttp import web

from ivr.exchange.desk import Desk
from ivr.exchange.spool import SID

log = logging.getLogger(__name__)


class Counter:
    """GET and DELETE of `/recordings/<sid>.wav`, for whoever shows the line's account and token."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._wanted = f"{desk.settings.account_sid}:{desk.settings.token}".encode()

    def routes(self) -> list[web.RouteDef]:
        """Where it is found."""
        return [
            web.get("/recordings/{name}", self._recording),
            web.delete("/recordings/{name}", self._taken),
        ]

    async def _recording(self, request: web.Request) -> web.Response:
        sid = self._sid(request)
        wav = await asyncio.to_thread(self._desk.spool.wav, sid)
        if wav is None:
            raise web.HTTPNotFound(text="no such recording, or not yet")
        return web.Response(body=wav, content_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def _taken(self, request: web.Request) -> web.Response:
        sid = self._sid(request)
        if await asyncio.to_thread(self._desk.spool.delete, sid):
            log.info("recording %s has been taken over", sid)
        elif await asyncio.to_thread(self._desk.spool.read, sid):
            raise web.HTTPConflict(text="this recording is still being made")
        self._desk.announcer.taken(sid)
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
        try:
            shown = b64decode(given, validate=True)
        except ValueError:
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(shown, self._wanted)
