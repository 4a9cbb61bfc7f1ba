"""A real HTTP server on loopback that receives webhooks as a platform does, with all its moods."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sync.webhooks.addresses import Reach

NEAR = Reach.of("127.0.0.0/8")


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent it carried."""
        found: dict[str, Any] = json.loads(self.body)
        return found


@dataclass
class Receiver:
    """What came, in order. `moods` are answered first, one a request: a status, `slammed` or `trickling`."""

    base: str = ""
    port: int = 0
    moods: list[int | str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)
    rests: float = 0.0

    @property
    def subjects(self) -> list[str]:
        """What the events were about."""
        return [one.event["subject"] for one in self.received]


@contextmanager
def receiving(
    host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """A running receiver."""
    found = Receiver()
    server = _Server((host, port), _handler(found))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.port = server.server_port
    found.base = f"{'https' if tls else 'http'}://{host}:{found.port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that speaks plain HTTP."""
    with receiving() as found:
        yield found


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Who sends may hang up at any moment: that is what is tested."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(receiver.rests)
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(self.path, headers, body))
            mood = receiver.moods.pop(0) if receiver.moods else 200
            self.close_connection = True
            if mood == "trickling":
                self.trickle()
            elif isinstance(mood, int):
                self.send_response(mood)
                if 300 <= mood < 400:
                    self.send_header("Location", f"{receiver.base}/elsewhere")
                self.end_headers()
                self.wfile.write(b"x" * 4096)

        def trickle(self) -> None:
            """A head that never ends, one byte at a time."""
            try:
                while True:
                    self.wfile.write(b"H")
                    time.sleep(0.05)
            except OSError:
                pass

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
