"""What the exchange itself must be able to say when web cannot: kind, short, in Chinese."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from pathlib import Path

from ivr.exchange.errors import SoundError
from ivr.exchange.media import Clip
from ivr.exchange.settings import Speaker
from ivr.exchange.sound import decode

log = logging.getLogger(__name__)

SENTENCES: Mapping[str, str] = {
    "wait": "请稍等，马上就好。",
    "away": (
        "对不起，我们这边出了点小问题，您不用着急。请在嘀声之后说出您的意见，会录下来转成文字，交给村里处理，"
        "不想录音请直接挂机。如有紧急情况，请挂机拨打110、119或120。"
    ),
    "kept": "您说的话已经记下了，谢谢您，再见。",
    "later": "对不起，这会儿接不通。请您过一会儿再打来，谢谢您。",
    "busy": "对不起，现在打电话的人很多。请您过几分钟再打来，谢谢您。",
    "limit": "这次通话的时间到了，您说的话都已经记下了。欢迎您再打来，再见。",
    "no_answer": "现在没有人接听。",
    "practice_dial": "练习电话不会真的接通别人。",
    "disk": "对不起，现在录不了音。请您过一会儿再打来，谢谢您。",
}


def espeak(words: str, language: str) -> bytes:
    """The last resort: the synthesiser that is always there, loaded when first needed."""
    from ivr.exchange.sound import RATE, from_floats
    from speech.audio import resample
    from speech.models import models_folder
    from speech.synthesize import load_synthesizer

    spoken = load_synthesizer("espeak", models_folder()).say(words, language or "zh")
    return from_floats(resample(spoken, RATE).samples)


class Sentences:
    """Says local sentences and `<Say>`: a recorded file first, the synthesiser second; captions always."""

    def __init__(self, files: Mapping[str, Path], speaker: Speaker | None) -> None:
        self._files = files
        self._speaker = speaker or espeak
        self._said: dict[tuple[str, str], bytes] = {}

    async def clip(self, name: str) -> Clip:
        """One of SENTENCES."""
        words = SENTENCES[name]
        if name in self._files:
            try:
                data = await asyncio.to_thread(self._files[name].read_bytes)
                return Clip(await asyncio.to_thread(decode, data), words)
            except (OSError, SoundError) as error:
                log.error("the sentence %s has no usable file: %s", name, type(error).__name__)
        return await self.say(words, "zh")

    async def say(self, words: str, language: str) -> Clip:
        """Any words; without sound when no synthesiser works, so that the call goes on."""
        known = (words, language)
        if known not in self._said:
            try:
                self._remember(known, await asyncio.to_thread(self._speaker, words, language))
            except Exception as error:  # whatever an engine raises, the call goes on
                log.error("no synthesiser could say a sentence: %s", type(error).__name__)
                return Clip(b"", words)
        return Clip(self._said[known], words)

    def _remember(self, known: tuple[str, str], pcm: bytes) -> None:
        if len(self._said) >= 200:
            self._said.pop(next(iter(self._said)))
        self._said[known] = pcm
