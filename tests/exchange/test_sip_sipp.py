"""sipp, an independent SIP program, calls the line: refreshes, holds, presses keys by INFO, is hung up on."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from tests.exchange.sip_town import sip_town
from tests.exchange.town import free_port, play, twiml
from tests.live import LIVE

SIPP = shutil.which("sipp")
SCENARIO = Path(__file__).parent / "sipp_call.xml"

pytestmark = [
    LIVE,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        SIPP is None, reason="NO SIPP HERE: sipp did not call the line (apt install sip-tester)"
    ),
]


def test_sipp_calls_with_info_keys_hold_and_session_timers(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path) as t:
            typed = '<Gather numDigits="2" timeout="20" finishOnKey="" action="BASE/turns/1"></Gather>'
            t.web.pages["/calls"] = twiml(typed)
            t.web.pages["/turns/1"] = twiml("<Hangup/>")
            sipp = await asyncio.create_subprocess_exec(
                str(SIPP), f"127.0.0.1:{t.at[1]}", "-sf", str(SCENARIO), "-s", "057112345678",
                "-i", "127.0.0.1", "-p", str(free_port()), "-mp", str(free_port()), "-m", "5", "-l", "5",
                "-r", "5", "-nostdin", "-timeout", "60", "-timeout_error", cwd=tmp_path,
                stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
            )  # fmt: skip
            said, _ = await sipp.communicate()
            assert sipp.returncode == 0, said.decode("utf-8", "replace")[-3000:]
            assert [k.params["Digits"] for k in t.web.at("/turns/1")] == ["42"] * 5

    play(scene)
