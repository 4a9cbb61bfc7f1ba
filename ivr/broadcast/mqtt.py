"""Loudspeakers behind an MQTT broker: a job goes down, they fetch the sound and tell what they did.

A job is sent again, under the same id, whenever the broker or the loudspeaker comes back before it has been
answered; a loudspeaker plays an id once. What is told counts only on the loudspeaker's own topic, of its own
jobs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.broker_files import our_secret
from ivr.broadcast.loudspeakers import BroadcastError, Form, Job, Report, Told, What, Wiring
from ivr.broadcast.mqtt_link import Link, Message, Refused
from ivr.broadcast.sound_links import SoundLinks
from ivr.broadcast.wire import (
    ALL_PRESENCE,
    ALL_TOLD,
    MOST_REPEATS,
    OUR_USER,
    STOPS,
    Answer,
    Order,
    job_topic,
    read_answer,
    read_presence,
    sender_of,
    stop_bytes,
)

log = logging.getLogger(__name__)

FORGOTTEN = timedelta(days=1)
"""So long after its last moment a job is remembered here."""
STOP_SECONDS = 86_400.0
"""So long the broker keeps a stop for a loudspeaker that is away; no airing waits longer."""
LOOK_SECONDS = 1.0
FUTURE, PAST = timedelta(seconds=5), timedelta(days=2)
"""How wrong a loudspeaker's clock may be for its moments to be believed."""


@dataclass
class _Handed:
    """A job that was handed down. `is_sent`: the broker may have it; `is_answered`: its loudspeaker."""

    loudspeaker_id: str
    airing_id: str
    order: Order
    expires_at: datetime
    is_sent: bool = False
    is_answered: bool = False


