"""Two hundred short calls, ended in every way, leave no open file, no task, no errand and no tape behind."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import pytest

from tests.exchange.town import Town, clip, play, speech, town, twiml

CALLS, AT_ONCE = 200, 10
GATHER = '<Gather numDigits="1" finishOnKey="" timeout="8" action="BASE/next">{}</Gather>'
MENU = GATHER.format("<Play>BASE/media/a.wav</Play>")


def ready(t: Town) -> None:
    t.web.sounds["a.wav"] = clip(1)
    t.web.pages |= {
        "/calls": twiml(MENU, "<Hangup/>"),
        "/next": twiml(
            '<Record action="BASE/r" finishOnKey="#" timeout="3" recordingStatusCallback="BASE/recording"/>',
            "<Hangup/>",
        ),
        "/r": twiml("<Say>好</Say>"),
    }


async def short_call(t: Town, way: int) -> None:
    """One call; the way it ends differs from call to call."""
    async with t.phone() as phone:
        if way == 0:
            return  # the line breaks at once
        await phone.wait_for_keys()
        if way == 1:
            await phone.hang_up()
            return
        await phone.press("1")
        if way == 2:
            return  # while web is asked
        await phone.wait_for_speech()
        if way == 3:
            await phone.hang_up()
            return
        await phone.speak(speech(0.5))
        if way == 4:
            return  # in mid-word
        await phone.press("#")
        await phone.wait_for_end()


async def in_use(t: Town) -> tuple[int, int]:
    """Open files and tasks of this process once all calls are over."""
    await t.web.until(lambda: t.exchange.desk.errands.count() == 0 and not t.exchange._lines, 20)
    for sid in t.exchange.desk.spool.sids():
        assert (await t.recording("DELETE", sid))[0] == 204
    await asyncio.sleep(0.3)
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir())), len(asyncio.all_tasks())


async def call_again_and_again(t: Town, calls: int) -> None:
    for first in range(0, calls, AT_ONCE):
        await asyncio.gather(*(short_call(t, way % 6) for way in range(first, first + AT_ONCE)))


@pytest.mark.slow
def test_two_hundred_short_calls_leave_nothing_behind(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            await call_again_and_again(t, 2 * AT_ONCE)
            files, tasks = await in_use(t)
            await call_again_and_again(t, CALLS)
            files_after, tasks_after = await in_use(t)
            assert files_after <= files + 8  # connections to web that are kept for the next call
            assert tasks_after <= tasks + 8
            assert t.exchange.desk.spool.sids() == []
            assert {path.name for path in tmp_path.rglob("*")} == {"errands"}
            assert len(t.web.ending("/status")) == 2 * AT_ONCE + CALLS

    play(scene)
