"""A telephone of raw UDP packets for the line's tests: SIP and RTP by hand, well-behaved or not."""

from __future__ import annotations

import asyncio
import io
import random
import re
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soundfile

EVENTS = "0123456789*#"
FRAME = 160  # samples of 20 ms
LAWS = {"alaw": (8, "PCMA", "ALAW"), "ulaw": (0, "PCMU", "ULAW")}


@dataclass(frozen=True)
class Message:
    """One SIP message that came in. `status` is 0 for a request."""

    first: str
    headers: dict[str, str]
    body: str

    @property
    def status(self) -> int:
        """The status of an answer."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """What it is, or answers."""
        return self.headers["cseq"].split()[1]


def read_message(data: bytes) -> Message:
    """Take a message apart; of headers given twice the first counts."""
    head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.strip().lower(), value.strip())
    return Message(first, headers, body)


@dataclass
class Network:
    """What happens to this phone's RTP on its way: shares lost and swapped, milliseconds of jitter."""

    loss: float = 0.0
    swapped: float = 0.0
    jitter_ms: float = 0.0
    luck: random.Random = field(default_factory=lambda: random.Random(7))


class _Port(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes, tuple[str, int]], None]) -> None:
        self.datagram_received = take  # type: ignore[method-assign,assignment]


