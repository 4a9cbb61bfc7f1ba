"""A town for the exchange's tests: a real HTTP server plays web and checks signatures, phones are real."""

from __future__ import annotations

import asyncio
import socket
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
from aiohttp import ClientSession, web
from twilio.request_validator import RequestValidator

from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.server import Exchange
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.sound import RATE, from_floats, to_wav, tone
from ivr.exchange.tickets import make_ticket

TOKEN = "a-line-token-of-the-tests"
CALLER, COMMUNITY = "+8613900000001", "+8657112345678"


@dataclass(frozen=True)
class Knock:
    """One signed request that reached web."""

    path: str
    params: dict[str, str]
    at: float
    method: str = "POST"


@dataclass
class Web:
    """Web's part. `pages` maps a path to the TwiML it answers (or a function of the parameters)."""

    pages: dict[str, str | Callable[[dict[str, str]], str]] = field(default_factory=dict)
    sounds: dict[str, bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    knocks: list[Knock] = field(default_factory=list)
    forged: int = 0
    is_down: bool = False
    fails: int = 0
    delay_seconds: float = 0.0
    base: str = ""

    async def answer(self, request: web.Request) -> web.Response:
        """Check the signature over the public address, note the request, answer as told."""
        params = {name: str(value) for name, value in (await request.post()).items()}
        url = f"{self.base}{request.raw_path}"
        signature = request.headers.get("X-Twilio-Signature", "")
        if not RequestValidator(TOKEN).validate(url, params, signature):
            self.forged += 1
            return web.Response(status=403)
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if self.is_down or self.fails > 0:
            self.fails -= 1
            return web.Response(status=503)
        self.knocks.append(Knock(request.path, params, time.monotonic(), request.method))
        page = self.pages.get(request.path)
        if page is None:
            is_report = request.path.endswith(("/status", "/recording"))
            return web.Response(status=204 if is_report else 404)
        body = page(params) if callable(page) else page
        return web.Response(text=body.replace("BASE", self.base), content_type="text/xml")

    async def sound(self, request: web.Request) -> web.Response:
        """A clip and its caption."""
        name = request.match_info["name"]
        if self.is_down or name not in self.sounds:
            return web.Response(status=404)
        headers = {"X-Caption": quote(f"clip {name}")}
        if name in self.private:
            headers["Cache-Control"] = "no-store"
        return web.Response(body=self.sounds[name], content_type="audio/wav", headers=headers)

    def at(self, path: str) -> list[Knock]:
        """The requests for one path, in order."""
        return [knock for knock in self.knocks if knock.path == path]

    def ending(self, end: str) -> list[Knock]:
        """The requests whose path ends so."""
        return [knock for knock in self.knocks if knock.path.endswith(end)]

    async def until(self, is_so: Callable[[], bool], seconds: float = 10) -> None:
        """Wait for something to be so."""
        async with asyncio.timeout(seconds):
            while not is_so():
                await asyncio.sleep(0.01)


@dataclass
class Town:
    """Web, a running exchange, and how to get a telephone."""

    web: Web
    exchange: Exchange

    def phone(self, kind: str = "terminal", **options: Any) -> ScriptedPhone:
        """A telephone that calls the community when it is entered."""
        url = f"ws://127.0.0.1:{self.exchange.port}/phone/ws"
        return ScriptedPhone(url, make_ticket(TOKEN, kind), CALLER, COMMUNITY, **options)

    async def recording(self, method: str, sid: str, password: str = TOKEN) -> tuple[int, bytes]:
        """Collect or delete a recording as web's fetch job does; status and body."""
        url = f"http://127.0.0.1:{self.exchange.port}/recordings/{sid}.wav"
        headers = {"Authorization": "Basic " + b64encode(f"TJexchange:{password}".encode()).decode()}
        async with ClientSession() as session, session.request(method, url, headers=headers) as answer:
            return answer.status, await answer.read()


@asynccontextmanager
async def web_side(port: int = 0) -> AsyncIterator[Web]:
    """Web's part alone, on a free port."""
    side = Web()
    application = web.Application()
    application.add_routes([web.get("/media/{name}", side.sound), web.route("*", "/{path:.*}", side.answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    side.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield side
    finally:
        await runner.cleanup()


def quick_settings(spool: Path, base: str) -> ExchangeSettings:
    """An exchange whose time runs ten times faster and that says `<Say>` as a soft tone of 0.4 s."""
    return ExchangeSettings(
        token=TOKEN,
        spool=spool,
        public_base=base,
        port=0,
        speaker=lambda words, language: tone(300, 0.4),
        patience_seconds=1.0,
        speed=10.0,
    )


@asynccontextmanager
async def town(spool: Path, known: Web | None = None, **changes: Any) -> AsyncIterator[Town]:
    """A whole town, around the web `known` if one runs already; `changes` to the settings of its exchange."""
    async with AsyncExitStack() as things:
        side = known or await things.enter_async_context(web_side())
        exchange = Exchange(replace(quick_settings(spool, side.base), **changes))
        await exchange.start()
        try:
            yield Town(side, exchange)
        finally:
            await exchange.stop()


def play(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run one scene."""
    asyncio.run(test())


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def twiml(*verbs: str) -> str:
    """A document of these verbs."""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{"".join(verbs)}</Response>'


def clip(seconds: float, hertz: float = 400) -> bytes:
    """A WAV of a tone."""
    return to_wav(tone(hertz, seconds))


def speech(seconds: float, level: float = 0.2, seed: int = 1) -> bytes:
    """Sound that rises and falls as speech does: noise in syllables of a quarter of a second."""
    times = np.arange(int(RATE * seconds)) / RATE
    syllables = np.clip(np.sin(2 * np.pi * 2 * times), 0, 1)
    noise = np.random.default_rng(seed).normal(0, level, len(times))
    return from_floats(noise * syllables)
