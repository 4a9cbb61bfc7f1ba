"""One programme as RTP packets of G.711: 20 ms each, numbered and timed as RFC 3550 and RFC 3551 want it."""

from __future__ import annotations

import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass

PACKET_SECONDS = 0.02
PACKET_BYTES = 160
"""20 ms at 8000 samples a second; in G.711 one sample is one byte."""
_HEADER = struct.Struct("!BBHII")
_VERSION, _MARKER = 0x80, 0x80


@dataclass(frozen=True)
class Law:
    """One of the two ways of G.711: its RTP payload type, the byte that is silence, libsndfile's name."""

    payload: int
    silence: bytes
    subtype: str


LAWS: Mapping[str, Law] = {"alaw": Law(8, b"\xd5", "ALAW"), "ulaw": Law(0, b"\xff", "ULAW")}


class Stream:
    """The packets of one sound, in order. `lead` and `tail` are packets of silence before and after.

    Source, first number and first time stamp are random (RFC 3550, 5.1). The marker stands on the first
    packet, and on the first one after a pause.
    """

    def __init__(self, sound: bytes, law: Law, lead: int = 0, tail: int = 0) -> None:
        self.law = law
        self.is_sounding = False
        self.ssrc = secrets.randbits(32)
        self._sound, self._lead = sound, lead
        self._count = lead + -(-len(sound) // PACKET_BYTES) + tail
        self._number = 0
        self._sequence, self._stamp = secrets.randbits(16), secrets.randbits(32)
        self._is_marked = True

    def packet(self) -> bytes | None:
        """The next one; None when all have been given. `is_sounding` from the first that is more than silence
        on.
        """
        if self._number >= self._count:
            return None
        payload = self.law.payload | (_MARKER if self._is_marked else 0)
        header = _HEADER.pack(_VERSION, payload, self._sequence, self._stamp, self.ssrc)
        body = self._body(self._number - self._lead)
        self._is_marked = False
        self._number += 1
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._pass(1)
        return header + body

    def pause(self, packets: int) -> None:
        """So many packets' time has passed in which nothing could be sent; the sound goes on where it was."""
        self._is_marked = True
        self._pass(packets)

    def _pass(self, packets: int) -> None:
        self._stamp = (self._stamp + packets * PACKET_BYTES) & 0xFFFFFFFF

    def _body(self, place: int) -> bytes:
        if place < 0:
            return self.law.silence * PACKET_BYTES
        body = self._sound[place * PACKET_BYTES : (place + 1) * PACKET_BYTES]
        self.is_sounding = self.is_sounding or bool(body)
        return body.ljust(PACKET_BYTES, self.law.silence)
