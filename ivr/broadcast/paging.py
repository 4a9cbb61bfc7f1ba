"""Loudspeakers that are called: SIP devices that pick up by themselves, adapters opened over the telephone.

Calls are placed through our own exchange, in which nothing is heard on them but the programme. What was
heard is what the call itself asked for and came to the end of: web writes that down (`ivr.web.paging`). This
adapter tells it on, and why the others stayed silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from ivr.broadcast.loudspeakers import BroadcastError, Form, Job, Report, Told, What, Wiring
from ivr.broadcast.one_page import Books, Means, Page
from ivr.broadcast.page_links import PageLinks
from ivr.broadcast.paged import call, page
from ivr.outbound.door import CallsDoor, OutLine, QuietOrder

STOP_SECONDS = 4.0
REMEMBERED = timedelta(hours=1)
CALLS_AT_ONCE = 8
Order = Callable[[Job, str, str], QuietOrder]


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class PagedLoudspeakers:
    """`Loudspeakers` on a SIP network."""

    form: Form = "phone"
    knows_repeats = False
    order: Order = staticmethod(page)

    def __init__(self, door: CallsDoor, books: Books, clock: Callable[[], datetime] = utc_now) -> None:
        self._hands = ThreadPoolExecutor(CALLS_AT_ONCE, "paging")
        self._means = Means(door, books, self.order, self._hands, clock)
        self._report: Report = lambda told: None
        self._pages: dict[str, Page] = {}
        self._tasks: dict[Page, asyncio.Task[None]] = {}

    @classmethod
    def opened(cls, wiring: Wiring) -> PagedLoudspeakers:
        """By our own exchange: `line_url`, `line_account`, `line_token`. Raises BroadcastError without it."""
        told = wiring.settings
        if not told.get("line_url") or not told.get("line_token"):
            raise BroadcastError("no line is set that calls loudspeakers")
        line = OutLine("exchange", told.get("line_account", ""), told["line_token"], told["line_url"])
        return cls(CallsDoor(line), Books(wiring.archive, PageLinks(wiring.archive, wiring.web_url)))

    async def start(self, report: Report) -> None:
        """From now on calls may be placed."""
        self._report = report

    async def air(self, job: Job) -> None:
        """Call it in its time."""
        self._forget_old()
        if job.play_id in self._pages:
            return
        one = self._pages[job.play_id] = Page(job, self._means, self._tell)
        task = self._tasks[one] = asyncio.create_task(one.run())
        task.add_done_callback(lambda _: self._tasks.pop(one, None))

    async def stop(self, airing_id: str) -> None:
        """Hang up at once. Raises BroadcastError where it is not sure that all are silent."""
        await self._stop([one for one in self._tasks if one.job.airing_id == airing_id], "stopped")

    async def close(self) -> None:
        """Hang up everywhere."""
        with suppress(BroadcastError):
            await self._stop(list(self._tasks), "interrupted")
        left = list(self._tasks.values())
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._report = lambda told: None
        self._hands.shutdown(wait=False, cancel_futures=True)

    async def _stop(self, pages: Sequence[Page], why: str) -> None:
        tasks = {self._tasks[one] for one in pages}
        for one in pages:
            one.stop(why)
        if tasks and (await asyncio.wait(tasks, timeout=STOP_SECONDS))[1]:
            raise BroadcastError("the exchange does not say that it has hung up")

    def _tell(self, job: Job, what: What, detail: str) -> None:
        self._report(Told(job.play_id, job.loudspeaker.id, what, self._means.clock(), detail))

    def _forget_old(self) -> None:
        """What is over is remembered until nobody hands it down again."""
        long_ago = self._means.clock() - REMEMBERED
        for play_id, one in list(self._pages.items()):
            if one not in self._tasks and one.job.expires_at < long_ago:
                del self._pages[play_id]


class CalledLoudspeakers(PagedLoudspeakers):
    """`Loudspeakers` that have a telephone number: adapters that let ours in and are opened by keys."""

    order: Order = staticmethod(call)
