"""The terminal phone: captions as text, keys as typed, a sound file as the voice, sound where there is a
sound card.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
import termios
import tty
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ivr.exchange.errors import ExchangeError
from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.sound import RATE, decode
from ivr.exchange.twiml import KEYS

__all__ = ["ScriptedPhone", "TerminalPhone"]

ASKS = {"keys": "［按键］ ", "speech": "［请说话］ ", "nothing": ""}
HANG_UP = "q\x1b\x04"


class TerminalPhone:
    """A telephone typed on: 0–9, * and # are keys, q hangs up. `voice` is a sound file spoken after each
    beep.
    """

    def __init__(
        self,
        url: str,
        ticket: str,
        from_: str,
        to: str,
        voice: Path | None = None,
        write: Callable[[str], object] = sys.stdout.write,
        keyboard: int | None = None,
    ) -> None:
        self._phone = ScriptedPhone(url, ticket, from_, to, listener=self._show)
        self._voice = decode(voice.read_bytes()) if voice else b""
        self._write = write
        self._keyboard = sys.stdin.fileno() if keyboard is None else keyboard
        self._loudspeaker = open_loudspeaker()
        self._is_in_row = False
        self._typed: asyncio.Queue[str] = asyncio.Queue()

    async def run(self) -> str:
        """Call, and stay on the line until either side hangs up; why the call ended. Raises ExchangeError."""
        with _single_keys(self._keyboard):
            asyncio.get_running_loop().add_reader(self._keyboard, self._read_keyboard)
            try:
                async with self._phone:
                    duties = [
                        asyncio.create_task(self._press_typed()),
                        asyncio.create_task(self._speak_voice()),
                    ]
                    try:
                        return await self._phone.wait_for_end(24 * 3600)
                    finally:
                        for duty in duties:
                            duty.cancel()
                        await asyncio.gather(*duties, return_exceptions=True)
            finally:
                asyncio.get_running_loop().remove_reader(self._keyboard)

    def _read_keyboard(self) -> None:
        data = os.read(self._keyboard, 64).decode(errors="ignore")
        if not data:  # the end of a script that was piped in: nothing more will be typed
            asyncio.get_running_loop().remove_reader(self._keyboard)
        for letter in data:
            self._typed.put_nowait(letter)

    async def _press_typed(self) -> None:
        while True:
            letter = await self._typed.get()
            if letter in KEYS:
                await self._phone.press(letter, is_double_tap=True)
            elif letter in HANG_UP:
                await self._phone.hang_up()

    async def _speak_voice(self) -> None:
        while self._voice:
            try:
                await self._phone.wait_for_speech(24 * 3600)
            except ExchangeError:
                return
            await self._phone.speak(self._voice, is_paced=True)

    def _show(self, given: Mapping[str, Any]) -> None:
        match given.get("type"):
            case "caption":
                begins = "" if given["row"] and self._is_in_row else "\n☎ "
                self._is_in_row = given["row"]
                self._write(f"{begins}{given['text']}" + "\n" * (not given["row"]))
            case "wait" if ASKS.get(str(given["for"])):
                self._write(ASKS[str(given["for"])])
            case "sound" if self._loudspeaker:
                self._loudspeaker(given["pcm"])
            case "ended":
                self._write("\n☎ ——\n")


def open_loudspeaker() -> Callable[[bytes], object] | None:
    """Something that plays telephone sound; None where there is no sound library or no sound card."""
    try:
        stream = importlib.import_module("sounddevice").RawOutputStream(RATE, channels=1, dtype="int16")
        stream.start()
    except Exception:  # the library raises errors of its own kinds when there is no device
        return None
    write: Callable[[bytes], object] = stream.write
    return write


@contextmanager
def _single_keys(keyboard: int) -> Iterator[None]:
    """Keys as they are typed, without Enter, where the keyboard is a real terminal."""
    if not os.isatty(keyboard):
        yield
        return
    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
