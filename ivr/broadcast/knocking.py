"""Knocks at the broker, as the doctor does: whether it is there, and lets in whom it should."""

from __future__ import annotations

import ssl
import threading
from typing import Any, Literal

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ivr.broadcast.broker_address import Broker

Heard = Literal["let in", "refused", "silent", "not trusted"]
DOCTOR = "tingjian-doctor"
"""An account without any rights: it shows that the broker's list is ours, and disturbs nobody's session."""


def knock(broker: Broker, seconds: float = 5.0) -> Heard:
    """Connect and leave at once. Nothing is subscribed or kept."""
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=broker.user,
        protocol=MQTTProtocolVersion.MQTTv311,
        clean_session=True,
        reconnect_on_failure=False,
    )
    heard: list[Heard] = []
    answered = threading.Event()

    def connected(_: Client, __: Any, ___: Any, reason: Any, ____: Any) -> None:
        heard.append("refused" if reason.is_failure else "let in")
        answered.set()

    client.on_connect = connected
    try:
        if broker.is_tls:
            client.tls_set(ca_certs=str(broker.ca) if broker.ca else None)
        if broker.user:
            client.username_pw_set(broker.user, broker.secret)
        client.connect_timeout = seconds
        client.connect(broker.host, broker.port)
    except ssl.SSLError:
        return "not trusted"
    except (OSError, ValueError):
        return "silent"
    client.loop_start()
    answered.wait(seconds)
    client.disconnect()
    client.loop_stop()
    return heard[0] if heard else "silent"