async def open_port(
    host: str, take: Callable[[bytes, tuple[str, int]], None], port: int = 0
) -> asyncio.DatagramTransport:
    """A UDP port of this host, in the running loop; any, unless it is named."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Port(take), local_addr=(host, port))
    return transport


class RawPhone:
    """One telephone, one call. `heard` is the sound received (8 kHz PCM16LE), `messages` all SIP received."""

    def __init__(
        self,
        line: tuple[str, int],
        number: str = "057112345678",
        caller: str = "<sip:13900000001@127.0.0.1>",
        headers: str = "",
        law: str = "alaw",
        host: str = "127.0.0.1",
        network: Network | None = None,
        via: str = "",
    ) -> None:
        self.line, self.number, self.caller, self.more = line, number, caller, headers
        self.law, self.host, self.via = law, host, via
        self.messages: list[Message] = []
        self.heard = bytearray()
        self.heard_at: list[float] = []
        self.said = 0
        self.is_over = False
        self.call_id = f"{random.getrandbits(64):x}"
        self.tag = f"{random.getrandbits(32):x}"
        self.remote_tag = ""
        self.cseq = 1
        self.direction = "sendrecv"
        self.answers_bye = True
        self._network = network or Network()
        self._outgoing = bytearray()
        self._events: list[bytes] = []
        self._media: tuple[str, int] | None = None
        self._sequence, self._stamp, self._ssrc = random.getrandbits(15), 0, random.getrandbits(32)
        self._news = asyncio.Event()

    async def open(self) -> None:
        """Take ports."""
        self.sip = await open_port(self.host, self._take_sip)
        self.rtp = await open_port(self.host, self._take_rtp)
        self.port = self.sip.get_extra_info("sockname")[1]
        self.rtp_port = self.rtp.get_extra_info("sockname")[1]
        self._clock = asyncio.create_task(self._send_rtp())

    async def close(self) -> None:
        """Let the ports go."""
        self._clock.cancel()
        await asyncio.gather(self._clock, return_exceptions=True)
        self.sip.close()
        self.rtp.close()

    # --- SIP ---
    def sdp(self) -> str:
        """What we offer."""
        payload, name, _ = LAWS[self.law]
        return (
            f"v=0\r\no=- 1 {self.cseq} IN IP4 {self.host}\r\ns=-\r\nc=IN IP4 {self.host}\r\nt=0 0\r\n"
            f"m=audio {self.rtp_port} RTP/AVP {payload} 101\r\na=rtpmap:{payload} {name}/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
            f"a={self.direction}\r\n"
        )

    def request(
        self, method: str, body: str = "", kind: str = "application/sdp", cseq: int = 0, branch: str = ""
    ) -> str:
        """A request of this call."""
        to = f"<sip:{self.number}@{self.line[0]}>"
        if self.remote_tag and method != "CANCEL":
            to += f";tag={self.remote_tag}"
        branch = branch or f"z9hG4bK{random.getrandbits(48):x}"
        lines = [
            f"{method} sip:{self.number}@{self.line[0]}:{self.line[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.via or self.host}:{self.port};branch={branch};rport",
            f"From: {self.caller};tag={self.tag}",
            f"To: {to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq or self.cseq} {method}",
            f"Contact: <sip:phone@{self.host}:{self.port}>",
            "Max-Forwards: 70",
        ]
        if method == "INVITE" and self.more:
            lines += self.more.strip().split("\n")
        if body:
            lines.append(f"Content-Type: {kind}")
        lines.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def send(self, text: str | bytes) -> None:
        """One packet to the line."""
        self.sip.sendto(text.encode() if isinstance(text, str) else text, self.line)

    async def invite(self, sdp: bool = True) -> None:
        """Send the INVITE."""
        self.branch = f"z9hG4bKi{random.getrandbits(48):x}"
        self.first = self.request("INVITE", self.sdp() if sdp else "", branch=self.branch)
        self.send(self.first)

    async def call(self, seconds: float = 8) -> None:
        """Dial, and wait until the call is up."""
        await self.invite()
        answer = await self.answer_to("INVITE", seconds)
        assert answer.status == 200, answer.first
        self.confirm(answer)

    def confirm(self, answer: Message) -> None:
        """ACK, and send sound to where the answer asks for it."""
        self.remote_tag = answer.headers["to"].rpartition("tag=")[2]
        self.send(self.request("ACK", cseq=int(answer.headers["cseq"].split()[0])))
        port = re.search(r"m=audio (\d+)", answer.body)
        host = re.search(r"c=IN IP4 (\S+)", answer.body)
        if port and host:
            self._media = (host[1], int(port[1]))

    async def reinvite(self, direction: str) -> Message:
        """Hold the call (`sendonly`, `inactive`) or take it up again (`sendrecv`); the answer."""
        self.direction = direction
        self.cseq += 1
        self.messages.clear()
        self.send(self.request("INVITE", self.sdp()))
        answer = await self.answer_to("INVITE")
        if answer.status == 200:
            self.confirm(answer)
        return answer

    async def ask(self, method: str, body: str = "", kind: str = "") -> Message:
        """Any request within the call; its answer."""
        self.cseq += 1
        self.send(self.request(method, body, kind))
        return await self.answer_to(method)

    async def hang_up(self) -> None:
        """BYE, unless the line was faster."""
        if not self.is_over:
            self.is_over = True
            assert (await self.ask("BYE")).status in (200, 481)

    async def answer_to(self, method: str, seconds: float = 5) -> Message:
        """The final answer to a request."""

        def final() -> Message | None:
            return next((m for m in self.messages if m.method == method and m.status >= 200), None)

        await self.until(lambda: final() is not None, seconds, f"an answer to {method}")
        found = final()
        assert found is not None
        return found

    def _take_sip(self, data: bytes, source: tuple[str, int]) -> None:
        message = read_message(data)
        if "cseq" not in message.headers:
            return  # sound for whoever had this port before
        self.messages.append(message)
        if message.first.startswith("BYE"):
            self.is_over = True
            if self.answers_bye:
                names = ("via", "from", "to", "call-id", "cseq")
                head = "\r\n".join(f"{name}: {message.headers[name]}" for name in names)
                self.send(f"SIP/2.0 200 OK\r\n{head}\r\nContent-Length: 0\r\n\r\n")
        self._news.set()

    async def until(self, is_so: Callable[[], Any], seconds: float = 8, what: str = "something") -> None:
        """Wait for something to be so."""
        end = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < end, f"not in {seconds} s: {what}; {[m.first for m in self.messages]}"
            self._news.clear()
            try:
                async with asyncio.timeout(0.02):
                    await self._news.wait()
            except TimeoutError:
                continue

    # --- RTP ---
    def say(self, pcm: bytes) -> None:
        """Speak, from now on, after what is being said."""
        self._outgoing += pcm

    async def speak(self, pcm: bytes) -> None:
        """Speak, and wait until it is said."""
        self.say(pcm)
        await self.until(lambda: self.is_over or not self._outgoing, len(pcm) / 16000 + 5, "said")

    async def press(self, digits: str, held: int = 5, apart: float = 0.25) -> None:
        """Press keys as telephone-events (RFC 4733): `held` packets and three times the end."""
        for digit in digits:
            number = EVENTS.index(digit)
            for step in range(1, held + 1):
                self._events.append(struct.pack("!BBH", number, 10, step * FRAME))
            self._events += [struct.pack("!BBH", number, 0x8A, (held + 1) * FRAME)] * 3
            await self.until(lambda: self.is_over or not self._events, 5, "pressed")
            await asyncio.sleep(apart)

    async def inform(self, digit: str) -> Message:
        """Press a key by SIP INFO."""
        self.messages.clear()
        return await self.ask("INFO", f"Signal={digit}\r\nDuration=160\r\n", "application/dtmf-relay")

    def _take_rtp(self, data: bytes, source: tuple[str, int]) -> None:
        payload = data[1] & 0x7F
        if payload == LAWS[self.law][0]:
            self.heard += decoded(data[12:], self.law)
            self.heard_at.append(time.monotonic())

    async def _send_rtp(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))
            if self._media and not self.is_over and self.direction != "inactive":
                self._packet()

    def _packet(self) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        if self._events:
            event = self._events.pop(0)
            length = struct.unpack("!BBH", event)[2]
            is_first = length == FRAME
            if is_first:
                self._began = self._stamp
            self._transmit(101, self._began, event, is_first)
            self._stamp += FRAME
            return
        frame = bytes(self._outgoing[: FRAME * 2])
        del self._outgoing[: FRAME * 2]
        frame += bytes(FRAME * 2 - len(frame))
        self._transmit(LAWS[self.law][0], self._stamp, encoded(frame, self.law), False)
        self._stamp += FRAME

    def _transmit(self, payload: int, stamp: int, body: bytes, is_first: bool) -> None:
        net = self._network
        head = struct.pack(
            "!BBHII",
            0x80,
            payload | (0x80 if is_first else 0),
            self._sequence,
            stamp & 0xFFFFFFFF,
            self._ssrc,
        )
        self.said += 1
        if net.luck.random() < net.loss:
            return
        late = net.luck.random() * net.jitter_ms / 1000
        if net.luck.random() < net.swapped:
            late += 0.025
        asyncio.get_running_loop().call_later(late, self._put, head + body)

    def _put(self, packet: bytes) -> None:
        if self._media and not self.rtp.is_closing():
            self.rtp.sendto(packet, self._media)


@asynccontextmanager
async def raw_phone(line: tuple[str, int], **options: Any) -> AsyncIterator[RawPhone]:
    """A telephone whose ports are let go afterwards; what is still up is hung up."""
    phone = RawPhone(line, **options)
    await phone.open()
    try:
        yield phone
        if phone.remote_tag and not phone.is_over:
            await phone.hang_up()
    finally:
        await phone.close()


def encoded(pcm: bytes, law: str) -> bytes:
    """PCM16LE as G.711."""
    target = io.BytesIO()
    soundfile.write(target, np.frombuffer(pcm, "<i2"), 8000, subtype=LAWS[law][2], format="RAW")
    return target.getvalue()


def decoded(data: bytes, law: str) -> bytes:
    """G.711 as PCM16LE."""
    source = io.BytesIO(data)
    sound, _ = soundfile.read(
        source, dtype="int16", samplerate=8000, channels=1, subtype=LAWS[law][2], format="RAW"
    )
    pcm: bytes = sound.astype("<i2").tobytes()
    return pcm
