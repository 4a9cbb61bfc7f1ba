"""Clips ready before they are needed: fetched in the order they will be heard, decoded once, kept while
there is room.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from ivr.exchange.door import Door
from ivr.exchange.errors import SoundError, WebAway
from ivr.exchange.sound import decode

log = logging.getLogger(__name__)

PRIVATE_SECONDS = 60.0
"""A person's own voice is fetched a little ahead of being heard, and forgotten so soon after."""

KEEP_SECONDS = 3600.0
"""What was taken back is asked for by no document any more, and forgotten at the latest after this."""


@dataclass(frozen=True)
class Clip:
    """Sound ready to play and the words it says, where these are known."""

    pcm: bytes
    caption: str = ""


class Media:
    """The clips of all calls. At most four are fetched at once, the first asked for first.

    They lie in memory only, in at most `room_bytes`, each for at most `keep_seconds`.
    """

    def __init__(
        self, door: Door, room_bytes: int = 64 * 1024 * 1024, keep_seconds: float = KEEP_SECONDS
    ) -> None:
        self._door = door
        self._room = room_bytes
        self._keep_seconds = keep_seconds
        self._kept: OrderedDict[str, Clip] = OrderedDict()
        self._coming: dict[str, asyncio.Task[Clip]] = {}
        self._turn = asyncio.Semaphore(4)

    def prepare(self, urls: Iterable[str]) -> None:
        """Begin to fetch what will be heard soon."""
        for url in urls:
            if url not in self._kept:
                self._fetching(url)

    async def clip(self, url: str) -> Clip:
        """One clip; empty when web has none to give: a missing sentence must not end a call."""
        if url in self._kept:
            self._kept.move_to_end(url)
            return self._kept[url]
        return await asyncio.shield(self._fetching(url))

    def _fetching(self, url: str) -> asyncio.Task[Clip]:
        if url not in self._coming:
            task = asyncio.create_task(self._fetch(url))
            self._coming[url] = task
            task.add_done_callback(lambda _: self._coming.pop(url, None))
        return self._coming[url]

    async def _fetch(self, url: str) -> Clip:
        try:
            async with self._turn:
                reply = await self._door.media(url)
            clip = Clip(await asyncio.to_thread(decode, reply.body), reply.caption)
        except (WebAway, SoundError) as error:
            log.error("a clip cannot be played: %s", error)
            return Clip(b"")
        self._keep(url, clip)
        if reply.is_private:
            asyncio.get_running_loop().call_later(PRIVATE_SECONDS, self._kept.pop, url, None)
        return clip

    def _keep(self, url: str, clip: Clip) -> None:
        self._kept[url] = clip
        asyncio.get_running_loop().call_later(self._keep_seconds, self._forget, url, weakref.ref(clip))
        while len(self._kept) > 1 and sum(len(kept.pcm) for kept in self._kept.values()) > self._room:
            self._kept.popitem(last=False)

    def _forget(self, url: str, clip: weakref.ref[Clip]) -> None:
        if url in self._kept and self._kept[url] is clip():
            del self._kept[url]
