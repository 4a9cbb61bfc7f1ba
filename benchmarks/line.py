"""What a handset hears, and when: key press to the next word, answer to the first word, evenness of sound.

Real web, records and exchange, the demo community in its own voice; the baseline is the same documents from a
server that only repeats them, to an exchange of the same kind, in turns with ours. Times count until the
loudspeaker would sound the first speech, not until the first frame has come.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, build_opener

from benchmarks import line_sip
from benchmarks.line_phone import Noted, one_call
from benchmarks.line_town import Line, Town, line_town
from benchmarks.report import Measured, percentile
from ivr.exchange.scripted import ScriptedPhone

KEYS = ("1", "#", "2", "1", "#", "2", "#", "1")
"""Hears the first topic, skips to its ballot, disagrees, hears two neighbours and agrees or not with each."""

ROUNDS, CALLS_ALONE, TOGETHER = 2, 4, 10
KEY_TARGET, WORD_TARGET, GAP_TARGET_MS = 0.5, 2.0, 100.0
START_APART_SECONDS = 3.0


def measure() -> Iterator[Measured]:
    """What practice phones hear, then real SIP calls in number."""
    yield from _practice_phones()
    yield from line_sip.measure()


def _practice_phones() -> Iterator[Measured]:
    """Four lines for one phone and four for ten at once, and the very first call of a fresh exchange."""
    with tempfile.TemporaryDirectory(prefix="tj-line-") as folder, line_town(Path(folder)) as town:
        _rehearse(town)
        cold = Noted()
        asyncio.run(_calls(town.ours, 1, 1, cold))
        yield _seconds("line.first_call.dial_to_word", cold.dial_to_word[0], WORD_TARGET)
        for phones, calls in ((1, CALLS_ALONE), (TOGETHER, 1)):
            ours, bare = Noted(), Noted()
            for _ in range(ROUNDS):
                asyncio.run(_calls(town.bare, phones, calls, bare))
                asyncio.run(_calls(town.ours, phones, calls, ours))
            yield from _compared(f"line.{phones}", ours, bare)


def _compared(name: str, ours: Noted, bare: Noted) -> Iterator[Measured]:
    for what, target in (
        ("key_to_word", KEY_TARGET), ("answer_to_word", WORD_TARGET), ("dial_to_word", WORD_TARGET)
    ):  # fmt: skip
        value, baseline = (percentile(getattr(noted, what), 95) for noted in (ours, bare))
        yield _seconds(f"{name}.{what}.p95", value, target, value / baseline)
    gap, baseline = (percentile(noted.gaps, 99) * 1000 for noted in (ours, bare))
    yield Measured(f"{name}.frame_gap.p99", gap, "ms", GAP_TARGET_MS, gap / baseline, True, True)
    starved = 100 * ours.starved_seconds / ours.sound_seconds
    yield Measured(f"{name}.starved", starved, "%", 1.0, None, is_at_most=True)


def _seconds(name: str, value: float, target: float, ratio: float | None = None) -> Measured:
    return Measured(name, value, "s", target, ratio, is_at_most=True, is_absolute=True)


def _rehearse(town: Town) -> None:
    """One call to find out which sentences are said, one to teach the bare server, then left on its own."""
    asyncio.run(_hurried_call(town.bare))
    said = _told(f"{town.bare_base}/forget")
    print(f"# {town.render(said)} sentences rendered", file=sys.stderr)
    asyncio.run(_calls(town.bare, 1, 1, Noted()))
    print(f"# the bare server knows {_told(f'{town.bare_base}/seal')} pages", file=sys.stderr)


def _told(address: str) -> Any:
    with build_opener(ProxyHandler({})).open(address, timeout=10) as answer:
        return json.load(answer)


async def _hurried_call(line: Line) -> None:
    """The same way through the call; nothing is listened to."""
    async with ScriptedPhone(line.url, line.ticket, _caller(), line.dialled) as phone:
        for key in KEYS:
            await phone.wait_for_keys(120)
            await phone.press(key)
        await phone.wait_for_keys(120)
        await phone.hang_up()


async def _calls(line: Line, phones: int, calls: int, noted: Noted) -> None:
    """`phones` at once, each calling `calls` times; every call from a number that has not voted yet."""

    async def calling() -> None:
        await asyncio.sleep(random.uniform(0, START_APART_SECONDS) if phones > 1 else 0)
        for _ in range(calls):
            await one_call(line.url, line.ticket, _caller(), line.dialled, KEYS, noted)

    await asyncio.gather(*(calling() for _ in range(phones)))


_numbers = iter(range(time.time_ns() % 10**8, 10**9))


def _caller() -> str:
    return f"+86137{next(_numbers) % 10**8:08}"
