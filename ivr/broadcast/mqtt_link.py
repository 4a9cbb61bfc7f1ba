"""One connection to an MQTT broker from an asyncio loop: kept up, its session kept, nothing taken unread.

MQTT 5 at QoS 1 with a session that outlives the connection. A message is acknowledged to the broker only
after it has been handed over without an error; otherwise the broker brings it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.loudspeakers import BroadcastError

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 30
SESSION_SECONDS = 7 * 86_400
TAKEN_SECONDS = 10.0
"""How long the broker may take to say that it has a message."""
LONGEST_PAUSE_SECONDS = 15
MOST_WAITING = 20_000


class Refused(BroadcastError):
    """The broker does not let us write there: its file of rights is not ours."""


@dataclass(frozen=True)
class Message:
    """What came in."""

    topic: str
    payload: bytes
    is_retained: bool


class Link:
    """A connection that is made again whenever it breaks. `take`, `on_up`, `on_down` run in the event loop.

    `is_threaded`: `take` runs in a thread of its own, one message at a time, and returns at once. `on_up` is
    called whenever the topics are subscribed, `on_down` whenever the broker is gone. `problem` says in the
    broker's words why it does not let us in; "" while it does.
    """

    def __init__(
        self,
        broker: Broker,
        topics: Sequence[str],
        take: Callable[[Message], None],
        on_up: Callable[[], None] = lambda: None,
        on_down: Callable[[], None] = lambda: None,
        will: tuple[str, bytes] | None = None,
        is_threaded: bool = False,
    ) -> None:
        self.problem = ""
        self._topics, self._take, self._on_up, self._on_down = topics, take, on_up, on_down
        self._is_threaded = is_threaded
        self._is_up = self._is_ending = False
        self._connections = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._loop: asyncio.AbstractEventLoop
        self._broker = broker
        self._client = _client(broker, will)
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._received
        self._client.on_publish = self._published

    @property
    def is_up(self) -> bool:
        """Whether messages go both ways at this moment."""
        return self._is_up

    async def open(self) -> None:
        """Begin to connect, and go on trying until `close`. Raises BroadcastError for a bad `ca`."""
        self._loop = asyncio.get_running_loop()
        _secure(self._client, self._broker)
        session = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        session.SessionExpiryInterval = SESSION_SECONDS
        self._client.connect_async(
            self._broker.host, self._broker.port, KEEP_ALIVE_SECONDS, clean_start=False, properties=session
        )
        self._client.loop_start()

    async def publish(self, topic: str, payload: bytes, seconds_good: float = SESSION_SECONDS) -> None:
        """Hand a message to the broker and wait until it has it; it forgets it after `seconds_good`.

        Raises Refused where it is not allowed, BroadcastError when the broker is away: it may go out late.
        """
        if not self._is_up:
            raise BroadcastError("the broker is away")
        await self._until_taken(self._send(topic, payload, seconds_good, is_retained=False))

    def say(self, topic: str, payload: bytes, is_retained: bool = False) -> None:
        """Hand a message over without waiting: it goes out, once and in order, when the broker is there."""
        try:
            self._send(topic, payload, None, is_retained)
        except BroadcastError:
            log.warning("too much waits for the broker: a message is left out")

    async def close(self, farewell: tuple[str, bytes] | None = None) -> None:
        """Say goodbye and end. Nothing is taken any more: the broker keeps it, and the session."""
        self._is_ending = True
        if farewell and self._is_up:
            with suppress(BroadcastError):
                await self._until_taken(self._send(*farewell, None, is_retained=True))
        self._on_up, self._on_down = _nothing, _nothing
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    def _send(self, topic: str, payload: bytes, seconds_good: float | None, is_retained: bool) -> int:
        expiry = None if seconds_good is None else _expiring(max(1, int(seconds_good)))
        sent = self._client.publish(topic, payload, 1, is_retained, expiry)
        if sent.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE:
            raise BroadcastError("too much waits for the broker")
        return sent.mid

    async def _until_taken(self, sent: int) -> None:
        taken = self._waiting[sent] = self._loop.create_future()
        try:
            await asyncio.wait_for(taken, TAKEN_SECONDS)
        except TimeoutError as error:
            raise BroadcastError("the broker does not answer") from error
        finally:
            self._waiting.pop(sent, None)

    # --- in paho's thread ---
    def _connected(
        self, client: Client, _: Any, flags: ConnectFlags, reason: ReasonCode, __: Properties | None
    ) -> None:
        if reason.is_failure:
            self._in_loop(self._refused, str(reason))
            return
        self._connections += 1
        self._in_loop(self._welcomed)
        options = SubscribeOptions(qos=1)
        client.subscribe([(topic, options) for topic in self._topics])

    def _subscribed(self, *_: Any) -> None:
        self._in_loop(self._up)

    def _disconnected(self, *_: Any) -> None:
        self._in_loop(self._down)

    def _published(self, _: Client, __: Any, mid: int, reason: ReasonCode, ___: Properties | None) -> None:
        self._in_loop(self._taken, mid, reason.is_failure)

    def _received(self, _: Client, __: Any, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        received = Message(topic, bytes(message.payload), bool(message.retain))
        given = self._connections, message.mid, message.qos, received
        if self._is_threaded:
            self._handle(*given)
        else:
            self._in_loop(self._handle, *given)

    def _in_loop(self, act: Callable[..., None], *given: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(act, *given)

    # --- in the event loop ---
    def _welcomed(self) -> None:
        self.problem = ""

    def _refused(self, why: str) -> None:
        if why != self.problem:
            log.warning("the broker refuses us: %s", why)
        self.problem = why

    def _up(self) -> None:
        if not self._is_up:
            self._is_up = True
            self._on_up()

    def _down(self) -> None:
        if self._is_up:
            self._is_up = False
            self._on_down()

    def _taken(self, mid: int, is_refused: bool) -> None:
        waiting = self._waiting.get(mid)
        if waiting is None or waiting.done():
            return
        if is_refused:
            waiting.set_exception(Refused("the broker does not allow it"))
        else:
            waiting.set_result(None)

    def _handle(self, connection: int, mid: int, qos: int, message: Message) -> None:
        if self._is_ending:
            return
        try:
            self._take(message)
        except Exception:
            log.exception("a message was not taken; the broker brings it again")
            return
        if qos and connection == self._connections:  # on another connection the number may mean another
            self._client.ack(mid, qos)


def _nothing() -> None:
    """Nobody listens."""


@lru_cache(maxsize=64)
def _expiring(seconds: int) -> Properties:
    """What makes the broker forget a message in time. Made once for many: making one is slow."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = seconds
    return properties


def _client(broker: Broker, will: tuple[str, bytes] | None) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.user,
        protocol=MQTTProtocolVersion.MQTTv5,
        manual_ack=True,
    )
    client.suppress_exceptions = True
    client.reconnect_delay_set(1, LONGEST_PAUSE_SECONDS)
    client.max_queued_messages_set(MOST_WAITING)
    if broker.user:
        client.username_pw_set(broker.user, broker.secret)
    if will is not None:
        client.will_set(*will, qos=1, retain=True)
    return client


def _secure(client: Client, broker: Broker) -> None:
    if not broker.is_tls:
        return
    try:
        client.tls_set(ca_certs=str(broker.ca) if broker.ca else None)
    except (OSError, ValueError) as error:
        raise BroadcastError("the file of certificates cannot be read") from error
