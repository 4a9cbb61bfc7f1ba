"""The bare loop: every loudspeaker a paho client that answers each message with another, and who counts them.

`python -m benchmarks.broadcast_bare PORT` is the loudspeakers' side; `publish` is ours.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from benchmarks.broadcast_village import Village, accounts_given

PAYLOAD_BYTES = 400
"""About the length of one of our jobs."""


def _client(user: str, secret: str, port: int) -> Client:
    client = Client(CallbackAPIVersion.VERSION2, user, protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set(user, secret)
    client.connect("127.0.0.1", port)
    return client


def publish(village: Village, rounds: int) -> list[float]:
    """Publish to all at once and wait for every answer, so many times; seconds of each."""
    answered, seen = threading.Event(), [0]
    client = _client(village.broker.user, village.broker.secret, village.broker.port)

    def count(_: Client, __: Any, ___: MQTTMessage) -> None:
        seen[0] += 1
        if seen[0] == len(village.secrets):
            answered.set()

    ready = threading.Event()
    client.on_message = count
    client.on_subscribe = lambda *_: ready.set()
    client.loop_start()
    client.subscribe("tingjian/+/told", 1)
    ready.wait(10)
    taken = []
    for _ in range(rounds):
        seen[0], began = 0, time.perf_counter()
        answered.clear()
        for user in village.secrets:
            client.publish(f"tingjian/{user}/job", bytes(PAYLOAD_BYTES), 1)
        if not answered.wait(60):
            raise TimeoutError("answers are missing")
        taken.append(time.perf_counter() - began)
    client.disconnect()
    client.loop_stop()
    return taken


def main(port: int) -> None:
    """Be all of them until ended."""
    subscribed = threading.Semaphore(0)
    for user, secret in accounts_given().items():
        client = _client(user, secret, port)
        client.on_subscribe = lambda *_: subscribed.release()
        client.on_message = _answer(client, f"tingjian/{user}/told")
        client.loop_start()
        client.subscribe(f"tingjian/{user}/job", 1)
        subscribed.acquire(timeout=10)
    print("ready", flush=True)
    threading.Event().wait()


def _answer(client: Client, topic: str) -> Any:
    return lambda *_: client.publish(topic, b'{"what": "received"}', 1)


if __name__ == "__main__":
    main(int(sys.argv[1]))
