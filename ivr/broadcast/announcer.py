"""The announcer: looks every second what is due, hands it to loudspeakers, writes down what they tell."""

from __future__ import annotations

import asyncio
import logging
import queue
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from ivr.broadcast.checking import check_programmes, forget_sounds, silence_taken_back
from ivr.broadcast.clock import Clock, Look, Trust, now, recall, remember
from ivr.broadcast.ledger import Ledger
from ivr.broadcast.loudspeakers import BroadcastError, Form, Loudspeakers, Told
from ivr.broadcast.sending import Order, Outbox, Silence
from ivr.broadcast.store import SoundStore
from sync.archive import Archive
from sync.errors import RecordsError
from sync.leases import worker_name

LOG = logging.getLogger("tingjian.broadcast")
ROUND_SECONDS = 1.0
CHECK_SECONDS = 15.0
HANDING_SECONDS = 20.0  # an adapter that takes longer to hand one job down has failed
STOPPING_SECONDS = 5.0
_AT_ONCE = 64

P = ParamSpec("P")
R = TypeVar("R")


class Announcer:
    """Drives all loudspeakers. `open_kind` opens the adapter of a kind; `look` reads the clocks."""

    def __init__(
        self,
        archive: Archive,
        sounds: SoundStore,
        open_kind: Callable[[str], Loudspeakers],
        look: Callable[[], Look] = now,
        alive: Path | None = None,
        me: str | None = None,
    ) -> None:
        self._archive, self._sounds, self._open = archive, sounds, open_kind
        self._look, self._alive = look, alive
        self._ledger = Ledger(archive, sounds)
        self._outbox = Outbox(archive, sounds, self._form_of, me or worker_name())
        self._adapters: dict[str, Loudspeakers] = {}
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._clock = recall(alive, look()) if alive is not None else Clock()
        self._hands = ThreadPoolExecutor(1, "announcer")  # the records are met from one thread at a time
        self._checked_at = float("-inf")
        self._has_adopted = False
        self._again_at: dict[str, float] = {}  # when a kind that could not be opened is tried again
        self._errands: dict[asyncio.Task[None], str] = {}  # jobs being handed down, by their airing

    async def run(self, stopping: asyncio.Event) -> None:
        """Announce until `stopping` is set. What plays then goes on as far as its adapter lets it."""
        try:
            while not stopping.is_set():
                try:
                    await self.round()
                except RecordsError as error:
                    LOG.error("the records can't be used now: %s", error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), ROUND_SECONDS)
        finally:
            await self.close()

    async def round(self) -> None:
        """Look once. Safe to be killed anywhere: the next round, of whichever process, finds what is left."""
        look = self._look()
        trust = self._clock.judge(look)
        await self._keep_told()
        await self._open_adapters()
        await self._in_thread(self._plan, look, trust)
        for silence in await self._in_thread(self._outbox.to_silence):
            await self._silence(silence)
        await self._hand_down(await self._in_thread(self._outbox.claim, look.at))
        await self._keep_told()
        await self._in_thread(self._ledger.close, look.at)
        if self._alive is not None:
            remember(self._alive, self._clock)

    async def close(self) -> None:
        """Let go of every adapter, and write down what was told last."""
        for task in list(self._errands):
            task.cancel()
        for kind, adapter in self._adapters.items():
            try:
                await adapter.close()
            except Exception as error:
                LOG.warning("%s did not close: %s", kind, _said(error))
        self._adapters.clear()
        with suppress(RecordsError):
            await self._keep_told()
        self._hands.shutdown()

    def report(self, told: Told) -> None:
        """What adapters call, from any thread."""
        self._told.put(told)

    def _plan(self, look: Look, trust: Trust) -> None:
        if trust.is_settled:
            self._ledger.plan(look.at)
        self._ledger.begin(look.at, trust)
        silence_taken_back(self._archive, look.at)
        if abs(look.steady - self._checked_at) >= CHECK_SECONDS:
            self._checked_at = look.steady
            if trust.is_settled:
                self._ledger.draft(look.at)
            check_programmes(self._archive, self._sounds, look.at)
            forget_sounds(self._archive, self._sounds)

    async def _open_adapters(self) -> None:
        """Open what is wanted and not open yet; then take over what an announcer before us had sent."""
        kinds, at = await self._in_thread(self._outbox.kinds), self._look().steady
        for kind in sorted(kinds - self._adapters.keys()):
            if at >= self._again_at.get(kind, at):
                self._again_at[kind] = at + CHECK_SECONDS
                await self._open_adapter(kind)
        if not self._has_adopted:
            knowing = frozenset(kind for kind, one in self._adapters.items() if one.knows_repeats)
            orders = await self._in_thread(self._outbox.adopt, self._look().at, knowing)
            self._has_adopted = True
            await self._hand_down(orders)

    async def _open_adapter(self, kind: str) -> None:
        try:
            adapter = self._open(kind)
            await asyncio.wait_for(adapter.start(self.report), HANDING_SECONDS)
        except Exception as error:  # one kind that can't be used must not silence the others
            LOG.warning("loudspeakers of the kind %s can't be used: %s", kind, _said(error))
        else:
            self._adapters[kind] = adapter

    async def _silence(self, silence: Silence) -> None:
        for task in [one for one, airing_id in self._errands.items() if airing_id == silence.airing_id]:
            task.cancel()
        unsure = set()
        for kind in silence.kinds:
            adapter = self._adapters.get(kind)
            try:
                if adapter is None:
                    raise BroadcastError("no adapter")
                await asyncio.wait_for(adapter.stop(silence.airing_id), STOPPING_SECONDS)
            except Exception as error:
                LOG.error("airing %s: %s could not be silenced: %s", silence.airing_id, kind, _said(error))
                unsure.add(kind)
        await self._keep_told()
        at = self._look().at
        await self._in_thread(self._outbox.silenced, silence.airing_id, frozenset(unsure), at)

    async def _hand_down(self, orders: Sequence[Order]) -> None:
        """Hand jobs to their adapters side by side, not waiting for the slow ones."""
        gate = asyncio.Semaphore(_AT_ONCE)
        for order in orders:
            task = asyncio.create_task(self._air(order, gate))
            self._errands[task] = order.job.airing_id
            task.add_done_callback(self._errands.pop)
        if orders:
            await asyncio.wait(list(self._errands), timeout=ROUND_SECONDS)

    async def _air(self, order: Order, gate: asyncio.Semaphore) -> None:
        adapter, job = self._adapters.get(order.kind), order.job
        why = "no_adapter"
        async with gate:
            if adapter is not None:
                try:
                    await asyncio.wait_for(adapter.air(job), HANDING_SECONDS)
                    return
                except TimeoutError:  # it may be there: what it comes to is seen, or unknown in the end
                    LOG.warning("play %s: handing it down takes too long", job.play_id)
                    return
                except Exception as error:
                    LOG.warning("play %s was not handed down: %s", job.play_id, _said(error))
                    why = "unreachable"
        self.report(Told(job.play_id, job.loudspeaker.id, "failed", self._look().at, why))

    async def _keep_told(self) -> None:
        told = []
        with suppress(queue.Empty):
            while True:
                told.append(self._told.get_nowait())
        if told:
            try:
                await self._in_thread(self._outbox.write_down, told)
            except RecordsError:
                for one in told:  # kept for the next round: nothing a loudspeaker says is lost
                    self._told.put(one)
                raise

    def _form_of(self, kind: str) -> Form:
        adapter = self._adapters.get(kind)
        return "mp3" if adapter is None else adapter.form

    async def _in_thread(self, act: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._hands, partial(act, *args, **kwargs))


def _said(error: Exception) -> str:
    """Our own words hold no number and no secret; of other errors only the kind is told."""
    return str(error) if isinstance(error, BroadcastError) else type(error).__name__
