"""Real SIP calls in number: 30 s heard, ten keys, 30 s recorded; ours against a bare loop, in the same run.

Ours is the line's process and the exchange together, with web's part played by a small server that is not
counted; the bare loop is one process of the same library with the same ear for tones. Callers are raw packets
from a process of their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import psutil

from admin.health import is_serving
from admin.supervised import VARIABLE
from benchmarks.line_sip_sound import DIGITS, from_alaw, intact_windows, prompt_pcm, speech_pcm
from benchmarks.report import Measured
from ivr.exchange.sound import to_wav
from ivr.exchange.spool import Spool

CALLS = (20, 50)
MOST_WINDOWS_LESS, MOST_CPU_MORE = 0.5, 1.3
TOKEN = "the line benchmark's token"
SIP_PORTS, RTP_PORTS = (25070, 25071), ((26000, 26999), (27000, 27999))
LOAD_SECONDS = 240

KEYS = 'numDigits="10" timeout="20" finishOnKey=""'
FIRST = f'<Play>{{base}}/media/prompt.wav</Play><Gather {KEYS} action="{{base}}/keys"/>'
TAPE = 'timeout="15" maxLength="60" finishOnKey="#"'
THEN = f'<Record action="{{base}}/done" recordingStatusCallback="{{base}}/told" {TAPE}/>'


@dataclass
class Score:
    """What came of one round: intact windows and calls with all digits in per cent, CPU seconds a call."""

    heard: float
    recorded: float
    exact: float
    cpu: float


@dataclass
class Web:
    """Web's part, in a thread: the same three documents for everybody."""

    keys: dict[str, str] = field(default_factory=dict)
    recordings: dict[str, str] = field(default_factory=dict)

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

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
        return f"<Response>{FIRST.format(base=self.base) if path == '/calls' else '<Hangup/>'}</Response>"


def measure() -> Iterator[Measured]:
    """Two sizes, the bare loop and ours in turns."""
    for count in CALLS:
        with tempfile.TemporaryDirectory(prefix="tj-sip-") as folder:
            bare = _bare(count, Path(folder) / "bare")
            ours = _ours(count, Path(folder) / "ours")
        yield from _compared(f"line.sip.{count}", ours, bare)


def _compared(name: str, ours: Score, bare: Score) -> Iterator[Measured]:
    for what in ("heard", "recorded"):
        value, baseline = getattr(ours, what), getattr(bare, what)
        target = baseline - MOST_WINDOWS_LESS
        yield Measured(
            f"{name}.{what}.intact", value, "%", target, value / max(baseline, 1e-9), is_absolute=True
        )
    yield Measured(
        f"{name}.digits.exact", ours.exact, "%", 100.0, ours.exact / max(bare.exact, 1e-9), False, True
    )
    yield Measured(f"{name}.cpu_per_call", ours.cpu, "s", MOST_CPU_MORE, ours.cpu / bare.cpu, is_at_most=True)


def _bare(count: int, folder: Path) -> Score:
    folder.mkdir()
    first, last = RTP_PORTS[0]
    process = _start("benchmarks.line_sip_bare", str(SIP_PORTS[0]), str(first), str(last), str(folder))
    try:
        _wait(lambda: (folder / "ready").exists())
        cpu = _load(SIP_PORTS[0], count, folder, [process])
    finally:
        _end(process)
    recorded = [np.frombuffer(path.read_bytes(), "<i2") / 32768 for path in folder.glob("recorded-*")]
    exact = sum(path.read_text() == DIGITS for path in folder.glob("keys-*"))
    return _score(count, folder, recorded, exact, cpu)


def _ours(count: int, folder: Path) -> Score:
    folder.mkdir()
    web = Web()
    base = web.start()
    first, last = RTP_PORTS[1]
    port = _free_port()
    exchange = _start("benchmarks.line_sip_ours", "exchange", str(port), base, str(folder / "spool"))
    line = _start("benchmarks.line_sip_ours", "line", str(port), str(SIP_PORTS[1]), f"{first}-{last}")
    try:
        _wait(lambda: is_serving(f"http://127.0.0.1:{port}/health"))
        time.sleep(4)  # its sentences are made, the line is plugged in
        cpu = _load(SIP_PORTS[1], count, folder, [exchange, line])
        spool = Spool(folder / "spool", TOKEN.encode())
        tapes = [spool.read(sid) for sid in web.recordings.values()]
    finally:
        _end(line)
        _end(exchange)
        web.server.shutdown()
    recorded = [np.frombuffer(tape.pcm, "<i2") / 32768 for tape in tapes if tape]
    exact = sum(keys == DIGITS for keys in web.keys.values())
    return _score(count, folder, recorded, exact, cpu)


def _score(count: int, folder: Path, recorded: list[np.ndarray], exact: int, cpu: float) -> Score:
    heard = [from_alaw(path.read_bytes()) for path in folder.glob("heard-*")]
    shares = []
    for wanted, sounds in ((prompt_pcm(), heard), (speech_pcm(), recorded)):
        counts = [intact_windows(wanted, sound) for sound in sounds]
        each = intact_windows(wanted, np.zeros(0))[1]
        shares.append(100 * sum(good for good, _ in counts) / (each * count))
    return Score(shares[0], shares[1], 100 * exact / count, cpu / count)


def _load(port: int, count: int, folder: Path, watched: list[subprocess.Popen[bytes]]) -> float:
    """Let so many call; the CPU seconds that those watched spent on it."""
    before = sum(map(_cpu, watched))
    command = [sys.executable, "-m", "benchmarks.line_sip_load", str(port), str(count), str(folder)]
    subprocess.run(command, env=_environment(), timeout=LOAD_SECONDS, check=True)
    return sum(map(_cpu, watched)) - before


def _cpu(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def _start(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], env=_environment())


def _environment() -> dict[str, str]:
    return {**os.environ, VARIABLE: str(os.getpid())}


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(5)


def _wait(is_so: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError("a process of the benchmark did not come up")
        time.sleep(0.1)


def _free_port() -> int:
    import socket

    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
