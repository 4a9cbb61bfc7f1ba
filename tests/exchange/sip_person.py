"""The other side of the line for its tests: a person who is rung, and a provider who asks for a password."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.exchange.sip_phone import Message, decoded, encoded, open_port, read_message

FRAME_BYTES = 320


def answer(message: Message, status: str, more: str = "", body: str = "") -> bytes:
    """An answer to a request, with a tag of our own."""
    tag = "" if "tag=" in message.headers["to"] else ";tag=person"
    lines = [
        f"SIP/2.0 {status}",
        f"Via: {message.headers['via']}",
        f"From: {message.headers['from']}",
        f"To: {message.headers['to']}{tag}",
        f"Call-ID: {message.headers['call-id']}",
        f"CSeq: {message.headers['cseq']}",
        *([more] if more else []),
        *(["Content-Type: application/sdp"] if body else []),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@dataclass
class Person:
    """Somebody with a telephone. `manner`: `answers` (after so many seconds), `rings` in vain, or a status
    line to refuse with; `manners` the same of certain numbers.
    """

    manner: str = "answers"
    says: bytes = b""
    after: float = 0.0
    manners: Mapping[str, str] = field(default_factory=dict)
    heard: bytearray = field(default_factory=bytearray)
    requests: list[Message] = field(default_factory=list)
    port: int = 0
    _cseq: int = 0

    async def open(self, port: int = 0) -> None:
        """Take ports."""
        self.sip = await open_port("127.0.0.1", self._take_sip, port)
        self.rtp = await open_port("127.0.0.1", self._take_rtp)
        self.port = self.sip.get_extra_info("sockname")[1]
        self.speaking: asyncio.Task[None] | None = None

    def close(self) -> None:
        """Let them go."""
        if self.speaking:
            self.speaking.cancel()
        self.sip.close()
        self.rtp.close()

    @property
    def invite(self) -> Message:
        """The call that came."""
        return next(m for m in self.requests if m.first.startswith("INVITE"))

    def came(self, method: str) -> bool:
        """Whether a request of this kind has come."""
        return any(m.first.startswith(f"{method} ") for m in self.requests)

    @property
    def address(self) -> str:
        """Where this telephone is called without a trunk."""
        return f"sip:person@127.0.0.1:{self.port}"

    def hang_up(self) -> None:
        """BYE to whoever called."""
        self._ask("BYE")

    def press(self, digit: str) -> None:
        """A key, by SIP INFO."""
        self._ask("INFO", f"Signal={digit}\r\nDuration=160\r\n")

    def _ask(self, method: str, body: str = "") -> None:
        """A request within the call."""
        first = self.invite
        uri = re.search(r"<(.*?)>", first.headers["contact"])
        assert uri
        self._cseq += 1
        lines = [
            f"{method} {uri[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{method}{self._cseq}",
            f"From: {first.headers['to']};tag=person",
            f"To: {first.headers['from']}",
            f"Call-ID: {first.headers['call-id']}",
            f"CSeq: {self._cseq} {method}",
            "Max-Forwards: 70",
            *(["Content-Type: application/dtmf-relay"] if body else []),
            f"Content-Length: {len(body)}",
        ]
        self.sip.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), self.caller)

    def _take_sip(self, data: bytes, source: tuple[str, int]) -> None:
        message = read_message(data)
        if message.first.startswith("SIP/2.0"):
            return
        self.requests.append(message)
        self.caller = source
        method = message.first.split()[0]
        if method in ("BYE", "CANCEL"):
            self.sip.sendto(answer(message, "200 OK"), source)
            call_id = message.headers["call-id"]
            invite = next(
                m for m in self.requests if m.first.startswith("INVITE") and m.headers["call-id"] == call_id
            )
            if method == "CANCEL":
                self.sip.sendto(answer(invite, "487 Request Terminated"), source)
        elif method == "INVITE":
            self.sip.sendto(answer(message, "180 Ringing"), source)
            manner = self.manners.get(message.first.partition("sip:")[2].partition("@")[0], self.manner)
            if manner == "answers":
                asyncio.get_running_loop().call_later(self.after, self._pick_up, message, source)
            elif manner != "rings":
                self.sip.sendto(answer(message, manner), source)

    def _pick_up(self, message: Message, source: tuple[str, int]) -> None:
        port = self.rtp.get_extra_info("sockname")[1]
        body = (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
            f"m=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
        )
        contact = f"Contact: <sip:person@127.0.0.1:{self.port}>"
        self.sip.sendto(answer(message, "200 OK", contact, body), source)
        there = re.search(r"m=audio (\d+)", message.body)
        assert there
        self.speaking = self.speaking or asyncio.create_task(self._speak(("127.0.0.1", int(there[1]))))

    async def _speak(self, there: tuple[str, int]) -> None:
        loop, number = asyncio.get_running_loop(), 0
        due = loop.time()
        while True:
            frame = self.says[number * FRAME_BYTES : (number + 1) * FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
            head = bytes([0x80, 0]) + number.to_bytes(2, "big") + (number * 160).to_bytes(4, "big") + b"once"
            self.rtp.sendto(head + encoded(frame, "ulaw"), there)
            number += 1
            due += 0.02
            await asyncio.sleep(max(0.0, due - loop.time()))

    def _take_rtp(self, data: bytes, source: tuple[str, int]) -> None:
        if data[1] & 0x7F == 0:
            self.heard += decoded(data[12:], "ulaw")


@asynccontextmanager
async def person(
    manner: str = "answers",
    says: bytes = b"",
    after: float = 0.0,
    port: int = 0,
    manners: Mapping[str, str] | None = None,
) -> AsyncIterator[Person]:
    """Somebody who can be rung."""
    one = Person(manner, says, after, manners or {})
    await one.open(port)
    try:
        yield one
    finally:
        one.close()


@dataclass
class Provider:
    """A registrar that lets in who knows the password (RFC 2617 digest, MD5, as providers ask for)."""

    user: str
    password: str
    registered: str = ""
    refused: int = 0
    port: int = 0

    async def open(self) -> None:
        """Take a port."""
        self.sip = await open_port("127.0.0.1", self._take)
        self.port = self.sip.get_extra_info("sockname")[1]

    def _take(self, data: bytes, source: tuple[str, int]) -> None:
        message = read_message(data)
        if not message.first.startswith("REGISTER"):
            return
        if not self._knows(message):
            self.refused += 1
            ask = 'WWW-Authenticate: Digest realm="phone", nonce="n1", algorithm=MD5'
            self.sip.sendto(answer(message, "401 Unauthorized", ask), source)
            return
        self.registered = message.headers["contact"]
        contact = f"Contact: {self.registered}\r\nExpires: 300"
        self.sip.sendto(answer(message, "200 OK", contact), source)

    def _knows(self, message: Message) -> bool:
        given = dict(re.findall(r'(\w+)="?([^",]*)"?', message.headers.get("authorization", "")))
        uri = given.get("uri", "")
        ours = _md5(f"{self.user}:phone:{self.password}"), _md5(f"REGISTER:{uri}")
        return given.get("response") == _md5(f"{ours[0]}:n1:{ours[1]}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
