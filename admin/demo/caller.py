"""The caller of the demo: presses what was agreed, then what is offered, and speaks after the beep."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivr.exchange.scripted import ScriptedPhone
from ivr.prompts.book import Book

Tell = Callable[[str, str], None]
"""Told what happened and in which words: `heard`, `pressed`, `spoke`, `ended`."""

_LOOK_SECONDS = 0.05
_PATIENCE_SECONDS = 120.0
_LONGEST_SECONDS = 600.0


@dataclass
class Caller:
    """One caller on one phone: `reactions` are keys, each pressed once when its prompt is heard.

    Having said all, the caller hangs up on hearing a prompt of `leaves_at`. `voice` is 8 kHz mono PCM16LE.
    """

    phone: ScriptedPhone
    book: Book
    tell: Tell
    reactions: Mapping[str, str]
    leaves_at: Sequence[str]
    voice: bytes = b""
    _mark: int = 0
    _has_spoken: bool = field(default=False, init=False)
    _done: set[str] = field(default_factory=set, init=False)

    async def call(self, keys: Sequence[str]) -> None:
        """The whole call: `keys` first, each when it is offered; then as the reactions say; then hang up."""
        for key in keys:
            await self._until(lambda key=key: self._is_offered(key))  # type: ignore[misc]
            await self._press(key)
        async with asyncio.timeout(_LONGEST_SECONDS):
            while self.phone.end_reason is None and not self._is_done():
                await self._react()
        await self.phone.hang_up()
        self.tell("ended", self.phone.end_reason or "")

    async def _react(self) -> None:
        if self.voice and not self._has_spoken and self.phone.expecting == "speech":
            await self.phone.wait_for_speech(_PATIENCE_SECONDS)
            self.tell("spoke", "")
            await self.phone.speak(self.voice, is_paced=True)
            self._has_spoken = True
            await self._press("#")
            return
        for prompt_id, key in self.reactions.items():
            if prompt_id not in self._done and self._heard_any([prompt_id]):
                self._done.add(prompt_id)
                await self._press(key)
                return
        await asyncio.sleep(_LOOK_SECONDS)

    def _is_done(self) -> bool:
        has_said_all = self._has_spoken or not self.voice
        return has_said_all and self._heard_any(self.leaves_at)

    async def _press(self, key: str) -> None:
        self._mark = len(self.phone.heard)
        self.tell("pressed", key)
        await self.phone.press(key)

    def _is_offered(self, key: str) -> bool:
        spoken = {"#": ("井号", "hash"), "*": ("星号", "star")}.get(key, (f"按{key}", f"press {key}"))
        return any(word in caption for caption in self.phone.heard[self._mark :] for word in spoken)

    def _heard_any(self, prompt_ids: Sequence[str]) -> bool:
        """Whether the first fixed words of one of these prompts were heard since the last key."""
        return any(
            words in caption
            for prompt_id in prompt_ids
            for words in [self._opening(prompt_id)]
            for caption in self.phone.heard[self._mark :]
        )

    def _opening(self, prompt_id: str) -> str:
        return next(words for words, is_value in self.book.fragments(prompt_id) if not is_value)

    async def _until(self, is_so: Callable[[], bool]) -> None:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not is_so() and self.phone.end_reason is None:
                await asyncio.sleep(_LOOK_SECONDS)


def listener(tell: Tell) -> Callable[[Mapping[str, Any]], None]:
    """What the phone tells of the line, as the story wants it: a number that is read out in one line."""
    row: list[str] = []

    def hear(given: Mapping[str, Any]) -> None:
        if given.get("type") not in ("caption", "ended"):
            return
        if given.get("row"):
            row.append(str(given["text"]))
            return
        if row:
            tell("heard", "".join(row))
            row.clear()
        if given["type"] == "caption":
            tell("heard", str(given["text"]))

    return hear
