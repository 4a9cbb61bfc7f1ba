"""A telephone that notes when its loudspeaker would sound: frames play in turn, never before they came."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ivr.exchange.ear import SURELY_VOICE
from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.sound import BYTES_PER_SECOND

WINDOW_BYTES = 160  # 10 ms
PATIENCE_SECONDS = 30.0
THINK_SECONDS = (0.8, 1.6)


@dataclass
class Noted:
    """What calls showed, in seconds: from the key, the answer, dialling to the first word; between frames.

    `starved_seconds`: how long the loudspeaker had nothing to play in the middle of a prompt.
    """

    key_to_word: list[float] = field(default_factory=list)
    answer_to_word: list[float] = field(default_factory=list)
    dial_to_word: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    sound_seconds: float = 0.0
    starved_seconds: float = 0.0


class Loudspeaker:
    """Plays what comes: `word_at` is when the first speech after the last `await_word` sounds (monotonic)."""

    def __init__(self, noted: Noted) -> None:
        self._noted = noted
        self._plays_until = self._came_at = 0.0
        self._is_due = False
        self.answered_at = 0.0
        self.word_at: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def await_word(self) -> None:
        """From now on, the next answer's sound is awaited; what still comes of the old prompt is not it."""
        self._is_due = False
        self.word_at = asyncio.get_running_loop().create_future()

    def hear(self, given: Mapping[str, Any]) -> None:
        """What the line brings."""
        now = time.monotonic()
        match given["type"]:
            case "answered":
                self.answered_at = now
            case "wait" if given["for"] == "nothing":
                self._is_due, self._came_at = True, 0.0
            case "flush":
                self._plays_until, self._came_at = now, 0.0
            case "sound":
                self._frame(given["pcm"], now)

    def _frame(self, pcm: bytes, now: float) -> None:
        if self._came_at:
            self._noted.gaps.append(now - self._came_at)
            self._noted.starved_seconds += max(0.0, now - self._plays_until)
        starts_at = max(now, self._plays_until)
        self._came_at, self._plays_until = now, starts_at + len(pcm) / BYTES_PER_SECOND
        self._noted.sound_seconds += len(pcm) / BYTES_PER_SECOND
        voice = speech_at(pcm) if self._is_due and not self.word_at.done() else None
        if voice is not None:
            self.word_at.set_result(starts_at + voice)


def speech_at(pcm: bytes) -> float | None:
    """Seconds from the start to the first 10 ms louder than any noise of a line; None without any."""
    for start in range(0, len(pcm) - WINDOW_BYTES + 1, WINDOW_BYTES):
        window = np.frombuffer(pcm[start : start + WINDOW_BYTES], "<i2").astype(np.float64) / 32768
        if 10 * np.log10(np.mean(window**2) + 1e-10) > SURELY_VOICE:
            return start / BYTES_PER_SECOND
    return None


async def one_call(
    url: str, ticket: str, caller: str, dialled: str, keys: Sequence[str], noted: Noted
) -> None:
    """Call, press every key a moment after its prompt begins to sound, hang up. TimeoutError when stuck."""
    loudspeaker = Loudspeaker(noted)
    dialled_at = time.monotonic()
    async with ScriptedPhone(url, ticket, caller, dialled, loudspeaker.hear) as phone:
        loudspeaker.hear({"type": "wait", "for": "nothing"})
        word_at = await _within(loudspeaker.word_at)
        noted.answer_to_word.append(word_at - loudspeaker.answered_at)
        noted.dial_to_word.append(word_at - dialled_at)
        for key in keys:
            await phone.wait_for_keys(PATIENCE_SECONDS)
            await asyncio.sleep(random.uniform(*THINK_SECONDS))
            loudspeaker.await_word()
            pressed_at = time.monotonic()
            await phone.press(key)
            noted.key_to_word.append(await _within(loudspeaker.word_at) - pressed_at)
        await phone.hang_up()


async def _within(word_at: asyncio.Future[float]) -> float:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await word_at
