"""The tapes of one call: begun, recorded onto after the beep, handed over or forgotten; never two at once."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from ivr.exchange.desk import Desk
from ivr.exchange.handset import Handset
from ivr.exchange.recorder import Recorded, Recorder
from ivr.exchange.sound import BEEP
from ivr.exchange.spool import Details, TapeWriter
from ivr.exchange.twiml import Record


class Taping:
    """Records from one handset. `sid` is the tape that nobody has taken on yet; '' when there is none."""

    def __init__(self, desk: Desk, handset: Handset, call_sid: str) -> None:
        self.sid = ""
        self._desk, self._handset, self._call_sid = desk, handset, call_sid

    async def record(self, verb: Record, begun: Callable[[str], Awaitable[None]] | None = None) -> Recorded:
        """Record onto a new tape; `begun` learns its sid before the beep.

        Raises SpoolError when the disk is full, HungUp when the caller is gone before the beep is over.
        """
        writer = await self._begin(verb.status_callback)
        try:
            if begun:
                await begun(self.sid)
            if verb.has_beep:
                await self._handset.play(BEEP)
            await self._handset.expect("speech", verb.silence_seconds)
        except BaseException:
            writer.close()
            await self.forget()
            raise
        return await Recorder(self._handset, writer, verb).run()

    def announce(self) -> str:
        """Hand the tape over to the announcer; its sid."""
        sid, self.sid = self.sid, ""
        if sid:
            self._desk.announcer.announce(sid)
        return sid

    async def forget(self) -> None:
        """Nothing was said: drop the tape."""
        sid, self.sid = self.sid, ""
        await asyncio.to_thread(self._desk.spool.drop, sid)

    async def _begin(self, callback: str) -> TapeWriter:
        sid = "RE" + secrets.token_hex(16)
        started = datetime.now(UTC).isoformat(timespec="seconds")
        details = Details(sid, self._call_sid, callback, started)
        writer = await asyncio.to_thread(self._desk.spool.begin, details)
        self.sid = sid
        return writer
