"""The simulated loudspeaker on a SIP line: picks up by itself, one call at a time, loud after its keys."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from tests.broadcast.broker import free_port
from tests.exchange.sip_phone import raw_phone
from tests.exchange.test_sip_line import resemblance
from tests.exchange.town import speech
from tests.live import LIVE

SECRET_TALK, PROGRAMME = speech(1.0, seed=5), speech(1.5, seed=6)


@pytest.mark.slow
@LIVE
def test_it_picks_up_plays_after_the_right_keys_and_is_busy_for_a_second_caller(tmp_path: Path) -> None:
    port, wav = free_port(), tmp_path / "heard.wav"
    command = ["speaker", "simulate", "--sip", f"127.0.0.1:{port}", "--pin", "42#", "--wav", str(wav)]
    process = subprocess.Popen(
        [sys.executable, "-m", "admin", *command],
        env={**os.environ, "TINGJIAN_HOME": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        assert "在等电话".encode() in process.stdout.readline()

        async def scene() -> None:
            async with raw_phone(("127.0.0.1", port)) as first, raw_phone(("127.0.0.1", port)) as second:
                await first.call()
                await first.press("41#")
                await first.speak(SECRET_TALK)
                await second.invite()
                assert (await second.answer_to("INVITE")).status == 486
                await first.press("42#")
                await first.speak(PROGRAMME)
                await asyncio.sleep(0.3)

        asyncio.run(scene())
    finally:
        process.terminate()
        assert process.wait(15) == 0
    assert "占线".encode() in process.stdout.read()
    samples, rate = soundfile.read(wav, dtype="int16")
    heard = samples.astype("<i2").tobytes()
    assert rate == 8000
    assert resemblance(PROGRAMME, heard) > 0.95
    assert resemblance(SECRET_TALK, heard) < 0.5
