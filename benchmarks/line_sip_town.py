"""The places of the line's benchmark: web's part on a thread, the processes that are measured."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import psutil
import requests

from admin.health import is_serving
from admin.supervised import VARIABLE
from benchmarks.line_sip_sound import prompt_pcm
from ivr.exchange.sound import to_wav

TOKEN = "the line benchmark's token"
ACCOUNT = "TJexchange"

KEYS = 'numDigits="10" timeout="20" finishOnKey=""'
GATHER = f'<Gather {KEYS} action="{{base}}/keys"/>'
FIRST = f"<Play>{{base}}/media/prompt.wav</Play>{GATHER}"
TAPE = 'timeout="15" maxLength="60" finishOnKey="#"'
THEN = f'<Record action="{{base}}/done" recordingStatusCallback="{{base}}/told" {TAPE}/>'


class Server(ThreadingHTTPServer):
    """With room for as many that come at once as a real web server has: five would make the sixth wait."""

    request_queue_size = 512


@dataclass
class Web:
    """Web's part, in a thread: the same three documents for everybody.

    Where it `collects`, it takes recordings over, as the real one does: `seconds` is how long each was.
    """

    first: str = FIRST
    collects: bool = False
    keys: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def start(self) -> str:
        """Its base address."""
        web, prompt = self, to_wav(prompt_pcm())

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(prompt, "audio/wav")

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                told = {
                    name: values[0] for name, values in parse_qs(self.rfile.read(length).decode()).items()
                }
                self._answer(web.document(self.path, told).encode(), "text/xml")

            def _answer(self, body: bytes, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        self.server = Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        return self.base

    def document(self, path: str, told: dict[str, str]) -> str:
        """The answer to one request."""
        caller = told.get("From", "")
        if path == "/keys":
            self.keys[caller] = told.get("Digits", "")
            return f"<Response>{THEN.format(base=self.base)}</Response>"
        if path == "/done":
            self.recordings[caller] = told.get("RecordingSid", "")
        if path == "/told" and self.collects:
            collecting = threading.Thread(target=self._collect, args=(told["RecordingUrl"], told["CallSid"]))
            collecting.start()
        return (
            f"<Response>{self.first.format(base=self.base) if path == '/calls' else '<Hangup/>'}</Response>"
        )

    def _collect(self, url: str, call: str) -> None:
        """Fetch a recording, then tell the exchange that it is ours now."""
        with requests.Session() as session:
            session.trust_env, session.auth = False, (ACCOUNT, TOKEN)
            wav = session.get(f"{url}.wav", timeout=10)
            if wav.ok:
                self.seconds[call] = (len(wav.content) - 44) / 16000
                session.delete(f"{url}.wav", timeout=10)


@contextmanager
def our_line(
    web: Web, folder: Path, port: int, rtp: tuple[int, int]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """The exchange and the line, plugged in and warm."""
    folder.mkdir()
    base, http = web.start(), free_port()
    exchange = start("benchmarks.line_sip_ours", "exchange", str(http), base, str(folder / "spool"))
    line = start("benchmarks.line_sip_ours", "line", str(http), str(port), f"{rtp[0]}-{rtp[1]}")
    try:
        wait(lambda: is_serving(f"http://127.0.0.1:{http}/health"))
        time.sleep(4)  # its sentences are made, the line is plugged in
        yield [exchange, line]
    finally:
        end(line)
        end(exchange)
        web.server.shutdown()


@contextmanager
def busy_worker() -> Iterator[None]:
    """A transcription worker that never rests."""
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.line_sip_busy"], env=environment(), stdout=subprocess.PIPE
    )
    try:
        assert worker.stdout
        worker.stdout.readline()  # the engine is warm
        yield
    finally:
        end(worker)


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of CPU it has used."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process that dies with us."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=environment())


def environment() -> dict[str, str]:
    """For such processes."""
    return {**os.environ, VARIABLE: str(os.getpid())}


def end(process: subprocess.Popen[bytes]) -> None:
    """End it."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def wait(is_so: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something to be so."""
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError("a process of the benchmark did not come up")
        time.sleep(0.1)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
