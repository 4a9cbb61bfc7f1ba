"""A real HTTP server on loopback that plays the line on which recordings were made, with all its moods."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from speech.audio import Audio, write_phone_wav

USER, PASSWORD = "TJexchange", "a line's secret"


def credentials(line: str) -> tuple[str, str]:
    """What our side knows of the line."""
    return (USER, PASSWORD) if line == "exchange" else ("", "")


def a_wav(seconds: float = 1.0) -> bytes:
    """A tone as a telephone would record it."""
    time = np.arange(int(8000 * seconds)) / 8000
    return write_phone_wav(Audio((0.3 * np.sin(2 * np.pi * 440 * time)).astype(np.float32), 8000))


@dataclass
class RecordingSource:
    """Recordings by path. `moods` are answered first, one a request: a status, or `truncated`, `slammed`."""

    base: str = ""
    recordings: dict[str, bytes] = field(default_factory=dict)
    moods: list[int | str] = field(default_factory=list)
    requests: list[tuple[str, str, int]] = field(default_factory=list)

    def add(self, name: str, content: bytes) -> str:
        """Keep a recording; its address."""
        self.recordings[f"/recordings/{name}.wav"] = content
        return f"{self.base}/recordings/{name}.wav"


@pytest.fixture
def source() -> Iterator[RecordingSource]:
    """A running source."""
    found = RecordingSource()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.base = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()


def _handler(source: RecordingSource) -> type[BaseHTTPRequestHandler]:
    wanted = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            mood = source.moods.pop(0) if source.moods else None
            if mood == "slammed":
                source.requests.append(("GET", self.path, 0))
                self.connection.close()
            elif isinstance(mood, int):
                self.answer(mood, b"")
            elif self.headers.get("Authorization") != wanted:
                self.answer(401, b"")
            elif self.path not in source.recordings:
                self.answer(404, b"")
            else:
                self.answer(200, source.recordings[self.path], cut=mood == "truncated")

        def do_DELETE(self) -> None:
            if self.headers.get("Authorization") != wanted:
                self.answer(401, b"")
            else:
                self.answer(204 if source.recordings.pop(self.path, None) else 404, b"")

        def answer(self, status: int, body: bytes, cut: bool = False) -> None:
            source.requests.append((self.command, self.path, status))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if cut else body)
            self.close_connection = True

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
