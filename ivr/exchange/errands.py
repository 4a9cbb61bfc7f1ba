"""What a call still owes to web when it is over: its end, a request web never answered, a message left
while web was away.

An errand is a sealed file from the first moment of a call until web has acknowledged its end, so that
neither a kill of the exchange nor a long absence of web loses a key that was pressed or a message that was
left. A message is handed in by the same one door: the exchange makes the call again as the caller would
have: `0` for a person, nobody answers, and the message box takes what was recorded.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from ivr.exchange.announce import Announcer
from ivr.exchange.door import Door
from ivr.exchange.errors import ExchangeError
from ivr.exchange.sealing import read_sealed, remove, write_sealed
from ivr.exchange.spool import Spool
from ivr.exchange.twiml import Dial, Document, Gather, Hangup, Record, Redirect, Reject

log = logging.getLogger(__name__)

Ended = Literal["completed", "busy", "failed", "no-answer", "canceled"]
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 300.0
MOST_STEPS = 30


@dataclass(frozen=True)
class Errand:
    """One call as web must know it in the end.

    `params` name the call; its end is told at `status_url` ('' where nobody wants to know). `url`, `method`,
    `pending` are the request without an answer ('' when none is owed), `message` the recording that was left
    for web without its asking.
    """

    params: Mapping[str, str]
    status_url: str
    status: Ended = "completed"
    seconds: int = 0
    url: str = ""
    method: str = "POST"
    pending: Mapping[str, str] = field(default_factory=dict)
    message: str = ""

    @property
    def call_sid(self) -> str:
        """Whose errand it is."""
        return self.params["CallSid"]


class Errands:
    """All errands of one exchange, one sealed file each."""

    def __init__(self, folder: Path, secret: bytes, door: Door, spool: Spool, announcer: Announcer) -> None:
        self._folder, self._secret = folder, secret
        self._door, self._spool, self._announcer = door, spool, announcer
        self._tasks: set[asyncio.Task[None]] = set()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def keep(self, errand: Errand) -> None:
        """Write it down. Raises SpoolError."""
        data = json.dumps(asdict(errand)).encode()
        await asyncio.to_thread(write_sealed, self._path(errand.call_sid), data, self._secret)

    def count(self) -> int:
        """How many calls are not yet over for web: those that go on, and those of which something is owed."""
        return sum(1 for _ in self._folder.glob("CA*.errand"))

    def left_over(self) -> list[Errand]:
        """What an earlier life of this exchange still owes."""
        found = []
        for path in sorted(self._folder.glob("CA*.errand")):
            raw = read_sealed(path, self._secret)
            if raw is None:
                log.error("an errand cannot be read: %s", path.stem)
                continue
            found.append(Errand(**json.loads(raw)))
        return found

    def run(self, errand: Errand, after: asyncio.Task[None] | None = None) -> None:
        """Do it in the background, for as long as it takes; `after` is done first."""
        task = asyncio.create_task(self._until_done(errand, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Leave off; the next start goes on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _until_done(self, errand: Errand, after: asyncio.Task[None] | None) -> None:
        if after:
            await asyncio.wait({after})
        pause = FIRST_PAUSE
        while not await self._attempt(errand):
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)
        await asyncio.to_thread(remove, self._path(errand.call_sid))

    async def _attempt(self, errand: Errand) -> bool:
        """One try. False when something is still owed."""
        try:
            if errand.url:
                document = await self._door.ask(
                    errand.url, {**errand.params, **errand.pending}, errand.method
                )
                if errand.message:
                    await self._hand_in(errand, document)
        except ExchangeError as error:
            log.warning("call %s: web does not take what is owed: %s", errand.call_sid, error)
            return False
        if not errand.status_url:
            return True
        ended = {"CallStatus": errand.status, "CallDuration": str(errand.seconds)}
        status = await self._door.tell(errand.status_url, dict(errand.params) | ended)
        return 200 <= status < 300 or status in (404, 410)  # a call web has never heard of needs no end

    async def _hand_in(self, errand: Errand, document: Document) -> None:
        """Walk from `document` to the message box and put the message in. Raises ExchangeError."""
        tape = await asyncio.to_thread(self._spool.read, errand.message)
        if tape is None:
            return  # taken over already
        pressed = False
        for _ in range(MOST_STEPS):
            step = _next_step(document, passes_gather=pressed)
            if isinstance(step, Record):
                await self._put(errand, step, round(tape.seconds))
                return
            extra = {}
            if isinstance(step, Gather):
                pressed, extra = True, {"Digits": "0"}
            elif isinstance(step, Dial):
                extra = {"DialCallStatus": "no-answer", "DialCallDuration": "0"}
            url = step.url if isinstance(step, Redirect) else step.action
            document = await self._door.ask(url, dict(errand.params) | extra, step.method)
        raise ExchangeError("no way to the message box")

    async def _put(self, errand: Errand, box: Record, seconds: int) -> None:
        sid = errand.message
        await asyncio.to_thread(self._spool.address, sid, box.status_callback or box.action)
        extra = {
            "RecordingSid": sid,
            "RecordingUrl": self._announcer.address(sid),
            "RecordingDuration": str(seconds),
            "Digits": "hangup",
        }
        await self._door.ask(box.action, dict(errand.params) | extra, box.method)
        self._announcer.announce(sid)

    def _path(self, call_sid: str) -> Path:
        return self._folder / f"{call_sid}.errand"


def _next_step(document: Document, *, passes_gather: bool) -> Gather | Record | Redirect | Dial:
    """The next verb of a document that leads on for a caller who says nothing (after one press of `0`)."""
    for verb in document.verbs:
        match verb:
            case Gather() if passes_gather:
                continue
            case Dial(action=""):
                continue
            case Gather() | Record() | Redirect() | Dial():
                return verb
            case Hangup() | Reject():
                break
    raise ExchangeError("the call ends before the message box")
