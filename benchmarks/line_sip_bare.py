"""The rival: a bare baresip-python loop that plays, collects keys and records, and nothing else.

`python -m benchmarks.line_sip_bare PORT FIRST LAST FOLDER` until SIGTERM; recordings and keys lie in FOLDER.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from baresip import (
    Account,
    AudioNotActive,
    AudioRestarted,
    BaresipError,
    Call,
    Config,
    Event,
    Runtime,
    StackEvent,
    UserAgent,
)

from admin.supervised import end_with_supervisor
from benchmarks.line_sip_sound import DIGITS, prompt_pcm
from ivr.exchange.sip.tones import ToneEar
from ivr.exchange.sound import BEEP

PUMP_SECONDS = 0.04
AHEAD_BYTES = 8000


class Dialogue:
    """One call: prompt, ten keys, beep, recording until `#`."""

    def __init__(self, call: Call, number: int, folder: Path, prompt: bytes) -> None:
        self.call, self.number, self.folder = call, number, folder
        self.waiting = prompt
        self.keys = ""
        self.is_over = self.is_recording = self.has_events = False
        self.recorded = bytearray()
        self.ear = ToneEar()
        call.on(self.hear_of)

    def hear_of(self, event: StackEvent) -> None:
        if event.event is Event.CALL_DTMF_START:
            self.has_events = True
            self.keys += event.text or ""
        elif event.event is Event.CALL_CLOSED:
            self.is_over = True

    async def run(self) -> None:
        await self.call.answer(video=True)
        while not self.is_over:
            self.pump()
            if not self.is_recording and len(self.keys) >= len(DIGITS):
                self.is_recording, self.waiting = True, BEEP
            if self.is_recording and self.keys.endswith("#"):
                break
            await asyncio.sleep(PUMP_SECONDS)
        with contextlib.suppress(BaresipError):
            await self.call.hangup()
        (self.folder / f"recorded-{self.number}").write_bytes(self.recorded)
        (self.folder / f"keys-{self.number}").write_text(self.keys[: len(DIGITS)])

    def pump(self) -> None:
        audio = self.call.audio
        try:
            heard = audio.read(1 << 15)
            if heard and not self.has_events:
                self.keys += self.ear.hear(heard)
            if heard and self.is_recording:
                self.recorded += heard
            if self.waiting and (room := AHEAD_BYTES - audio.info().tx_buffered) > 0:
                self.waiting = self.waiting[audio.write(self.waiting[:room]) :]
        except (AudioNotActive, AudioRestarted):
            return


async def _serve(port: int, first: int, last: int, folder: Path) -> None:
    runtime, prompt = Runtime(), prompt_pcm()
    lines = f"sip_listen 127.0.0.1:{port}\naudio_jitter_buffer_type fixed\nrtp_ports {first}-{last}\n"
    await runtime.start(
        Config(net_interface="127.0.0.1", max_concurrent_calls=None, extra_config_text=lines, rtp_timeout=30)
    )
    account = Account(
        user="bare", domain=f"127.0.0.1:{port}", password="", reg_interval=0,
        audio_codecs=("pcma", "pcmu"), extra_params=("catchall=yes",),
    )  # fmt: skip
    agent, calls = await UserAgent.create(runtime, account), set[asyncio.Task[None]]()

    def take(call: Call) -> None:
        number = (call.peer or "").partition("139")[2].partition("@")[0]
        calls.add(asyncio.create_task(Dialogue(call, int(number), folder, prompt).run()))

    agent.on_incoming(take)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    (folder / "ready").touch()
    await stop.wait()
    await runtime.close()


if __name__ == "__main__":
    end_with_supervisor()
    asyncio.run(_serve(*(int(one) for one in sys.argv[1:4]), Path(sys.argv[4])))
