"""A telephone a script presses the keys of: for tests, the demonstration, and under the terminal phone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from ivr.exchange.errors import ExchangeError
from ivr.exchange.sound import FRAME_BYTES, FRAME_SECONDS
from ivr.exchange.twiml import KEYS

Listener = Callable[[Mapping[str, Any]], None]


class ScriptedPhone:
    """A telephone for tests and demonstrations, to be used as `async with`.

    `url` is the exchange's WebSocket (`ws://127.0.0.1:8010/phone/ws`). `heard` are the captions in order,
    `audio` the sound received (8 kHz mono PCM16LE), `end_reason` why the call ended, None while it goes on.
    """

    def __init__(
        self, url: str, ticket: str, from_: str = "", to: str = "", listener: Listener | None = None
    ) -> None:
        self.heard: list[str] = []
        self._is_in_row = False
        self.audio = bytearray()
        self.is_answered = False
        self.end_reason: str | None = None
        self.expecting = "nothing"
        self._url, self._ticket, self._from, self._to = url, ticket, from_, to
        self._listener = listener
        self._turns = 0
        self._seen_turns = 0
        self._speed = 1.0
        self._last_press = ("", 0.0)
        self._news = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        try:
            self._socket = await self._session.ws_connect(self._url, params={"ticket": self._ticket})
            await self._send({"type": "call", "from": self._from, "to": self._to})
        except (aiohttp.ClientError, OSError) as error:
            await self._session.close()
            raise ExchangeError("the exchange does not take this call") from error
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._socket.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        await self._session.close()

    async def wait_for_keys(self, timeout_seconds: float = 60) -> None:
        """Until the call takes keys (its prompt may still play) for a turn not yet answered. TimeoutError
        otherwise.
        """
        await self._until(lambda: self.expecting == "keys" and self._is_new_turn(), timeout_seconds)

    async def wait_for_speech(self, timeout_seconds: float = 60) -> None:
        """Until the beep is over and the call records. TimeoutError otherwise."""
        await self._until(lambda: self.expecting == "speech" and self._is_new_turn(), timeout_seconds)

    async def wait_for_caption(self, part: str, timeout_seconds: float = 60) -> None:
        """Until a caption holding `part` has been heard. TimeoutError otherwise."""
        await self._until(lambda: any(part in caption for caption in self.heard), timeout_seconds)

    async def wait_for_end(self, timeout_seconds: float = 60) -> str:
        """Until the call is over; the reason given. TimeoutError otherwise."""
        await self._until(lambda: self.end_reason is not None, timeout_seconds)
        return self.end_reason or ""

    async def press(self, key: str, *, is_double_tap: bool = False) -> None:
        """Press a key. The same key again waits until it no longer looks like a double tap, unless it is to
        be one.
        """
        if key not in KEYS or len(key) != 1:
            raise ValueError(f"no telephone has the key {key!r}")
        loop = asyncio.get_running_loop()
        last, pressed_at = self._last_press
        if not is_double_tap:
            self._seen_turns = self._turns
            if key == last:
                await asyncio.sleep(max(0.0, pressed_at + 1.6 / self._speed - loop.time()))
        self._last_press = (key, loop.time())
        await self._send({"type": "key", "key": key})

    async def speak(self, pcm: bytes, *, is_paced: bool = False) -> None:
        """Say something (8 kHz mono PCM16LE): at once, or as fast as a person would."""
        self._seen_turns = self._turns
        for start in range(0, len(pcm), FRAME_BYTES * 50):
            piece = pcm[start : start + FRAME_BYTES * 50]
            for frame in range(0, len(piece), FRAME_BYTES) if is_paced else (None,):
                await self._socket.send_bytes(piece if frame is None else piece[frame : frame + FRAME_BYTES])
                if is_paced:
                    await asyncio.sleep(FRAME_SECONDS / self._speed)

    async def hang_up(self) -> None:
        """Hang up and wait until the line is closed."""
        if self.end_reason is None:
            await self._send({"type": "hangup"})
        await self.wait_for_end(10)

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self._socket.send_str(json.dumps(message))

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is aiohttp.WSMsgType.BINARY:
                self.audio += message.data
                self._tell({"type": "sound", "pcm": message.data})
            elif message.type is aiohttp.WSMsgType.TEXT:
                self._take(json.loads(message.data))
            async with self._news:
                self._news.notify_all()
        self.end_reason = self.end_reason or "closed"
        async with self._news:
            self._news.notify_all()

    def _take(self, given: Mapping[str, Any]) -> None:
        match given.get("type"):
            case "answered":
                self.is_answered, self._speed = True, float(given.get("speed", 1))
            case "caption":
                if given["row"] and self._is_in_row:
                    self.heard[-1] += str(given["text"])
                else:
                    self.heard.append(str(given["text"]))
                self._is_in_row = given["row"]
            case "wait":
                self._turns += given["for"] not in (self.expecting, "nothing")
                self.expecting = str(given["for"])
            case "ended":
                self.end_reason = str(given["reason"])
        self._tell(given)

    def _tell(self, given: Mapping[str, Any]) -> None:
        if self._listener:
            self._listener(given)

    def _is_new_turn(self) -> bool:
        return self._turns > self._seen_turns

    async def _until(self, is_so: Callable[[], bool], timeout_seconds: float) -> None:
        async with asyncio.timeout(timeout_seconds), self._news:
            await self._news.wait_for(lambda: is_so() or self.end_reason is not None)
        if not is_so():
            raise ExchangeError("the call ended before that")
