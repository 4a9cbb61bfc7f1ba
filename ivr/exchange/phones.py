"""The browser and terminal phones: one WebSocket each, JSON for keys and captions, binary frames for
sound.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from ivr.exchange.errors import HungUp
from ivr.exchange.handset import QUIET_SECONDS, Dialled, Expecting, Key
from ivr.exchange.media import Clip
from ivr.exchange.sentences import Sentences
from ivr.exchange.sound import BYTES_PER_SECOND, FRAME_BYTES, FRAME_SECONDS, RINGING
from ivr.exchange.twiml import KEYS

LEAD_SECONDS = 0.1
"""Sound sent ahead of its time, so that a short stall is not heard."""
MOST_UNHEARD_BYTES = 60 * BYTES_PER_SECOND
MOST_KEYS_AHEAD = 64
PRACTICE_RINGING_SECONDS = 4.0
OFF_HOOK_SECONDS = 30.0


class WebSocketHandset:
    """A `Handset` at the other end of a WebSocket. Only practice: it cannot ring anybody."""

    def __init__(
        self, socket: web.WebSocketResponse, kind: str, sentences: Sentences, speed: float = 1.0
    ) -> None:
        self.kind = kind
        self.caller = self.dialled = ""
        self.is_gone = False
        self._socket, self._sentences, self._speed = socket, sentences, speed
        self._keys: deque[Key] = deque()
        self._heard = bytearray()
        self._is_listening = False
        self._news = asyncio.Event()
        self._next_frame_at = 0.0

    # --- what the phone sends ---
    async def take_call(self) -> bool:
        """Wait for the caller to dial; False when they go away instead, or leave the receiver off the
        hook.
        """
        try:
            async with asyncio.timeout(OFF_HOOK_SECONDS):
                async for message in self._socket:
                    given = _json(message.data) if message.type is WSMsgType.TEXT else {}
                    if given.get("type") == "call":
                        self.caller, self.dialled = _number(given.get("from")), _number(given.get("to"))
                        return True
        except TimeoutError:
            await self.hang_up("nothing dialled")
        return False

    async def read(self) -> None:
        """Take in keys and sound until the caller hangs up or the line breaks."""
        try:
            async for message in self._socket:
                if message.type is WSMsgType.BINARY:
                    while self._is_listening and len(self._heard) > MOST_UNHEARD_BYTES:
                        await asyncio.sleep(FRAME_SECONDS)  # a phone faster than time waits for the tape
                    self._hear(message.data)
                elif message.type is WSMsgType.TEXT:
                    given = _json(message.data)
                    if given.get("type") == "hangup":
                        return
                    if given.get("type") == "key":
                        self._press(str(given.get("key")))
        finally:
            self.gone()

    def gone(self) -> None:
        """The caller has hung up."""
        self.is_gone = True
        self._news.set()

    def _press(self, key: str) -> None:
        if key in tuple(KEYS) and len(self._keys) < MOST_KEYS_AHEAD:
            self._keys.append(Key(key, time.monotonic()))
            self._news.set()

    def _hear(self, sound: bytes) -> None:
        if self._is_listening:
            self._heard += sound[: len(sound) // 2 * 2]
            self._news.set()

    # --- Handset ---
    async def answer(self) -> None:
        """Pick up."""
        await self._send({"type": "answered", "speed": self._speed})

    async def reject(self, reason: str) -> None:
        """Refuse the call unanswered."""
        await self.hang_up(reason)

    async def play(self, pcm: bytes) -> None:
        """Send frames of 20 ms as time passes; on cancelling the phone is told to fall silent at once."""
        loop = asyncio.get_running_loop()
        step = FRAME_SECONDS / self._speed
        self._next_frame_at = max(self._next_frame_at, loop.time() - LEAD_SECONDS / self._speed)
        try:
            for start in range(0, len(pcm), FRAME_BYTES):
                await self._send_sound(pcm[start : start + FRAME_BYTES])
                self._next_frame_at += step
                await asyncio.sleep(max(0.0, self._next_frame_at - loop.time()))
        except asyncio.CancelledError:
            self._next_frame_at = 0.0
            if not self.is_gone:
                await self._send({"type": "flush"})
            raise

    async def key(self, timeout_seconds: float | None = None) -> Key | None:
        """The next key; keys pressed before hanging up come out before `HungUp`."""
        loop = asyncio.get_running_loop()
        until = None if timeout_seconds is None else loop.time() + timeout_seconds / self._speed
        while not self._keys:
            if self.is_gone:
                raise HungUp("while a key was awaited")
            if not await self._wait_for_news(until):
                return None
        return self._keys.popleft()

    def listen(self) -> None:
        """Begin to keep what the microphone hears."""
        self._heard.clear()
        self._is_listening = True

    async def hear(self) -> bytes:
        """What was heard; b"" for a microphone that sends nothing."""
        loop = asyncio.get_running_loop()
        until = loop.time() + QUIET_SECONDS / self._speed
        while len(self._heard) < FRAME_BYTES:
            if self.is_gone:
                raise HungUp("while speech was awaited")
            if not await self._wait_for_news(until):
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

    async def show(self, caption: str) -> None:
        """Show the words now spoken."""
        await self._send({"type": "caption", "text": caption})

    async def expect(self, what: Expecting, seconds: float = 0) -> None:
        """Tell the phone what the call waits for."""
        await self._send({"type": "wait", "for": what, "seconds": seconds})

    async def hang_up(self, reason: str = "completed") -> None:
        """End the call."""
        if not self._socket.closed:
            try:
                await self._send({"type": "ended", "reason": reason})
                await self._socket.close()
            except HungUp:
                pass
        self.gone()

    async def dial(self, number: str, timeout_seconds: float) -> Dialled:
        """Practice rings nobody: some ringing, a sentence that says so, no answer."""
        await self.show(f"…… {number}")
        ringing = min(timeout_seconds, PRACTICE_RINGING_SECONDS)
        await self.play(RINGING[: int(ringing * BYTES_PER_SECOND) // 2 * 2])
        for name in ("practice_dial", "no_answer"):
            clip: Clip = await self._sentences.clip(name)
            await self.show(clip.caption)
            await self.play(clip.pcm)
        return Dialled("no-answer")

    async def _wait_for_news(self, until: float | None) -> bool:
        """Wait for anything to come in; False when `until` has passed first."""
        self._news.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._news.wait()
        except TimeoutError:
            return False
        return True

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._deliver(json.dumps(message, ensure_ascii=False))

    async def _send_sound(self, frame: bytes) -> None:
        await self._deliver(frame)

    async def _deliver(self, message: str | bytes) -> None:
        if self.is_gone or self._socket.closed:
            self.gone()
            raise HungUp("the line is closed")
        try:
            if isinstance(message, bytes):
                await self._socket.send_bytes(message)
            else:
                await self._socket.send_str(message)
        except (ConnectionError, RuntimeError) as error:
            self.gone()
            raise HungUp("the line broke") from error


def _json(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _number(given: object) -> str:
    """A telephone number as typed, with nothing else in it; at most 20 characters."""
    return re.sub(r"[^0-9+*#]", "", str(given or ""))[:20]
