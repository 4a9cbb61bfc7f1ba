"""A real mosquitto for the tests: started, killed and brought back by its process; a device by hand."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from getpass import getuser
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.broker_files import ACL, PASSWORDS, RIGHTS, password_line

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(MOSQUITTO is None, reason="NO BROKER HERE: apt install mosquitto")
OURS = "our secret"

CONFIG = """\
user {user}
listener {port} 127.0.0.1
allow_anonymous false
use_username_as_clientid true
password_file {folder}/passwords
acl_file {folder}/acl
max_packet_size 262144
persistence true
persistence_location {folder}/
autosave_on_changes true
autosave_interval 1
log_dest file {folder}/log
{more}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


def until(is_so: Callable[[], Any], seconds: float = 15.0, what: str = "it happens") -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at, f"not in {seconds} s: {what}"
        time.sleep(0.02)


class RealBroker:
    """mosquitto with the rights of ours, on a port that stays its own however often it is started."""

    def __init__(self, folder: Path, secrets: Mapping[str, str], more: str = "") -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        if secrets:
            self.write(secrets)
        (folder / "conf").write_text(CONFIG.format(user=getuser(), port=self.port, folder=folder, more=more))
        self._process: subprocess.Popen[bytes] | None = None

    def write(self, secrets: Mapping[str, str]) -> None:
        """Who may come in."""
        lines = [password_line(user, secret, b"salt-of-test") for user, secret in secrets.items()]
        (self.folder / PASSWORDS).write_text("".join(f"{line}\n" for line in lines))
        (self.folder / RIGHTS).write_text(ACL)

    def start(self) -> None:
        self._process = subprocess.Popen(
            [str(MOSQUITTO), "-c", str(self.folder / "conf")],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: self.answers(), 15, "mosquitto answers")

    def answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        """As when the power fails."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def address(self, user: str, secret: str) -> Broker:
        return Broker("127.0.0.1", self.port, user, secret)

    @property
    def ours(self) -> Broker:
        return self.address("tingjian", OURS)


class Device:
    """Whatever speaks MQTT 3.1.1, by hand: a cheap loudspeaker, a stranger, a liar."""

    def __init__(self, broker: Broker, topics: tuple[str, ...] = (), is_clean: bool = True) -> None:
        self.heard: list[tuple[str, bytes]] = []
        self.answers: list[str] = []
        self.granted = False
        self._topics = topics
        self._client = Client(
            CallbackAPIVersion.VERSION2, broker.user, clean_session=is_clean,
            protocol=MQTTProtocolVersion.MQTTv311,
        )  # fmt: skip
        self._client.username_pw_set(broker.user, broker.secret)
        self._client.on_connect = self._connected
        self._client.on_message = self._hear
        self._client.on_subscribe = lambda *_: setattr(self, "granted", True)
        self._client.connect_async(broker.host, broker.port)
        self._client.loop_start()
        until(lambda: self.answers, 10, "the broker says yes or no")

    @property
    def is_in(self) -> bool:
        return self.answers[-1] == "Success"

    def say(self, topic: str, payload: bytes, is_retained: bool = False) -> None:
        """Publish, and wait until the broker has taken it: for 3.1.1 it says yes to what it forbids, too."""
        self._client.publish(topic, payload, 1, is_retained).wait_for_publish(10)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _connected(self, client: Client, _: Any, __: Any, reason: Any, ___: Any) -> None:
        if self._topics and not reason.is_failure:
            client.subscribe([(topic, 1) for topic in self._topics])
        self.answers.append(str(reason))

    def _hear(self, _: Client, __: Any, message: MQTTMessage) -> None:
        self.heard.append((message.topic, message.payload))


def real_broker(folder: Path, secrets: Mapping[str, str], more: str = "") -> Iterator[RealBroker]:
    """A running broker, ended afterwards."""
    broker = RealBroker(folder, {"tingjian": OURS, **secrets}, more)
    broker.start()
    yield broker
    broker.kill()
