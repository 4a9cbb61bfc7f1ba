"""How a loudspeaker of ours gets the sound of an order: in time, whole, and by a clock that is right."""

from __future__ import annotations

import asyncio
import hashlib
import random
import time
from email.utils import parsedate_to_datetime

import aiohttp

from ivr.broadcast.wire import Order

MOST_BYTES = 64 * 1024 * 1024
SPREAD_SECONDS = 5.0
"""Loudspeakers fetch spread over so long, where there is time: not all in one moment."""
TRY_SECONDS = 60.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0
CLOCK_SECONDS = 90.0
"""How far the clocks of loudspeaker and server may be apart: beyond that, whose is right cannot be known."""
_PIECE_BYTES = 1 << 16


class FetchFailed(Exception):
    """The sound is not to be had: `unreachable`, `refused`, `wrong_sum`, `wrong_clock`, `expired`."""


async def fetch(web: aiohttp.ClientSession, order: Order) -> bytes:
    """The file of an order, tried again until the order is worth nothing any more. Raises FetchFailed."""
    await asyncio.sleep(random.uniform(0, min(SPREAD_SECONDS, max(0.0, order.at - time.time()) / 2)))
    pause = FIRST_PAUSE_SECONDS
    while True:
        left = order.expires - time.time()
        if left <= 0:
            raise FetchFailed("expired")
        try:
            async with asyncio.timeout(min(left, TRY_SECONDS)):
                data = await _once(web, order.url)
        except (aiohttp.ClientError, TimeoutError, OSError):
            if time.time() + pause >= order.expires:
                raise FetchFailed("unreachable") from None
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            continue
        if hashlib.sha256(data).hexdigest() != order.sha256:
            raise FetchFailed("wrong_sum")
        return data


async def _once(web: aiohttp.ClientSession, url: str) -> bytes:
    async with web.get(url, allow_redirects=False) as answer:
        if 300 <= answer.status < 500:  # nobody leads us elsewhere
            raise FetchFailed("refused")
        answer.raise_for_status()
        _compare_clocks(answer.headers.get("Date", ""))
        data = bytearray()
        async for piece in answer.content.iter_chunked(_PIECE_BYTES):
            data += piece
            if len(data) > MOST_BYTES:
                raise FetchFailed("refused")
        return bytes(data)


def _compare_clocks(date: str) -> None:
    try:
        theirs = parsedate_to_datetime(date).timestamp()
    except ValueError:
        return
    if abs(time.time() - theirs) > CLOCK_SECONDS:
        raise FetchFailed("wrong_clock")
