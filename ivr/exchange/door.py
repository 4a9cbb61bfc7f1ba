"""The one door to web: signed requests as Twilio makes them, retried while that can help."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlencode

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from ivr.exchange.errors import TwimlError, WebAway
from ivr.exchange.settings import ExchangeSettings
from ivr.exchange.twiml import Document, parse

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 5.0
PAUSES = (0.2, 0.6, 1.5, 3.0)
KEEP_ALIVE_SECONDS = 10.0
MAX_MEDIA_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True)
class Reply:
    """What web answered: status, body, headers we care for. `is_private`: web wants no copy to be kept."""

    status: int
    body: bytes
    caption: str = ""
    is_private: bool = False


class Door:
    """Requests to web in the name of one line."""

    def __init__(self, session: aiohttp.ClientSession, settings: ExchangeSettings) -> None:
        self._session = session
        self._validator = RequestValidator(settings.token)
        self._public = settings.public_base.rstrip("/")
        self._inner = (settings.web_base or settings.public_base).rstrip("/")
        self._patience = settings.patience_seconds

    async def ask(self, url: str, params: Mapping[str, str], method: str = "POST") -> Document:
        """The next document of a call. Tries again for some seconds; raises WebAway or TwimlError."""
        reply = await self._patiently(method, url, params)
        try:
            return parse(reply.body.decode(), url)
        except UnicodeDecodeError as error:
            raise TwimlError("TwiML must be UTF-8") from error

    async def inquire(self, url: str, params: Mapping[str, str]) -> bytes:
        """What web answers to a question that belongs to no call; asked once. Raises WebAway."""
        reply = await self._attempt("POST", url, params, is_signed=True)
        if isinstance(reply, WebAway):
            raise reply
        return reply.body

    async def tell(self, url: str, params: Mapping[str, str]) -> int:
        """Report something once; the status web answered, 0 when it did not."""
        try:
            return (await self._once("POST", url, params)).status
        except WebAway:
            return 0

    async def media(self, url: str) -> Reply:
        """A sound file and its caption. Raises WebAway."""
        return await self._patiently("GET", url, {}, is_signed=False)

    async def _patiently(
        self, method: str, url: str, params: Mapping[str, str], *, is_signed: bool = True
    ) -> Reply:
        pauses = iter(PAUSES)
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    failure = await self._attempt(method, url, params, is_signed)
                    if isinstance(failure, Reply):
                        return failure
                    if failure.is_permanent:
                        raise failure
                    log.warning("web did not answer, trying again: %s", failure)
                    await asyncio.sleep(next(pauses, PAUSES[-1]))
        except TimeoutError as error:
            raise WebAway("web did not answer in time") from error

    async def _attempt(
        self, method: str, url: str, params: Mapping[str, str], is_signed: bool
    ) -> Reply | WebAway:
        try:
            reply = await self._once(method, url, params, is_signed)
        except WebAway as error:
            return error
        if reply.status < 300:
            return reply
        is_permanent = reply.status < 500 and reply.status not in (408, 425, 429)
        return WebAway(f"web answered {reply.status}", is_permanent=is_permanent)

    async def _once(self, method: str, url: str, params: Mapping[str, str], is_signed: bool = True) -> Reply:
        form = dict(params)
        if method == "GET" and form:
            url, form = f"{url}{'&' if '?' in url else '?'}{urlencode(form)}", {}
        headers = {"X-Twilio-Signature": self._validator.compute_signature(url, form)} if is_signed else {}
        try:
            async with self._session.request(
                method,
                URL(self._reach(url), encoded=True),
                data=urlencode(form) if method == "POST" else None,
                headers=headers | ({"Content-Type": FORM} if method == "POST" else {}),
                timeout=aiohttp.ClientTimeout(total=ATTEMPT_SECONDS),
                allow_redirects=False,
            ) as response:
                body = await _body(response)
                is_private = "no-store" in response.headers.get("Cache-Control", "")
                return Reply(
                    response.status, body, unquote(response.headers.get("X-Caption", "")), is_private
                )
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise WebAway(f"no connection to web: {type(error).__name__}") from error

    def _reach(self, url: str) -> str:
        """Where a public address is really found from here."""
        return self._inner + url[len(self._public) :] if url.startswith(self._public + "/") else url


FORM = "application/x-www-form-urlencoded"


def open_session() -> aiohttp.ClientSession:
    """Connections to web, given up before web gives them up (15 s); cookies of one call are not another's."""
    connector = aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE_SECONDS)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_chunked(65536):
        body += piece
        if len(body) > MAX_MEDIA_BYTES:
            raise ValueError("answer too large")
    return bytes(body)
