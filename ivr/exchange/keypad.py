"""The keys of one call: typed ahead, cutting prompts short, counted up to what a Gather wants, double taps
left out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

from ivr.exchange.handset import Handset, Key
from ivr.exchange.twiml import Gather, Prompt

Speak = Callable[[Sequence[Prompt]], Awaitable[None]]


class Keypad:
    """Gathers keys from one handset. `double_tap_seconds`: the key that caused a turn, pressed again so
    soon, is a slip.
    """

    def __init__(self, handset: Handset, speak: Speak, double_tap_seconds: float) -> None:
        self._handset, self._speak = handset, speak
        self._double_tap_seconds = double_tap_seconds
        self._last: Key | None = None

    def caused_a_turn(self, digit: str) -> None:
        """A key that was not gathered has led on: the one that ended a recording."""
        self._last = Key(digit, time.monotonic())

    async def gather(self, verb: Gather) -> tuple[str, int]:
        """The keys typed, and how many of them had been pressed before this gather began; '' when there are
        none.
        """
        typed, early = "", 0
        began = time.monotonic()
        key = await self._first(verb)
        while key is not None:
            self._last = key
            if key.digit in verb.finish_on:
                break
            typed += key.digit
            early += key.pressed_at < began
            if verb.num_digits and len(typed) >= verb.num_digits:
                break
            key = await self._handset.key(verb.timeout_seconds)
        return typed, early

    async def _first(self, verb: Gather) -> Key | None:
        """The first key: one pressed before, one that cuts the prompts short, or one before the time-out."""
        pressing = asyncio.create_task(self._wanted())
        playing = asyncio.create_task(self._prompts(verb, pressing))
        try:
            await asyncio.wait({pressing, playing}, return_when=asyncio.FIRST_COMPLETED)
            if not pressing.done():
                playing.result()
        finally:
            for task in (playing, pressing):
                task.cancel()
            await asyncio.gather(playing, pressing, return_exceptions=True)
        if not pressing.cancelled():
            return pressing.result()
        await self._handset.expect("keys", verb.timeout_seconds)
        return await self._wanted(verb.timeout_seconds)

    async def _prompts(self, verb: Gather, pressing: asyncio.Task[Key | None]) -> None:
        await asyncio.sleep(0)  # a key that is already there comes first: then nothing is played
        if not pressing.done():
            await self._handset.expect("keys", verb.timeout_seconds)
            await self._speak(verb.prompts)

    async def _wanted(self, timeout_seconds: float | None = None) -> Key | None:
        """The next key that is no double tap."""
        while True:
            key = await self._handset.key(timeout_seconds)
            if key is None or not self._is_double_tap(key):
                return key

    def _is_double_tap(self, key: Key) -> bool:
        last = self._last
        if last is None or key.digit != last.digit:
            return False
        return key.pressed_at - last.pressed_at < self._double_tap_seconds
