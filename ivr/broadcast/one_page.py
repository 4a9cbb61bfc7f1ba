"""One loudspeaker called for one programme: placed, followed, tried a second time, hung up."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import ParamSpec, TypeVar

from ivr.broadcast.loudspeakers import BroadcastError, Job, What
from ivr.broadcast.page_links import PageLinks
from ivr.broadcast.paged import sounding_seconds
from ivr.outbound.door import CallsDoor, DoorError, NotPlaced, QuietOrder
from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import Community, Play

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
AWAY_SECONDS = 2.0
"""Until a line that is busy or away is asked again."""
AGAIN_SECONDS = 8.0
"""Until a loudspeaker that was busy or did not pick up is called a second and last time."""
LAST_WORD_SECONDS = 3.0
"""After a call, so long may web still hear that it came to its end."""
ENDINGS = {"busy": "busy", "no-answer": "no_answer", "failed": "refused", "canceled": "stopped"}
"""Twilio's status of a call that was never answered, in our words."""
NOT_REACHED = frozenset({"busy", "no_answer", "refused"})
LINE_AWAY = frozenset({"line_20429", "line_429", "line_503", "no_connection"})
NOT_KNOWN = "line_20404"
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class Books:
    """What is read of the records, and the addresses that lead to them."""

    archive: Archive
    links: PageLinks

    def number(self, job: Job) -> str:
        """The number that calls: the community's own, which adapters let in. Raises BroadcastError."""
        with self.archive.database.read() as session:
            found = session.get(Community, job.loudspeaker.community_id)
            if found is None:
                raise BroadcastError("refused")
            return found.dialled_number

    def url(self, job: Job) -> str:
        """Where the call finds what it may play."""
        return self.links.url(job.play_id, job.loudspeaker.id)

    def state(self, play_id: str) -> str:
        """How far a play has come, as web has written down."""
        with self.archive.database.read() as session:
            found = session.get(Play, play_id)
            return found.state if found else "failed"


@dataclass(frozen=True)
class Means:
    """What pages are made with: the line, the records, how an order is written, threads, the clock."""

    door: CallsDoor
    books: Books
    order: Callable[[Job, str, str], QuietOrder]
    hands: Executor
    clock: Callable[[], datetime]


class Over(Exception):
    """It is to stop; the message is why."""


class Page:
    """One job on its way. `tell` gets what becomes of it, one end at last."""

    def __init__(self, job: Job, means: Means, tell: Callable[[Job, What, str], None]) -> None:
        self.job = job
        self._means, self._tell_of = means, tell
        self._stopping = asyncio.Event()
        self._why = ""
        self._has_started = False

    def stop(self, why: str) -> None:
        """Be silent as soon as can be."""
        self._why = self._why or why
        self._stopping.set()

    async def run(self) -> None:
        """Two tries at most, the second where nobody picked up in the first."""
        job, why = self.job, "expired"
        try:
            while (left := (job.at - self._means.clock()).total_seconds()) > 0:
                await self._pause(min(left, 1.0))
            number = await self._do(self._means.books.number, job)
            order = self._means.order(job, number, self._means.books.url(job))
            for pause in (AGAIN_SECONDS, None):
                if self._has_expired():
                    break
                why = await self._try(order)
                if pause is None or why not in NOT_REACHED:
                    break
                await self._pause(pause)
        except (Over, BroadcastError) as end:
            why = str(end)
        except RecordsError:
            why = "unreachable"
        except Exception:
            log.exception("play %s: broke", job.play_id)
            why = "interrupted"
        self._tell("failed" if why else "finished", why)

    async def _try(self, order: QuietOrder) -> str:
        """Why this try was in vain, "" when all was heard."""
        try:
            sid = await self._place(order)
        except DoorError:
            # It may be placed all the same: whatever web hears of it, nobody asks for it again.
            left = (self.job.expires_at - self._means.clock()).total_seconds() + sounding_seconds(self.job)
            return await self._heard_of(max(0.0, left), "unreachable")
        try:
            return await self._follow(sid, order)
        finally:
            if self._stopping.is_set():
                await self._hang_up(sid)

    async def _place(self, order: QuietOrder) -> str:
        """The name of the call, once the line takes it. DoorError where nobody knows whether it has."""
        while not self._has_expired():
            try:
                return (await self._do(self._means.door.place_quietly, order)).sid
            except DoorError as error:
                if str(error) not in LINE_AWAY:
                    log.warning("play %s: the line says %s", self.job.play_id, error)
                    if isinstance(error, NotPlaced):
                        raise BroadcastError("refused") from error
                    raise
            await self._pause(AWAY_SECONDS)
        raise BroadcastError("unreachable")

    async def _follow(self, sid: str, order: QuietOrder) -> str:
        """A call to its end."""
        until = time.monotonic() + order.ring_seconds + order.most_seconds
        while time.monotonic() < until:
            await self._pause(LOOK_SECONDS)
            status = await self._status(sid)
            if status in ENDINGS:
                return ENDINGS[status]
            if status == "in-progress":
                await self._pass_on()
            if status == "completed":
                break
        return await self._heard_of(LAST_WORD_SECONDS, "interrupted")

    async def _status(self, sid: str) -> str:
        """How a call stands; one that an exchange started anew knows nothing of is over."""
        try:
            return (await self._do(self._means.door.ask, sid)).status
        except DoorError as error:
            return "completed" if str(error) == NOT_KNOWN else ""

    async def _heard_of(self, seconds: float, why: str) -> str:
        """ "" when web hears within so long that all was played, else `why`."""
        until = time.monotonic() + seconds
        while await self._pass_on() != "finished":
            if time.monotonic() >= until:
                return why
            await self._pause(LOOK_SECONDS)
        return ""

    async def _pass_on(self) -> str:
        """How far it has come, told once it has started."""
        try:
            state = await self._do(self._means.books.state, self.job.play_id)
        except RecordsError:
            return ""
        if state in ("started", "finished") and not self._has_started:
            self._has_started = True
            self._tell("started", "")
        return state

    async def _hang_up(self, sid: str) -> None:
        try:
            await self._do(self._means.door.end, sid)
        except DoorError as error:
            log.error("play %s: the line does not hang up: %s", self.job.play_id, error)

    async def _pause(self, seconds: float) -> None:
        """Wait. Raises Over when it is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
            raise Over(self._why)

    def _has_expired(self) -> bool:
        return self._means.clock() >= self.job.expires_at

    def _tell(self, what: What, detail: str) -> None:
        self._tell_of(self.job, what, detail)

    async def _do(self, act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._means.hands, lambda: act(*args, **kwargs))
