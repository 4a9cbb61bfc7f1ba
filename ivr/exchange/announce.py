"""Tells web of every finished recording, again and again, until web has fetched it and deleted it here."""

from __future__ import annotations

import asyncio
import logging

from ivr.exchange.door import Door
from ivr.exchange.spool import Spool, Tape

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Between tries while web does not acknowledge."""
FIRST_REMINDER, LONGEST_REMINDER = 30.0, 600.0
"""Between reminders once it has, but has not fetched the recording."""


class Announcer:
    """One patient task for each recording that is still here."""

    def __init__(self, spool: Spool, door: Door, own_base: str, account_sid: str, speed: float = 1.0) -> None:
        self._spool, self._door, self._base, self._account = spool, door, own_base, account_sid
        self._speed = speed
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def announce(self, sid: str) -> None:
        """Announce a finished recording until it has been taken over; asking twice does no harm."""
        if sid not in self._tasks:
            task = asyncio.create_task(self._until_taken(sid))
            self._tasks[sid] = task
            task.add_done_callback(lambda _: self._tasks.pop(sid, None))

    def taken(self, sid: str) -> None:
        """Web has deleted it: no more announcements."""
        if task := self._tasks.get(sid):
            task.cancel()

    async def stop(self) -> None:
        """Leave off; the next start goes on."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def address(self, sid: str) -> str:
        """The recording's URL as web sees it; `.wav` may be added, as with Twilio."""
        return f"{self._base}/recordings/{sid}"

    async def _until_taken(self, sid: str) -> None:
        callback, params = await asyncio.to_thread(self._told, sid)
        if not callback:
            return
        sequence, pause, reminder = 0, FIRST_PAUSE, FIRST_REMINDER
        while True:
            status = await self._door.tell(callback, params | {"SequenceNumber": str(sequence)})
            if 200 <= status < 300:
                wait, reminder = reminder, min(reminder * 2, LONGEST_REMINDER)
            else:
                log.warning("recording %s is not announced yet; trying again", sid)
                wait, pause = pause, min(pause * 2, LONGEST_PAUSE)
            sequence += 1
            await asyncio.sleep(wait / self._speed)

    def _told(self, sid: str) -> tuple[str, dict[str, str]]:
        """Whom to tell what; nobody while it is being made. Its sound need not stay in memory for that."""
        tape = self._spool.read(sid)
        if tape is None or tape.ended_by is None:
            return "", {}
        return self._spool.callback(tape), self._params(tape)

    def _params(self, tape: Tape) -> dict[str, str]:
        details = tape.details
        return {
            "AccountSid": self._account,
            "CallSid": details.call_sid,
            "RecordingSid": details.recording_sid,
            "RecordingUrl": self.address(details.recording_sid),
            "RecordingStatus": "completed",
            "RecordingDuration": str(round(tape.seconds)),
            "RecordingChannels": "1",
            "RecordingSource": "RecordVerb",
            "RecordingStartTime": details.started_at,
        }
