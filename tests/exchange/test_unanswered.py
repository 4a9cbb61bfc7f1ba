"""A number at which nobody is answered costs its callers nothing, also while web is slow, away or killed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from ivr.exchange.sip.wire import said, say
from ivr.exchange.tickets import make_ticket
from tests.exchange.town import CALLER, COMMUNITY, TOKEN, Town, Web, play, town, twiml, web_side

REFUSED = twiml('<Reject reason="busy"/>')


class Line:
    """A line plugged into the exchange; `rings` gives what the exchange does with a call first."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket, self._calls = socket, 0

    async def rings(self, caller: str = CALLER, dialled: str = COMMUNITY) -> str:
        self._calls += 1
        await self._socket.send_str(say("ring", self._calls, **{"from": caller, "to": dialled}))
        async for message in self._socket:
            told = said(message.data)
            if told.get("call") == self._calls:
                await self._socket.send_str(say("gone", self._calls))
                return str(told["type"])
        raise AssertionError("the exchange is gone")


@asynccontextmanager
async def a_line(t: Town) -> AsyncIterator[Line]:
    url = f"http://127.0.0.1:{t.exchange.port}/line/ws"
    ticket: dict[str, Any] = {"ticket": make_ticket(TOKEN, "sip")}
    async with aiohttp.ClientSession() as session, session.ws_connect(url, params=ticket) as socket:
        await socket.send_str(say("ready", 0, dials=True))
        yield Line(socket)


def test_a_call_is_refused_though_web_is_slow_or_away_and_told_of_when_it_is_back(tmp_path: Path) -> None:
    async def scene() -> None:
        async with web_side() as side:
            side.pages |= {"/calls": REFUSED, "/calls/unanswered": json.dumps({"numbers": [COMMUNITY]})}
            async with town(tmp_path, side, ask_unanswered_seconds=0.2, ring_seconds=3) as t:
                await side.until(lambda: (tmp_path / "unanswered.json").exists())
                async with a_line(t) as line:
                    assert await line.rings() == "refuse"  # without ringing for three seconds
                    side.delay_seconds = 3.0
                    assert await line.rings() == "refuse"
                    side.delay_seconds, side.is_down = 0.0, True
                    assert await line.rings("+8613900000002") == "refuse"
                    assert await line.rings("") == "answer"  # nobody could call back who withholds the number
                    assert await line.rings("+8613900000003", "+8657199999999") == "answer"
            async with town(tmp_path, side, ask_unanswered_seconds=60) as t:  # web is away as it starts
                async with a_line(t) as line:
                    assert await line.rings("+8613900000004") == "refuse"
                side.is_down = False
                await side.until(lambda: _ended(side) >= {CALLER, "+8613900000002", "+8613900000004"}, 20)

    play(scene)


def _ended(side: Web) -> set[str]:
    """Who has been told of as refused, after web was asked what to do with them."""
    asked = {knock.params["CallSid"] for knock in side.at("/calls")}
    told = [knock.params for knock in side.ending("/status") if knock.params["CallStatus"] == "busy"]
    return {one["From"] for one in told if one["CallSid"] in asked and one["CalledAt"]}
