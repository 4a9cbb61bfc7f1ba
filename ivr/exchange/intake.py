"""What one telephone sends into its call: keys in their order, sound while it is wanted, its hanging up."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from ivr.exchange.errors import HungUp
from ivr.exchange.handset import QUIET_SECONDS, Key
from ivr.exchange.sound import BYTES_PER_SECOND, FRAME_BYTES
from ivr.exchange.twiml import KEYS

MOST_UNHEARD_BYTES = 60 * BYTES_PER_SECOND
MOST_KEYS_AHEAD = 64


class Intake:
    """The listening half of a `Handset`. `speed` above 1 makes its time pass faster."""

    def __init__(self, speed: float = 1.0) -> None:
        self.is_gone = False
        self._speed = speed
        self._keys: deque[Key] = deque()
        self._heard = bytearray()
        self._is_listening = False
        self._news = asyncio.Event()

    # --- from the phone ---
    def press(self, key: str) -> None:
        """A key came in; what no telephone has is left out."""
        if key in tuple(KEYS) and len(self._keys) < MOST_KEYS_AHEAD:
            self._keys.append(Key(key, time.monotonic()))
            self._news.set()

    def take_in(self, sound: bytes) -> None:
        """Sound came in."""
        if self._is_listening:
            self._heard += sound[: len(sound) // 2 * 2]
            self._news.set()

    @property
    def is_full(self) -> bool:
        """Whether more was heard than anybody took."""
        return self._is_listening and len(self._heard) > MOST_UNHEARD_BYTES

    def gone(self) -> None:
        """The caller has hung up."""
        self.is_gone = True
        self._news.set()

    # --- Handset ---
    async def key(self, timeout_seconds: float | None = None) -> Key | None:
        """The next key; keys pressed before hanging up come out before `HungUp`."""
        loop = asyncio.get_running_loop()
        until = None if timeout_seconds is None else loop.time() + timeout_seconds / self._speed
        if not await self._until(lambda: bool(self._keys), until):
            return None
        return self._keys.popleft()

    def listen(self) -> None:
        """Begin to keep what the microphone hears."""
        self._heard.clear()
        self._is_listening = True

    async def hear(self) -> bytes:
        """What was heard; b"" for a microphone that sends nothing."""
        until = asyncio.get_running_loop().time() + QUIET_SECONDS / self._speed
        if not await self._until(lambda: len(self._heard) >= FRAME_BYTES, until):
            return b""
        sound = bytes(self._heard)
        self._heard.clear()
        return sound

    def stop_listening(self) -> bytes:
        """What was heard and not yet taken."""
        self._is_listening = False
        sound = bytes(self._heard)
        self._heard.clear()
        return sound

    async def _until(self, is_so: Callable[[], bool], until: float | None = None) -> bool:
        """Wait until something is so; False when `until` (loop time) has passed first. Raises HungUp."""
        while not is_so():
            if self.is_gone:
                raise HungUp("while the caller was awaited")
            if not await self._wait_for_news(until):
                return False
        return True

    async def _wait_for_news(self, until: float | None) -> bool:
        """Wait for anything to come in; False when `until` has passed first."""
        self._news.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return False
        return True
