"""Records one stretch of speech onto a tape, about a second at a time, until silence, a key, the limit or
hang-up.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from ivr.exchange.ear import Ear
from ivr.exchange.errors import HungUp
from ivr.exchange.handset import QUIET_SECONDS, Handset
from ivr.exchange.sound import BYTES_PER_SECOND
from ivr.exchange.spool import Ended, TapeWriter
from ivr.exchange.twiml import Record

CHUNK_BYTES = BYTES_PER_SECOND
PIECE_BYTES = BYTES_PER_SECOND // 10


@dataclass(frozen=True)
class Recorded:
    """What became of it. `digit` is the key that ended it; `has_voice` is False when nobody spoke."""

    seconds: float
    ended_by: Ended
    digit: str
    has_voice: bool


class Recorder:
    """One recording on one handset."""

    def __init__(self, handset: Handset, tape: TapeWriter, verb: Record) -> None:
        self._handset, self._tape, self._verb = handset, tape, verb
        self._ear = Ear()
        self._room = verb.max_seconds * BYTES_PER_SECOND
        self._unwritten = bytearray()

    async def run(self) -> Recorded:
        """Record and close the tape, whatever happens. Raises SpoolError when the disk is full: what fitted
        is kept.
        """
        self._handset.listen()
        key = asyncio.create_task(self._finishing_key())
        ended_by: Ended = "limit"
        try:
            ended_by = await self._until_end(key)
        finally:
            self._take(self._handset.stop_listening())
            key.cancel()
            await asyncio.gather(key, return_exceptions=True)
            await asyncio.shield(self._close(ended_by))
        digit = key.result() if ended_by == "key" else ""
        return Recorded(self._tape.seconds, ended_by, digit, self._ear.voiced_seconds > 0)

    async def _close(self, ended_by: Ended) -> None:
        try:
            await self._write()
        finally:
            await asyncio.to_thread(self._tape.finish, ended_by)

    async def _until_end(self, key: asyncio.Task[str]) -> Ended:
        while True:
            hearing = asyncio.create_task(self._handset.hear())
            try:
                await asyncio.wait({key, hearing}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                hearing.cancel()
                await asyncio.gather(hearing, return_exceptions=True)
            try:
                if hearing.done() and not hearing.cancelled():
                    self._listen_to(hearing.result())
            except HungUp:
                return "hangup"
            if key.done():
                return "hangup" if key.exception() else "key"
            if self._room <= 0:
                return "limit"
            if self._ear.silent_seconds >= self._verb.silence_seconds:
                return "silence"
            if len(self._unwritten) >= CHUNK_BYTES:
                await self._write()

    async def _finishing_key(self) -> str:
        """The first key that ends the recording; one pressed before it began was meant for something else."""
        began = time.monotonic()
        while True:
            key = await self._handset.key()
            if key is not None and key.pressed_at >= began and key.digit in self._verb.finish_on:
                return key.digit

    def _listen_to(self, sound: bytes) -> None:
        if sound:
            self._take(sound)
        else:
            self._ear.rest(QUIET_SECONDS)

    def _take(self, sound: bytes) -> None:
        """Keep sound up to the limit or the end of a long enough silence; what comes after is too late."""
        for start in range(0, len(sound), PIECE_BYTES):
            if self._is_full:
                return
            kept = sound[start : min(start + PIECE_BYTES, start + self._room)]
            self._room -= len(kept)
            self._unwritten += kept
            self._ear.hear(kept)

    @property
    def _is_full(self) -> bool:
        return self._room <= 0 or self._ear.silent_seconds >= self._verb.silence_seconds

    async def _write(self) -> None:
        while self._unwritten:
            chunk = bytes(self._unwritten[:CHUNK_BYTES])
            del self._unwritten[:CHUNK_BYTES]
            await asyncio.to_thread(self._tape.append, chunk)
