"""Ten elderly callers: how each uses the telephone, one script each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np

from ivr.exchange.sound import from_floats
from tests.whole.phones import lifted
from tests.whole.town import Town

Elder = Callable[[Town, str, bytes], Awaitable[list[str]]]
"""A town, the number to call from, a spoken sentence (8 kHz PCM16); gives what was heard."""


async def silent(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Never presses a key. Speaks when a beep invites it, then waits until the call is over."""
    async with lifted(place, caller) as elder:
        await elder.speak(sentence, finish="")
        await elder.phone.wait_for_end(200)
        return elder.phone.heard


async def slow(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Asks to hear it again, and again; presses only when a question has been repeated."""
    async with lifted(place, caller) as elder:
        await elder.press("*", "*", "1", "#")
        await elder.phone.wait_for_caption("不着急", 100)
        await elder.press("1")
        await elder.hears_on("voted")
        await elder.phone.hang_up()
        return elder.phone.heard


async def double_tapping(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Every key trembles and comes twice."""
    async with lifted(place, caller) as elder:
        await elder.double_tap("1")
        await elder.press("#")
        await elder.double_tap("2")
        await elder.phone.wait_for_caption("继续往下听", 60)
        await elder.phone.hang_up()
        return elder.phone.heard


async def wrong_keys(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Presses keys that mean nothing here, then the right one."""
    async with lifted(place, caller) as elder:
        await elder.press("7", "8", "6")  # the third time the call goes on by itself
        await elder.press("#", "5", "1")
        await elder.hears_on("voted")
        await elder.phone.hang_up()
        return elder.phone.heard


async def hangs_up_early(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Votes, begins to speak, and puts the receiver down in mid-sentence."""
    async with lifted(place, caller) as elder:
        await elder.press("1", "#", "2")
        await elder.press("2", "1")
        await elder.speak(sentence, finish="")
        await elder.phone.hang_up()
        return elder.phone.heard


async def speaks_before_the_beep(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Talks through the notice and past the beep."""
    async with lifted(place, caller) as elder:
        await elder.press("1", "#", "1", "2")
        talking = asyncio.create_task(elder.phone.speak(sentence * 20, is_paced=True))
        await elder.phone.wait_for_speech()
        await elder.pause(15)
        await elder.phone.press("#")
        talking.cancel()
        await elder.hears_on("spoke")
        await elder.phone.hang_up()
        return elder.phone.heard


async def keeps_talking(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Has more to say than one recording holds."""
    async with lifted(place, caller) as elder:
        await elder.press("1", "#", "3", "2", "1")
        told = sentence * 2
        await elder.speak(told + humming(150 - len(told) / 16_000), finish="")
        await elder.speak(humming(15))
        await elder.press("1", "3")
        await elder.hears_on("released")
        await elder.phone.hang_up()
        return elder.phone.heard


def humming(seconds: float) -> bytes:
    """A voice that goes on without words (8 kHz PCM16)."""
    moments = np.arange(int(seconds * 8000)) / 8000
    wave = np.sin(2 * np.pi * 170 * moments) * (np.sin(2 * np.pi * 2 * moments) > -0.5)
    return from_floats(0.2 * wave)


async def second_voter(place: Town, caller: str, sentence: bytes) -> list[str]:
    """He votes; she calls from the same telephone and sees it differently."""
    async with lifted(place, caller) as his:
        await his.press("1", "#", "1")
        await his.hears_on("voted")
        await his.phone.hang_up()
    async with lifted(place, caller) as hers:
        await hers.press("1", "#", "2")  # somebody else in this home
        await hers.press("1", "3")  # no, she thinks again
        await hers.press("2", "2")  # the second voter changes: disagrees
        await hers.hears_on("voted")
        await hers.phone.hang_up()
        return hers.phone.heard


async def refuses_recording(place: Town, caller: str, sentence: bytes) -> list[str]:
    """Wants no recording, votes all the same and agrees with a neighbour."""
    async with lifted(place, caller) as elder:
        await elder.press("1", "#", "1", "2")
        await elder.press("8")  # the notice: no recording
        await elder.phone.wait_for_caption("不录音", 60)
        await elder.phone.hang_up()
    async with lifted(place, caller) as again:
        await again.phone.wait_for_caption("刚才电话断了", 60)
        await again.press("2", "1", "#", "#", "1", "#", "1")
        await again.hears_on("reacted")
        await again.phone.hang_up()
        return again.phone.heard


async def drops_and_calls_back(place: Town, caller: str, sentence: bytes) -> list[str]:
    """The line breaks while the notice is read; calls back and goes on where it broke."""
    async with lifted(place, caller) as dropped:
        await dropped.press("1", "#", "1", "2")
        await dropped.phone.wait_for_keys()
    async with lifted(place, caller) as elder:
        await elder.phone.wait_for_caption("刚才电话断了", 60)
        await elder.press("1", "*", "1")  # hears the notice once more: a second 1 at once would be a slip
        await elder.speak(sentence)
        await elder.press("1", "2")
        await elder.hears_on("released")
        await elder.phone.hang_up()
        return elder.phone.heard


ELDERS: tuple[Elder, ...] = (
    silent,
    slow,
    double_tapping,
    wrong_keys,
    hangs_up_early,
    speaks_before_the_beep,
    keeps_talking,
    second_voter,
    refuses_recording,
    drops_and_calls_back,
)
