"""kill -9 of the exchange at every step of a recording: after a restart all of it is handed over."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from aiohttp import ClientError, ClientSession

from ivr.exchange.errors import ExchangeError
from ivr.exchange.scripted import ScriptedPhone
from ivr.exchange.sound import RATE, decode
from ivr.exchange.tickets import make_ticket
from tests.exchange.town import CALLER, COMMUNITY, TOKEN, Town, Web, free_port, play, speech, twiml, web_side

RECORD = '<Record action="BASE/r" finishOnKey="#" recordingStatusCallback="BASE/recording"/>'
SAID = speech(4.2)


@asynccontextmanager
async def mortal(spool: Path, side: Web, port: int, point: str) -> AsyncIterator[Town]:
    """An exchange in a process of its own."""
    command = [sys.executable, "-m", "tests.exchange.mortal", str(spool), side.base, str(port), point]
    process = subprocess.Popen(command)
    try:
        await healthy(port, process)
        yield Town(side, SimpleNamespace(port=port, process=process))  # type: ignore[arg-type]
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


async def healthy(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers, or has died already."""
    async with asyncio.timeout(20), ClientSession() as session:
        while process.poll() is None:
            try:
                async with session.get(f"http://127.0.0.1:{port}/health") as answer:
                    if answer.status == 200:
                        return
            except ClientError:
                await asyncio.sleep(0.05)


async def speak_until_dead(t: Town) -> None:
    """Call, speak, finish with `#`, and take whatever comes."""
    url = f"ws://127.0.0.1:{t.exchange.port}/phone/ws"
    try:
        async with ScriptedPhone(url, make_ticket(TOKEN, "terminal"), CALLER, COMMUNITY) as phone:
            await phone.wait_for_speech(10)
            for start in range(0, len(SAID), RATE * 2):
                await phone.speak(SAID[start : start + RATE * 2])
                await asyncio.sleep(0.02)
            await phone.press("#")
            if await phone.wait_for_end(10) == "closed":
                return
            await t.web.until(lambda: bool(t.web.at("/recording")))
            await t.recording("DELETE", t.web.at("/recording")[0].params["RecordingSid"])
    except (ExchangeError, TimeoutError, ConnectionError, ClientError):
        return


@pytest.mark.slow
@pytest.mark.parametrize(
    ("point", "seconds"),
    [
        ("after:append:1", 1),
        ("after:append:3", 3),
        ("torn:append:3", 2),
        ("before:finish:1", 4),
        ("after:finish:1", 4),
        ("before:announce:1", 4),
        ("before:ask:2", 4),
        ("before:delete:1", 4),
    ],
)
def test_what_was_on_disk_is_a_whole_recording_handed_over_once(tmp_path: Path, point: str, seconds: int):
    async def scene() -> None:
        async with web_side() as side:
            side.pages |= {"/calls": twiml(RECORD), "/r": twiml("<Hangup/>")}
            port = free_port()
            async with mortal(tmp_path, side, port, point) as t:
                await speak_until_dead(t)
                assert await asyncio.to_thread(t.exchange.process.wait, 10) == -9  # type: ignore[attr-defined]
            async with mortal(tmp_path, side, port, "never") as t:
                await side.until(lambda: bool(side.at("/recording")), 15)
                told = {knock.params["RecordingSid"] for knock in side.at("/recording")}
                assert len(told) == 1
                status, wav = await t.recording("GET", sid := told.pop())
                assert status == 200
                kept = np.frombuffer(decode(wav), "<i2").astype(int)
                whole = np.frombuffer(SAID, "<i2").astype(int)
                assert len(kept) >= seconds * RATE
                shared = min(len(kept), len(whole))
                assert np.abs(kept[:shared] - whole[:shared]).max() <= 1
                assert (await t.recording("DELETE", sid))[0] == 204
                await side.until(lambda: bool(side.ending("/status")), 15)
                assert {k.params["CallStatus"] for k in side.ending("/status")} == {"completed"}
                await side.until(lambda: not any(path.is_file() for path in tmp_path.rglob("*")))
            assert side.forged == 0

    play(scene)


@pytest.mark.slow
@pytest.mark.parametrize("point", ["before:begin:1", "after:begin:1", "after:delete:1"])
def test_nothing_on_disk_leaves_nothing_behind(tmp_path: Path, point: str):
    async def scene() -> None:
        async with web_side() as side:
            side.pages |= {"/calls": twiml(RECORD), "/r": twiml("<Hangup/>")}
            port = free_port()
            async with mortal(tmp_path, side, port, point) as t:
                await speak_until_dead(t)
                assert await asyncio.to_thread(t.exchange.process.wait, 10) == -9  # type: ignore[attr-defined]
            before = len(side.at("/recording"))
            async with mortal(tmp_path, side, port, "never"):
                await side.until(lambda: bool(side.ending("/status")), 15)
                await side.until(lambda: not any(path.is_file() for path in tmp_path.rglob("*")))
            assert len(side.at("/recording")) == before

    play(scene)
