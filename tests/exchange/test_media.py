"""The exchange's memory of clips: bounded in room and in time."""

from __future__ import annotations

import asyncio
from typing import cast

import numpy as np

from ivr.exchange.door import Door, Reply
from ivr.exchange.media import Media
from speech.audio import Audio, write_phone_wav

A_SECOND = write_phone_wav(Audio(np.zeros(8000, np.float32), 8000))
ROOM_FOR_TWO = 5 * 8000 * 2 // 2  # bytes: two and a half seconds


class Web:
    """Gives a second of sound for every address, and counts."""

    def __init__(self, is_private: bool = False) -> None:
        self.asked: list[str] = []
        self.is_private = is_private

    async def media(self, url: str) -> Reply:
        self.asked.append(url)
        return Reply(200, A_SECOND, f"words of {url}", self.is_private)


async def _asked(media: Media, *urls: str) -> None:
    for url in urls:
        assert (await media.clip(url)).caption == f"words of {url}"


def test_a_clip_is_fetched_once_and_forgotten_in_time() -> None:
    async def whole() -> list[str]:
        web = Web()
        media = Media(cast(Door, web), keep_seconds=0.2)
        await _asked(media, "a", "a")
        assert web.asked == ["a"]
        await asyncio.sleep(0.4)
        assert not media._kept
        await _asked(media, "a")
        return web.asked

    assert asyncio.run(whole()) == ["a", "a"]


def test_the_clip_played_longest_ago_makes_room() -> None:
    async def whole() -> list[str]:
        web = Web()
        media = Media(cast(Door, web), room_bytes=ROOM_FOR_TWO)
        await _asked(media, "a", "b", "a", "c", "a", "b")
        return web.asked

    assert asyncio.run(whole()) == ["a", "b", "c", "b"]
