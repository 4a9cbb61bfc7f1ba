"""What a caller hears: web's clips and words, and the sentences of the exchange itself."""

from __future__ import annotations

from collections.abc import Sequence

from ivr.exchange.desk import Desk
from ivr.exchange.errors import WebAway
from ivr.exchange.handset import Handset
from ivr.exchange.media import Clip
from ivr.exchange.twiml import Play, Prompt


class Voice:
    """Speaks to one handset. Everything raises HungUp once the caller is gone.

    Where it `is_quiet`, nothing is said but what web has asked for, and a clip that is missing is an error:
    `prompt` raises WebAway.
    """

    def __init__(self, desk: Desk, handset: Handset, is_quiet: bool = False) -> None:
        self.is_answered, self.is_quiet = False, is_quiet
        self._desk, self._handset = desk, handset

    async def answer(self) -> None:
        """Pick up, once."""
        if not self.is_answered:
            await self._handset.answer()
            self.is_answered = True

    async def prompt(self, prompt: Prompt) -> None:
        """One Say or Play, as often as it asks for; a clip without sound is shown once."""
        if isinstance(prompt, Play):
            clip = await self._desk.media.clip(prompt.url)
        else:
            clip = await self._desk.sentences.say(prompt.text, prompt.language)
        if self.is_quiet and not clip.pcm:
            raise WebAway("the sound is not to be had", is_permanent=True)
        times = 0
        while times == 0 or (clip.pcm and (times < prompt.loop or prompt.loop == 0)):
            await self._sound(clip)
            times += 1

    async def prompts(self, prompts: Sequence[Prompt]) -> None:
        """One after another."""
        for prompt in prompts:
            await self.prompt(prompt)

    async def sentence(self, name: str) -> None:
        """One of the exchange's own SENTENCES."""
        if self.is_quiet:
            return
        await self.answer()
        await self._handset.expect("nothing")
        await self._sound(await self._desk.sentences.clip(name))

    async def _sound(self, clip: Clip) -> None:
        if clip.caption:
            await self._handset.show(clip.caption)
        await self._handset.play(clip.pcm)