@dataclass
class MqttLoudspeakers:
    """`Loudspeakers` behind a broker. `links` signs the addresses their sound is fetched from."""

    broker: Broker
    links: SoundLinks
    form: Form = "mp3"
    knows_repeats: bool = True
    _handed: dict[str, _Handed] = field(default_factory=dict)
    _stopped: dict[str, datetime] = field(default_factory=dict)
    _unsaid_stops: set[str] = field(default_factory=set)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @classmethod
    def opened(cls, wiring: Wiring) -> MqttLoudspeakers:
        """As the settings want it. Raises BroadcastError where no broker is set."""
        return cls(broker_of(wiring), SoundLinks(wiring.archive, wiring.web_url))

    async def start(self, report: Report) -> None:
        """Connect, and go on trying; what loudspeakers said meanwhile comes from the broker's memory."""
        self._report = report
        topics = (ALL_TOLD, ALL_PRESENCE)
        self._loop = asyncio.get_running_loop()
        self._link = Link(self.broker, topics, self._take, on_up=self._catch_up, is_threaded=True)
        await self._link.open()
        self._spawn(self._watch())

    @property
    def is_up(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._link.is_up

    async def air(self, job: Job) -> None:
        """Hand a job to the broker. While that is away the job waits here; in the end it is told `failed`.

        Raises BroadcastError where the broker does not allow it.
        """
        now = datetime.now(UTC)
        if job.airing_id in self._stopped or now >= job.expires_at:
            why = "stopped" if job.airing_id in self._stopped else "expired"
            self._tell(job.play_id, job.loudspeaker.id, "failed", now, why)
            return
        handed = self._handed.get(job.play_id)
        if handed is None:
            handed = self._handed[job.play_id] = _Handed(
                job.loudspeaker.id, job.airing_id, self._order(job), job.expires_at
            )
        if not handed.is_answered and self._link.is_up:
            await self._send(handed)

    async def stop(self, airing_id: str) -> None:
        """Tell every loudspeaker that an airing is over. Raises BroadcastError while the broker is away: it
        is told then as soon as that is back.
        """
        ours = [one for one in self._handed.values() if one.airing_id == airing_id]
        self._stopped[airing_id] = datetime.now(UTC)
        for one in ours:
            if not one.is_sent:
                self._tell(one.order.id, one.loudspeaker_id, "failed", datetime.now(UTC), "stopped")
        if not ours or any(one.is_sent for one in ours):
            self._unsaid_stops.add(airing_id)
            await self._say_stop(airing_id)

    async def close(self) -> None:
        """Leave the broker; it keeps what is told meanwhile."""
        self._report = _nobody
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._link.close()

    def _order(self, job: Job) -> Order:
        sound = job.sound
        return Order(
            id=job.play_id,
            url=sound.url or self.links.url(job.airing_id, sound.sha256, sound.media_type, job.expires_at),
            sha256=sound.sha256,
            volume=job.loudspeaker.volume,
            repeat=min(job.repeat, MOST_REPEATS),
            at=round(job.at.timestamp(), 3),
            expires=round(job.expires_at.timestamp(), 3),
            airing=job.airing_id,
            seconds=sound.seconds,
            cuts_in=job.is_emergency,
        )

    async def _send(self, handed: _Handed) -> None:
        seconds_good = (handed.expires_at - datetime.now(UTC)).total_seconds()
        if seconds_good <= 0:
            return
        handed.is_sent |= self._link.is_up
        try:
            await self._link.publish(job_topic(handed.loudspeaker_id), handed.order.to_bytes(), seconds_good)
        except Refused:
            self._handed.pop(handed.order.id, None)
            raise
        except BroadcastError as error:
            log.warning("job %s is sent again when the broker is back: %s", handed.order.id, error)

    async def _watch(self) -> None:
        """When a job has expired that the broker never had, its loudspeaker was not to be reached."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            now = datetime.now(UTC)
            for one in [one for one in self._handed.values() if not one.is_sent and one.expires_at <= now]:
                del self._handed[one.order.id]
                if one.airing_id not in self._stopped:
                    self._tell(one.order.id, one.loudspeaker_id, "failed", now, "unreachable")
            self._forget(now)

    async def _say_stop(self, airing_id: str) -> None:
        await self._link.publish(STOPS, stop_bytes(airing_id), STOP_SECONDS)
        self._unsaid_stops.discard(airing_id)

    # --- what comes up, in the link's thread ---
    def _take(self, message: Message) -> None:
        if loudspeaker_id := sender_of(message.topic, "told"):
            answer = None if message.is_retained else read_answer(message.payload)
            if answer is None:
                log.info("%s said something that is no answer", loudspeaker_id)
            else:
                self._take_answer(loudspeaker_id, answer)
        elif loudspeaker_id := sender_of(message.topic, "presence"):
            self._take_presence(loudspeaker_id, message)

    def _take_answer(self, loudspeaker_id: str, answer: Answer) -> None:
        handed = self._handed.get(answer.id)
        if handed is not None:
            if handed.loudspeaker_id != loudspeaker_id:
                log.warning("%s answers for another loudspeaker: passed over", loudspeaker_id)
                return
            handed.is_answered = True
        self._tell(answer.id, loudspeaker_id, answer.what, _moment(answer.at), answer.detail)

    def _take_presence(self, loudspeaker_id: str, message: Message) -> None:
        told = read_presence(message.payload)
        if told is None:
            return
        is_here, at = told
        if is_here and self._link.is_up and not message.is_retained:
            self._loop.call_soon_threadsafe(self._send_again, loudspeaker_id)
        self._tell(None, loudspeaker_id, "seen" if is_here else "gone", _moment(at))

    def _tell(
        self, play_id: str | None, loudspeaker_id: str, what: What, at: datetime, detail: str = ""
    ) -> None:
        self._report(Told(play_id, loudspeaker_id, what, at, detail))

    # --- what is said again ---
    def _catch_up(self) -> None:
        """The broker is there again, perhaps without its memory."""
        for airing_id in list(self._unsaid_stops):
            self._spawn(self._say_stop(airing_id))
        self._send_again()

    def _send_again(self, loudspeaker_id: str = "") -> None:
        """What was not answered, to all or to one who has just come back."""
        for handed in list(self._handed.values()):
            is_meant = loudspeaker_id in ("", handed.loudspeaker_id)
            if is_meant and not handed.is_answered and handed.airing_id not in self._stopped:
                self._spawn(self._send(handed))

    def _spawn(self, act: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(_safely(act))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _forget(self, now: datetime) -> None:
        old = [play_id for play_id, one in self._handed.items() if one.expires_at + FORGOTTEN < now]
        for play_id in old:
            del self._handed[play_id]
        self._stopped = {one: at for one, at in self._stopped.items() if at + FORGOTTEN > now}


def broker_of(wiring: Wiring) -> Broker:
    """The broker that is set, and who we are to it. Raises BroadcastError where there is none."""
    given = wiring.settings
    if not given.get("broker"):
        raise BroadcastError("no broker is set: TINGJIAN_MQTT")
    secret = our_secret(wiring.archive, given.get("broker_secret", ""))
    try:
        return Broker.of(given["broker"], OUR_USER, secret, given.get("broker_ca", ""))
    except ValueError as error:
        raise BroadcastError(f"TINGJIAN_MQTT: {error}") from error


async def _safely(act: Coroutine[Any, Any, None]) -> None:
    try:
        await act
    except BroadcastError as error:
        log.warning("not said again yet: %s", error)


def _moment(told: float) -> datetime:
    """A moment a loudspeaker told, or now where it told none or its clock is plainly wrong."""
    now = datetime.now(UTC)
    at = datetime.fromtimestamp(told, UTC)
    return at if now - PAST < at < now + FUTURE else now


def _nobody(told: Told) -> None:
    """After the end nobody is told."""
