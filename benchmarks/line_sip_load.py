"""Callers of a SIP line as raw packets: `python -m benchmarks.line_sip_load PORT CALLS FOLDER [AT_ONCE]`.

Each hears the prompt, presses ten keys, speaks for as long, presses `#`; what they heard is kept in FOLDER.
With AT_ONCE, so many of them at a time make short calls, one after another: no prompt, two seconds of speech.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import struct
import sys
import time
from pathlib import Path

from admin.supervised import end_with_supervisor
from benchmarks.line_sip_sound import ALAW_SILENCE, DIGITS, PROMPT_SECONDS, speech_alaw

FRAME = 160
KEY_APART_SECONDS = 0.4
SHORT_SECONDS, SHORT_KEY_APART_SECONDS, MOST_SECONDS = 2.0, 0.2, 30.0
BEEP_SECONDS = 1.5
START_APART_SECONDS = 0.06
SETTLE_SECONDS = 1.5


class Caller(asyncio.DatagramProtocol):
    """One call. Packets leave when the one clock of all callers says so."""

    def __init__(self, number: int, port: int, folder: Path, speech: bytes, is_short: bool = False) -> None:
        self.number, self.line, self.folder = number, ("127.0.0.1", port), folder
        self.heard = bytearray()
        self.hears_seconds = 0.0 if is_short else PROMPT_SECONDS + SETTLE_SECONDS
        self.key_apart = SHORT_KEY_APART_SECONDS if is_short else KEY_APART_SECONDS
        self.speech, self.place = speech, -1
        self.events: list[bytes] = []
        self.media: tuple[str, int] | None = None
        self.is_over = False
        self.tag, self.to_tag = f"{random.getrandbits(32):x}", ""
        self.sequence, self.stamp, self.began = 0, 0, 0
        self.ssrc = random.getrandbits(32)

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self.sip, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.rtp, _ = await loop.create_datagram_endpoint(lambda: Ear(self), local_addr=("127.0.0.1", 0))

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        text = data.decode("utf-8", "replace")  # a neighbour's RTCP may come here, too
        first = text.partition("\r\n")[0]
        if first.startswith("SIP/2.0 200") and "INVITE" in _header(text, "CSeq"):
            self.to_tag = _header(text, "To").rpartition("tag=")[2]
            self._send("ACK")
            found = re.search(r"m=audio (\d+)", text)
            self.media = ("127.0.0.1", int(found[1])) if found else None
        elif first.startswith("BYE"):
            self.is_over = True
            names = ("Via", "From", "To", "Call-ID", "CSeq")
            head = "".join(f"{name}: {_header(text, name)}\r\n" for name in names)
            self.sip.sendto(f"SIP/2.0 200 OK\r\n{head}Content-Length: 0\r\n\r\n".encode(), source)

    async def call(self) -> None:
        """From the INVITE to the line's goodbye."""
        rtp = self.rtp.get_extra_info("sockname")[1]
        sdp = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {rtp} RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
        )
        self._send("INVITE", sdp)
        while self.media is None:
            await asyncio.sleep(0.02)
        await asyncio.sleep(self.hears_seconds)
        for digit in DIGITS:
            self._press(digit)
            await asyncio.sleep(self.key_apart)
        await asyncio.sleep(BEEP_SECONDS)
        self.place = 0
        await asyncio.sleep(len(self.speech) / 8000 + 0.2)
        self._press("#")
        until = time.monotonic() + 15
        while not self.is_over and time.monotonic() < until:
            await asyncio.sleep(0.05)
        (self.folder / f"heard-{self.number}").write_bytes(self.heard)

    def tick(self) -> None:
        """20 ms have passed."""
        if self.media is None or self.is_over:
            return
        self.sequence = (self.sequence + 1) & 0xFFFF
        if self.events:
            event = self.events.pop(0)
            is_first = event[2:] == struct.pack("!H", FRAME)
            self.began = self.stamp if is_first else self.began
            self._packet(101 | (0x80 if is_first else 0), self.began, event)
        else:
            frame = ALAW_SILENCE
            if 0 <= self.place < len(self.speech):
                frame = self.speech[self.place : self.place + FRAME]
                self.place += FRAME
            self._packet(8, self.stamp, frame)
        self.stamp = (self.stamp + FRAME) & 0xFFFFFFFF

    def _packet(self, payload: int, stamp: int, body: bytes) -> None:
        head = struct.pack("!BBHII", 0x80, payload, self.sequence, stamp, self.ssrc)
        self.rtp.sendto(head + body, self.media)

    def _press(self, digit: str) -> None:
        event = "0123456789*#".index(digit)
        self.events += [struct.pack("!BBH", event, 10, step * FRAME) for step in range(1, 6)]
        self.events += [struct.pack("!BBH", event, 0x8A, 6 * FRAME)] * 3

    def _send(self, method: str, sdp: str = "") -> None:
        port = self.sip.get_extra_info("sockname")[1]
        to = f"<sip:057112345678@127.0.0.1>{f';tag={self.to_tag}' if self.to_tag else ''}"
        lines = [
            f"{method} sip:057112345678@127.0.0.1:{self.line[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{random.getrandbits(48):x}",
            f"From: <sip:139{self.number:08}@127.0.0.1>;tag={self.tag}",
            f"To: {to}",
            f"Call-ID: load-{self.tag}",
            f"CSeq: 1 {method}",
            f"Contact: <sip:load@127.0.0.1:{port}>",
            "Max-Forwards: 70",
            *(["Content-Type: application/sdp"] if sdp else []),
            f"Content-Length: {len(sdp)}",
        ]
        self.sip.sendto(("\r\n".join(lines) + "\r\n\r\n" + sdp).encode(), self.line)


class Ear(asyncio.DatagramProtocol):
    """Keeps the sound of one call."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        if data[1] & 0x7F == 8:
            self.caller.heard += data[12:]


def _header(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.*)\r$", text, re.MULTILINE | re.IGNORECASE)
    return found[1] if found else ""


async def _tick(callers: list[Caller]) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        for caller in list(callers):
            caller.tick()
        due += 0.02
        await asyncio.sleep(max(0.0, due - loop.time()))


async def _all(port: int, count: int, folder: Path) -> None:
    speech = speech_alaw()
    callers = [Caller(number, port, folder, speech) for number in range(count)]
    for caller in callers:
        await caller.open()
    ticking = asyncio.create_task(_tick(callers))

    async def later(caller: Caller) -> None:
        await asyncio.sleep(caller.number * START_APART_SECONDS)
        await caller.call()

    await asyncio.gather(*(later(caller) for caller in callers))
    ticking.cancel()


async def _short(port: int, count: int, folder: Path, at_once: int) -> None:
    """Short calls, so many at a time; a caller who is not answered gives up."""
    speech = speech_alaw()[: int(SHORT_SECONDS * 8000)]
    waiting = [Caller(number, port, folder, speech, is_short=True) for number in range(count)]
    calling: list[Caller] = []
    ticking = asyncio.create_task(_tick(calling))

    async def one_after_another() -> None:
        while waiting:
            caller = waiting.pop()
            await caller.open()
            calling.append(caller)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(caller.call(), MOST_SECONDS)
            calling.remove(caller)
            caller.sip.close()
            caller.rtp.close()

    await asyncio.gather(*(one_after_another() for _ in range(at_once)))
    ticking.cancel()


if __name__ == "__main__":
    end_with_supervisor()
    port, count, folder = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    asyncio.run(_short(port, count, folder, int(sys.argv[4])) if sys.argv[4:] else _all(port, count, folder))
