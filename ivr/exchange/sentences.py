"""What the exchange itself must be able to say when web cannot: kind, short, in Chinese."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ivr.exchange.errors import SoundError
from ivr.exchange.media import Clip
from ivr.exchange.settings import Speaker
from ivr.exchange.sound import RATE, decode, from_floats

if TYPE_CHECKING:
    from speech.synthesize import Synthesizer

log = logging.getLogger(__name__)

MOST_SAID = 300
"""Sentences kept ready; the ones made longest ago are forgotten."""

SENTENCES: Mapping[str, str] = {
    "wait": "请稍等，马上就好。",
    "away": (
        "对不起，我们这边出了点小问题，您不用着急。请在嘀声之后说出您的意见，会录下来转成文字，交给村里处理，"
        "不想录音请直接挂机。如有紧急情况，请挂机拨打110、119或120。"
    ),
    "kept": "您说的话已经记下了，谢谢您，再见。",
    "later": "对不起，这会儿接不通。请您过一会儿再打来，谢谢您。",
    "again": "您好，对不起，我们这边出了点小问题，过一会儿再给您打过来，谢谢您。",
    "busy": "对不起，现在打电话的人很多。请您过几分钟再打来，谢谢您。",
    "call_back": "对不起，现在线路都在忙。我们记下了您的号码，会尽快给您回电话，谢谢您。",
    "soon_over": "提醒您一下，这次通话快到时间了。",
    "limit": "这次通话的时间到了，您说的话都已经记下了。欢迎您再打来，再见。",
    "no_answer": "现在没有人接听。",
    "practice_dial": "练习电话不会真的接通别人。",
    "disk": "对不起，现在录不了音。请您过一会儿再打来，谢谢您。",
}


def espeak(words: str, language: str) -> bytes:
    """The last resort: the synthesiser that is always there, loaded when first needed."""
    from speech.audio import resample

    return from_floats(resample(_espeak().say(words, language), RATE).samples)


@lru_cache(maxsize=1)
def _espeak() -> Synthesizer:
    from speech.synthesize import load_synthesizer

    return load_synthesizer("espeak")


class Sentences:
    """Says local sentences and `<Say>`: a recorded file first, the synthesiser second; captions always."""

    def __init__(self, files: Mapping[str, Path], speaker: Speaker | None) -> None:
        self._files = files
        self._speaker = speaker or espeak
        self._said: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._coming: dict[tuple[str, str], asyncio.Task[bytes]] = {}
        self._one_voice = asyncio.Semaphore(1)

    async def clip(self, name: str) -> Clip:
        """One of SENTENCES."""
        words, file = SENTENCES[name], self._files.get(name)
        if file is not None and await asyncio.to_thread(file.is_file):
            try:
                return Clip(await asyncio.to_thread(lambda: decode(file.read_bytes())), words)
            except (OSError, SoundError) as error:
                log.error("the sentence %s has no usable file: %s", name, type(error).__name__)
        return await self.say(words, "zh")

    def prepare(self, prompts: Iterable[tuple[str, str]]) -> None:
        """Begin to make what will be said soon: (words, language) in the order they will be heard."""
        for words, language in prompts:
            known = (words, plain_language(language))
            if known not in self._said:
                self._making(known)

    async def say(self, words: str, language: str) -> Clip:
        """Any words; without sound when no synthesiser works, so that the call goes on."""
        known = (words, plain_language(language))
        pcm = self._said.get(known)
        if pcm is None:
            pcm = await asyncio.shield(self._making(known))
        return Clip(pcm, words)

    def _making(self, known: tuple[str, str]) -> asyncio.Task[bytes]:
        if known not in self._coming:
            task = asyncio.create_task(self._make(known))
            self._coming[known] = task
            task.add_done_callback(lambda _: self._coming.pop(known, None))
        return self._coming[known]

    async def _make(self, known: tuple[str, str]) -> bytes:
        try:
            async with self._one_voice:
                pcm = await asyncio.to_thread(self._speaker, *known)
        except Exception as error:  # whatever an engine raises, the call goes on
            log.error("no synthesiser could say a sentence: %s", type(error).__name__)
            return b""
        self._said[known] = pcm
        if len(self._said) > MOST_SAID:
            self._said.popitem(last=False)
        return pcm


def plain_language(language: str) -> str:
    """`cmn-CN`, `zh-CN` and '' are `zh`; `en-GB` is `en`."""
    plain = language.partition("-")[0].lower()
    return "zh" if plain in ("", "cmn", "zh") else plain
