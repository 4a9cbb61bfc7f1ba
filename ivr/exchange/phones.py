"""The browser and terminal phones: one WebSocket each, JSON for keys and captions, binary frames for
sound.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any

from aiohttp import WSMsgType, web

from ivr.exchange.errors import HungUp
from ivr.exchange.handset import Dialled, Expecting
from ivr.exchange.intake import Intake
from ivr.exchange.media import Clip
from ivr.exchange.sentences import Sentences
from ivr.exchange.sound import BYTES_PER_SECOND, FRAME_BYTES, FRAME_SECONDS, RINGING

LEAD_SECONDS = 0.1
"""Sound sent ahead of its time, so that a short stall is not heard."""
PRACTICE_RINGING_SECONDS = 4.0
OFF_HOOK_SECONDS = 30.0


class WebSocketHandset(Intake):
    """A `Handset` at the other end of a WebSocket. Only practice: it cannot ring anybody."""

    def __init__(
        self, socket: web.WebSocketResponse, kind: str, sentences: Sentences, speed: float = 1.0
    ) -> None:
        super().__init__(speed)
        self.kind = kind
        self.caller = self.dialled = ""
        self._socket, self._sentences = socket, sentences
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
                    while self.is_full:
                        await asyncio.sleep(FRAME_SECONDS)  # a phone faster than time waits for the tape
                    self.take_in(message.data)
                elif message.type is WSMsgType.TEXT:
                    given = _json(message.data)
                    if given.get("type") == "hangup":
                        return
                    if given.get("type") == "key":
                        self.press(str(given.get("key")))
        finally:
            self.gone()

    # --- Handset ---
    async def answer(self) -> None:
        """Pick up."""
        await self._send({"type": "answered", "speed": self._speed})

    async def ring(self, seconds: float) -> None:
        """Practice does not wait."""

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

    async def show(self, caption: str) -> None:
        """Show the words now spoken; a digit of a number stands in a row with those beside it."""
        is_digit = len(caption.rstrip("；;")) == 1
        await self._send({"type": "caption", "text": caption, "row": is_digit})

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
