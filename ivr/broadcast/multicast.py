"""Loudspeakers that listen to multicast RTP: G.711 to a group, in steady packets, and no word comes back."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ivr.broadcast.groups import Group, encoded, group_of
from ivr.broadcast.loudspeakers import (
    UNCONFIRMED,
    BroadcastError,
    Form,
    Job,
    Report,
    Told,
    What,
    Wiring,
)
from ivr.broadcast.pacer import Became, Pacer

log = logging.getLogger(__name__)

SILENT_SECONDS = 1.0
"""How long the pacing process may take to fall silent."""


@dataclass(eq=False)
class Sending:
    """One airing to one group, whichever loudspeakers are listed there: they all hear it, once."""

    name: str
    group: Group
    first: Job
    jobs: dict[str, Job] = field(default_factory=dict)
    told: list[tuple[What, str]] = field(default_factory=list)
    is_running: bool = False
    is_over: bool = False
    silent: asyncio.Event = field(default_factory=asyncio.Event)


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class MulticastLoudspeakers:
    """`Loudspeakers` by multicast RTP. One airing at a time to a group; an emergency cuts in.

    Multicast has no acknowledgement: `finished` carries the detail `unconfirmed`.
    """

    form: Form = "phone"
    knows_repeats = False

    def __init__(self, interface: str = "", clock: Callable[[], datetime] = utc_now) -> None:
        self.pacer = Pacer(self._hear, self._lost)
        self._interface, self._clock = interface, clock
        self._report: Report = lambda told: None
        self._sendings: dict[tuple[tuple[str, int], str], Sending] = {}
        self._tasks: dict[Sending, asyncio.Task[None]] = {}
        self._turn = asyncio.Condition()

    @classmethod
    def opened(cls, wiring: Wiring) -> MulticastLoudspeakers:
        """As the settings want it: `multicast_interface`."""
        return cls(wiring.settings.get("multicast_interface", ""))

    async def start(self, report: Report) -> None:
        """Nothing is listened to; what becomes of jobs is told."""
        self._report = report

    async def air(self, job: Job) -> None:
        """Send in its time; another loudspeaker in the same group is told the same."""
        self._forget_old()
        try:
            group = group_of(job.loudspeaker.address, self._interface)
        except BroadcastError:
            self._tell(job, "failed", "refused")
            return
        sending = self._sendings.get((group.where, job.airing_id))
        if sending is None:
            sending = Sending(f"{job.airing_id}/{job.play_id}", group, job)
            self._sendings[group.where, job.airing_id] = sending
            task = asyncio.create_task(self._carry(sending))
            self._tasks[sending] = task
            task.add_done_callback(lambda _: self._tasks.pop(sending, None))
        if job.play_id not in sending.jobs:
            sending.jobs[job.play_id] = job
            for what, detail in sending.told:
                self._tell(job, what, detail)

    async def stop(self, airing_id: str) -> None:
        """Fall silent in every group at once."""
        ours = [one for (_, airing), one in self._sendings.items() if airing == airing_id]
        await asyncio.gather(*(self._silence(one, "stopped") for one in ours))

    async def close(self) -> None:
        """Fall silent and end the pacing process."""
        await asyncio.gather(*(self._silence(one, "interrupted") for one in self._sendings.values()))
        await self.pacer.close()

    # --- one airing to one group ---
    async def _carry(self, sending: Sending) -> None:
        job, group = sending.first, sending.group
        try:
            sound = await asyncio.to_thread(encoded, job, group.law)
            await self._until(job.at)
            if job.is_emergency:
                await self._make_way(sending)
            await self._take_turn(sending)
            more = {"law": group.law, "ttl": group.ttl, "interface": group.interface}
            await self.pacer.send(sending.name, sound, group.where, more)
            await sending.silent.wait()
        except TimeoutError:
            self._end(sending, "failed", "expired")
        except BroadcastError as error:
            reason = str(error) if str(error) in ("wrong_sum", "refused") else "unreachable"
            self._end(sending, "failed", reason)
        except Exception:
            log.exception("airing %s: broke", job.airing_id)
            self._end(sending, "failed", "interrupted")
        finally:
            sending.is_running = False
            async with self._turn:
                self._turn.notify_all()

    async def _until(self, at: datetime) -> None:
        """Until then by the clock, which may be set meanwhile."""
        while (left := (at - self._clock()).total_seconds()) > 0:
            await asyncio.sleep(min(left, 1.0))

    async def _take_turn(self, sending: Sending) -> None:
        """Wait until the group is free. Raises TimeoutError once the job has expired."""
        expires_at = sending.first.expires_at
        async with asyncio.timeout((expires_at - self._clock()).total_seconds()), self._turn:
            await self._turn.wait_for(lambda: self._is_turn_of(sending))
            if self._clock() >= expires_at:
                raise TimeoutError
            sending.is_running = True

    def _is_turn_of(self, sending: Sending) -> bool:
        others = [one for one in self._tasks if one is not sending and one.group.where == sending.group.where]
        if any(one.is_running for one in others):
            return False
        is_emergency_waiting = any(one.first.is_emergency and not one.is_over for one in others)
        return sending.first.is_emergency or not is_emergency_waiting

    async def _make_way(self, emergency: Sending) -> None:
        where = emergency.group.where
        for one in list(self._tasks):
            if one.group.where == where and one.is_running and not one.first.is_emergency:
                await self._silence(one, "interrupted")

    async def _silence(self, sending: Sending, reason: str) -> None:
        if sending.is_over:
            return
        was_running = sending.is_running
        self._end(sending, "failed", reason)
        if task := self._tasks.get(sending):  # first, so that nothing is ordered after the stop
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not was_running:
            return
        await self.pacer.stop(sending.name)
        try:
            async with asyncio.timeout(SILENT_SECONDS if self.pacer.pid else 0):
                await sending.silent.wait()
        except TimeoutError:
            await self.pacer.close()  # better silent in every group than loud in this one
            self._lost()

    # --- what the pacing process tells ---
    def _hear(self, name: str, what: Became) -> None:
        sending = next((one for one in self._sendings.values() if one.name == name), None)
        if sending is None:
            return
        match what:
            case "started":
                self._note(sending, "started", "")
            case "finished":
                self._end(sending, "finished", UNCONFIRMED)
            case "failed":
                self._end(sending, "failed", "unreachable")
        if what != "started":
            sending.silent.set()

    def _lost(self) -> None:
        for sending in list(self._tasks):
            if sending.is_running:
                self._end(sending, "failed", "interrupted")
                sending.silent.set()

    def _end(self, sending: Sending, what: What, detail: str) -> None:
        if not sending.is_over:
            sending.is_over = True
            self._note(sending, what, detail)

    def _note(self, sending: Sending, what: What, detail: str) -> None:
        sending.told.append((what, detail))
        for job in sending.jobs.values():
            self._tell(job, what, detail)

    def _tell(self, job: Job, what: What, detail: str) -> None:
        self._report(Told(job.play_id, job.loudspeaker.id, what, self._clock(), detail))

    def _forget_old(self) -> None:
        """What is over is remembered until nobody may begin it any more."""
        long_ago = self._clock() - timedelta(hours=1)
        for key, one in list(self._sendings.items()):
            if one.is_over and max(job.expires_at for job in one.jobs.values()) < long_ago:
                del self._sendings[key]
