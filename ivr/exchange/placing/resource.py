"""Twilio's Calls resource, offered for our own line: POST places a call, GET tells of it, POST ends it."""

from __future__ import annotations

import hmac
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from ivr.exchange.calling import API_VERSION
from ivr.exchange.placing.orders import Refused, read_order
from ivr.exchange.placing.placed import Placed
from ivr.exchange.placing.placer import Placer
from ivr.exchange.settings import ExchangeSettings

ERRORS = "https://www.twilio.com/docs/errors"
Answer = Callable[[web.Request], Awaitable[web.Response]]


class Calls:
    """`/2010-04-01/Accounts/<sid>/Calls.json`, for whoever shows the line's account and token."""

    def __init__(self, settings: ExchangeSettings, placer: Placer) -> None:
        self._account, self._placer = settings.account_sid, placer
        self._wanted = f"{settings.account_sid}:{settings.token}".encode()

    def routes(self) -> list[web.RouteDef]:
        """Where it is found."""
        calls = f"/{API_VERSION}/Accounts/{{account}}/Calls"
        return [
            web.post(f"{calls}.json", self._for_owner(self._place)),
            web.get(f"{calls}/{{sid}}.json", self._for_owner(self._show)),
            web.post(f"{calls}/{{sid}}.json", self._for_owner(self._change)),
        ]

    def _for_owner(self, answer: Answer) -> Answer:
        async def guarded(request: web.Request) -> web.Response:
            try:
                self._check(request)
                return await answer(request)
            except Refused as refused:
                return _refusal(refused)

        return guarded

    async def _place(self, request: web.Request) -> web.Response:
        form = await request.post()
        order = read_order({name: [str(one) for one in form.getall(name)] for name in form})
        return self._told(self._placer.place(order), 201)

    async def _show(self, request: web.Request) -> web.Response:
        return self._told(self._known(request))

    async def _change(self, request: web.Request) -> web.Response:
        """`canceled` gives up a call that still rings, `completed` any that is not over."""
        placed, wanted = self._known(request), str((await request.post()).get("Status", ""))
        if wanted not in ("canceled", "completed"):
            raise Refused(400, 20001, "Status must be canceled or completed")
        if placed.is_over or (wanted == "canceled" and placed.answered_at):
            raise Refused(400, 21220, "Invalid call state")
        await self._placer.give_up(placed)
        return self._told(placed)

    def _known(self, request: web.Request) -> Placed:
        placed = self._placer.ledger.of(request.match_info["sid"])
        if placed is None:
            raise Refused(404, 20404, f"The requested resource {request.path} was not found")
        return placed

    def _told(self, placed: Placed, status: int = 200) -> web.Response:
        return web.json_response(placed.resource(self._account), status=status)

    def _check(self, request: web.Request) -> None:
        """Raises Refused unless the line's name and token are shown, and the account is the line's."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            shown = b64decode(given, validate=True)
        except ValueError:
            shown = b""
        if scheme.lower() != "basic" or not hmac.compare_digest(shown, self._wanted):
            raise Refused(401, 20003, "Authenticate")
        if request.match_info["account"] != self._account:
            raise Refused(404, 20404, f"The requested resource {request.path} was not found")


def _refusal(refused: Refused) -> web.Response:
    told: dict[str, Any] = {
        "code": refused.code,
        "message": refused.message,
        "more_info": f"{ERRORS}/{refused.code}",
        "status": refused.status,
    }
    headers = {"WWW-Authenticate": 'Basic realm="calls"'} if refused.status == 401 else {}
    return web.json_response(told, status=refused.status, headers=headers)
