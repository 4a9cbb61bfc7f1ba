"""Asterisk, set up as `docs/lines.md` shows, between a provider and our line: calls in, a person rung."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from tests.exchange.sip_person import person
from tests.exchange.sip_town import SipTown, sip_town
from tests.exchange.test_sip_line import RECORD, recording, resemblance
from tests.exchange.town import COMMUNITY, free_port, play, speech, twiml
from tests.live import LIVE

ASTERISK = shutil.which("asterisk")
DOCS = Path(__file__).parents[2] / "docs" / "lines.md"
PBX, PROVIDER, LINE = "127.0.0.9", "127.0.0.2", "127.0.0.1"
CLERK = "057112340000"

pytestmark = [
    LIVE,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.skipif(
        ASTERISK is None,
        reason="NO ASTERISK HERE: the example for it in docs/lines.md was not run (apt install asterisk)",
    ),
]

BESIDE = f"""
[provider]
type=aor
contact=sip:{{clerk}}
[provider]
type=endpoint
context=from-provider
aors=provider
disallow=all
allow=alaw,ulaw
direct_media=no
trust_id_inbound=yes
[provider]
type=identify
endpoint=provider
match={PROVIDER}
"""
"""What an Asterisk has already: its provider. Here that is the telephone that calls, and the clerk's."""
ASTERISK_CONF = "[directories]\n" + "".join(
    f"ast{name}dir => {{folder}}\n" for name in ("etc", "run", "spool", "log", "db", "key")
)
MODULES = "[modules]\nautoload=yes\nnoload=chan_iax2.so\nnoload=chan_unistim.so\nnoload=pbx_dundi.so\n"


def documented(port: int, line: tuple[str, int]) -> tuple[str, str]:
    """pjsip.conf and extensions.conf as the page shows them, at the addresses of this test."""
    block = re.search(r"## Asterisk.*?```ini\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL)
    assert block
    text = block[1].replace("bind=192.0.2.9", f"bind={PBX}:{port}")
    text = text.replace("192.0.2.5:5070", f"{line[0]}:{line[1]}").replace("192.0.2.5", line[0])
    pjsip, _, extensions = text.partition("; extensions.conf\n")
    return pjsip, extensions


@asynccontextmanager
async def asterisk(folder: Path, port: int, line: tuple[str, int], clerk: str) -> AsyncIterator[None]:
    """A running Asterisk with that configuration."""
    folder.mkdir()
    pjsip, extensions = documented(port, line)
    files = {
        "asterisk.conf": ASTERISK_CONF.format(folder=folder),
        "modules.conf": MODULES,
        "pjsip.conf": pjsip + BESIDE.format(clerk=clerk),
        "extensions.conf": extensions,
        "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error\n",
        "rtp.conf": "[general]\nrtpstart=28000\nrtpend=28099\n",
    }
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")
    log = folder / "asterisk.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(ASTERISK), "-f", "-C", str(folder / "asterisk.conf"), stdout=output, stderr=output
        )
    try:
        async with asyncio.timeout(40):
            while b"Asterisk Ready" not in log.read_bytes():
                assert process.returncode is None, log.read_text("utf-8", "replace")[-3000:]
                await asyncio.sleep(0.1)
        yield
    except BaseException as problem:
        problem.add_note(log.read_text("utf-8", "replace")[-4000:])
        raise
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def test_calls_pass_through_asterisk_both_ways(tmp_path: Path) -> None:
    async def scene() -> None:
        port = free_port()
        async with (
            sip_town(tmp_path, {"trunks": (PBX,), "out": f"{PBX}:{port}"}) as t,
            person("answers", says=speech(2.0, seed=12)) as clerk,
            asterisk(tmp_path / "pbx", port, t.at, f"127.0.0.1:{clerk.port}"),
        ):
            await _speaks(t, port)
            await _is_joined(t, port)
            assert clerk.requests[0].first.startswith("INVITE sip:")

    play(scene)


async def _speaks(t: SipTown, port: int) -> None:
    """From the provider to our line: number, sound and keys both ways, a recording."""
    said = speech(1.6, seed=3)
    t.web.pages |= {
        "/calls": twiml('<Gather numDigits="4" timeout="9" finishOnKey="" action="BASE/turns/1"/>'),
        "/turns/1": twiml(RECORD.format('timeout="2" finishOnKey="#" maxLength="9"')),
        "/turns/2": twiml("<Hangup/>"),
    }
    async with t.raw(at=(PBX, port), host=PROVIDER, caller=f"<sip:13900000001@{PROVIDER}>") as phone:
        await phone.call()
        await asyncio.sleep(0.3)
        await phone.press("12#*")
        await t.web.until(lambda: bool(t.web.at("/turns/1")))
        await asyncio.sleep(0.8)  # the beep
        await phone.speak(said)
        await phone.press("#")
        await phone.until(lambda: phone.is_over)
        assert len(phone.heard) > 3200
    first = t.web.at("/calls")[0].params
    assert (first["From"], first["To"]) == ("+8613900000001", COMMUNITY)
    assert t.web.at("/turns/1")[0].params["Digits"] == "12#*"
    _, kept = await recording(t, t.web.at("/turns/2")[0].params["RecordingSid"])
    assert resemblance(said[:16000], kept) > 0.97


async def _is_joined(t: SipTown, port: int) -> None:
    """And out again: whoever presses 0 is joined with a person whom Asterisk rings."""
    t.web.pages["/calls"] = twiml(f'<Dial action="BASE/turns/3" timeout="9"><Number>{CLERK}</Number></Dial>')
    t.web.pages["/turns/3"] = twiml("<Hangup/>")
    async with t.raw(at=(PBX, port), host=PROVIDER) as phone:
        await phone.call()
        await phone.until(lambda: len(phone.heard) > 48000)
        assert resemblance(speech(2.0, seed=12)[9600:28000], bytes(phone.heard)) > 0.97
        await phone.hang_up()
    await t.web.until(lambda: bool(t.web.ending("/status")))
