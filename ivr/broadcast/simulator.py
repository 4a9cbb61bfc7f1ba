"""A loudspeaker of our own behind a broker: takes jobs, fetches, checks, plays on time, tells what it did.

What it is about to do stands in its memory before it does it. So a job that comes twice, or after a power
failure, is answered and not played again; one that was broken off in the middle is told `interrupted`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import replace

import aiohttp

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.fetching import FetchFailed, fetch
from ivr.broadcast.loudspeakers import BroadcastError
from ivr.broadcast.mqtt_link import Link, Message
from ivr.broadcast.played import Memory, Remembered
from ivr.broadcast.player import Player
from ivr.broadcast.wire import (
    STOPS,
    Answer,
    Answered,
    Order,
    job_topic,
    presence_bytes,
    presence_topic,
    read_order,
    read_stop,
    told_topic,
)
from speech.audio import Audio, read_audio
from speech.errors import SpeechError

PRESENCE_SECONDS = 60.0
SETTLE_SECONDS = 0.5
"""After each new connection nothing begins for so long: a stop may wait behind the job it is for."""
LATELY_SECONDS = 3600.0
WAKE_SECONDS = 3.0
"""So long after its start it waits for the broker before it goes on with what it was told before."""
LOOK_SECONDS = 0.5
"""The clock is looked at so often: it may have been put right meanwhile."""
GAP_SECONDS = 1.0
"""Between two times of the same sound."""
MOST_SOUND_SECONDS = 1800.0


class Failed(Exception):
    """A job ends without having been played to the end; the message is the word that is told."""


class SimulatedLoudspeaker:
    """One loudspeaker; its id is its name at the broker. `say` gets a line for whoever watches."""

    def __init__(
        self, broker: Broker, memory: Memory, player: Player, say: Callable[[str], None] = lambda line: None
    ) -> None:
        self.id = broker.user
        self._memory, self._player, self._say = memory, player, say
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cut: dict[str, str] = {}
        self._told_again: set[str] = set()
        self._sounding: Order | None = None
        self._urgent: set[str] = set()
        self._mouth = asyncio.Condition()
        self._settled_at = 0.0
        self._link = Link(
            broker,
            (job_topic(self.id), STOPS),
            self._take,
            on_up=self._come_up,
            on_down=lambda: self._say("连不上了 · the broker is gone; trying again"),
            will=(presence_topic(self.id), presence_bytes(False)),
            is_threaded=True,
        )

    @property
    def is_up(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._link.is_up

    async def run(self) -> None:
        """Live until cancelled."""
        self._loop = asyncio.get_running_loop()
        async with aiohttp.ClientSession() as self._web:
            self._wake()
            await self._link.open()
            try:
                while True:
                    await asyncio.sleep(PRESENCE_SECONDS)
                    self._tell_presence()
                    self._tell_ends_again(2 * PRESENCE_SECONDS)
            finally:
                for task in self._tasks.values():
                    task.cancel()
                await asyncio.gather(*self._tasks.values(), return_exceptions=True)
                await self._link.close((presence_topic(self.id), presence_bytes(False, time.time())))

    # --- what comes in, in the link's thread: remembered before the broker may forget it ---
    def _take(self, message: Message) -> None:
        if message.is_retained:
            return
        if message.topic == STOPS:
            if airing_id := read_stop(message.payload):
                self._take_stop(airing_id)
        elif order := read_order(message.payload):
            self._take_order(order)

    def _take_order(self, order: Order) -> None:
        known = self._memory.get(order.id)
        if known is not None:
            self._send(known.answer)
            return
        self._tell(order, "received")
        self._loop.call_soon_threadsafe(self._begin, order)

    def _take_stop(self, airing_id: str) -> None:
        self._memory.note_stop(airing_id)
        self._loop.call_soon_threadsafe(self._stop, airing_id)

    # --- one job ---
    def _stop(self, airing_id: str) -> None:
        for one in self._memory.unfinished():
            if one.order is not None and one.order.airing == airing_id:
                self._silence(one.order, "stopped")

    def _silence(self, order: Order, why: str) -> None:
        """Break a job off, wherever it is."""
        task = self._tasks.get(order.id)
        if task is not None and not task.done():
            self._cut[order.id] = why
            task.cancel()

    def _begin(self, order: Order) -> None:
        task = self._tasks[order.id] = self._loop.create_task(self._carry_out(order))
        task.add_done_callback(lambda task: self._ended(order, task))

    def _ended(self, order: Order, task: asyncio.Task[None]) -> None:
        self._tasks.pop(order.id, None)
        why = self._cut.pop(order.id, "")
        if task.cancelled():
            if why:  # without a word it is we who end: the job goes on after the next start
                self._tell(order, "failed", why)
        elif error := task.exception():  # the disk is full: what cannot be remembered is not played
            self._say(f"{order.id}: {error}")
            self._send(Answer(order.id, "failed", round(time.time(), 3), "no_memory"))

    async def _carry_out(self, order: Order) -> None:
        try:
            self._refuse_late(order)
            sound = await self._sound(order)
            await self._until(order)
            await self._play_in_turn(order, sound)
        except Failed as failed:
            self._tell(order, "failed", str(failed))
        else:
            self._tell(order, "finished")

    async def _sound(self, order: Order) -> Audio:
        try:
            data = await fetch(self._web, order)
            return await asyncio.to_thread(read_audio, data, MOST_SOUND_SECONDS)
        except FetchFailed as error:
            raise Failed(str(error)) from error
        except SpeechError as error:
            raise Failed("no_sound") from error

    async def _until(self, order: Order) -> None:
        """Wait for its moment by the clock on the wall, which may jump."""
        while (left := max(order.at - time.time(), self._settled_at - time.monotonic())) > 0:
            await asyncio.sleep(min(left, LOOK_SECONDS))

    async def _play_in_turn(self, order: Order, sound: Audio) -> None:
        """One at a time. An emergency ends what sounds and goes before what waits."""
        if order.cuts_in:
            self._urgent.add(order.id)
            if self._sounding is not None and not self._sounding.cuts_in:
                self._silence(self._sounding, "interrupted")
        try:
            async with self._mouth:
                await self._mouth.wait_for(lambda: self._may_sound(order))
                self._sounding = order
            await self._play(order, sound)
        finally:
            self._urgent.discard(order.id)
            async with self._mouth:
                if self._sounding is order:
                    self._sounding = None
                self._mouth.notify_all()

    def _may_sound(self, order: Order) -> bool:
        return self._sounding is None and (order.cuts_in or not self._urgent)

    async def _play(self, order: Order, sound: Audio) -> None:
        self._refuse_late(order)
        self._tell(order, "started")
        try:
            for time_through in range(order.repeat):
                await asyncio.sleep(GAP_SECONDS if time_through else 0)
                await self._player.play(sound, order.volume)
        except BroadcastError as error:
            raise Failed("no_sound") from error

    def _refuse_late(self, order: Order) -> None:
        if self._memory.is_stopped(order.airing):
            raise Failed("stopped")
        if time.time() >= order.expires:
            raise Failed("expired")

    # --- what goes out ---
    def _tell(self, order: Order, what: Answered, detail: str = "") -> None:
        answer = Answer(order.id, what, round(time.time(), 3), detail)
        self._memory.note(answer, order if what == "received" else None)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self._say(f"{answer.id} {answer.what} {answer.detail}".rstrip())
        self._link.say(told_topic(self.id), answer.to_bytes())

    def _tell_presence(self) -> None:
        if self._link.is_up:
            here = presence_bytes(True, round(time.time(), 3))
            self._link.say(presence_topic(self.id), here, is_retained=True)

    def _tell_ends_again(self, seconds: float) -> None:
        """How a job ended is told twice: either of us may have died before it was sent or written down."""
        for answer in self._memory.ended_since(time.time() - seconds):
            if self._link.is_up and answer.id not in self._told_again:
                self._told_again.add(answer.id)
                self._link.say(told_topic(self.id), answer.to_bytes())

    def _come_up(self) -> None:
        self._say("已连上 · connected")
        self._settled_at = time.monotonic() + SETTLE_SECONDS
        self._tell_presence()
        self._tell_ends_again(LATELY_SECONDS)

    def _wake(self) -> None:
        """Jobs from before: what was sounding is broken; what was waiting goes on, after a while."""
        self._settled_at = time.monotonic() + WAKE_SECONDS
        for one in self._memory.unfinished():
            if one.answer.what == "started" or one.order is None:
                self._break_off(one)
            else:
                self._begin(one.order)

    def _break_off(self, one: Remembered) -> None:
        answer = replace(one.answer, what="failed", at=round(time.time(), 3), detail="interrupted")
        self._memory.note(answer)
        self._send(answer)
