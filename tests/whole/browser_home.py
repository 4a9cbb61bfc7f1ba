"""A home that `tingjian run` serves: the real command in a process of its own, ended by its id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from admin.health import is_serving
from admin.parts import open_archive
from admin.settings import Settings
from sync.archive import Archive
from tests.whole.town import free_port, until

START_SECONDS = 60.0


@dataclass(frozen=True)
class Home:
    """A running installation with its demo community."""

    settings: Settings
    process: subprocess.Popen[bytes]
    archive: Archive

    @property
    def base(self) -> str:
        """Where web is."""
        return self.settings.public_base

    @property
    def sign_in(self) -> tuple[str, str]:
        """Name and password of the demo's account, as the command keeps them for its owner."""
        kept = json.loads((self.settings.home / "demo.json").read_text("utf-8"))
        return kept["name"], kept["password"]

    def stop(self) -> int:
        """Ask everything to end, as Ctrl-C does; the command's exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def logs(self) -> str:
        """The last lines of every process, for the reader of a failed test."""
        found = sorted((self.settings.home / "logs").glob("*.log"))
        return "\n".join(f"== {path.name}\n{path.read_text('utf-8', 'replace')[-1500:]}" for path in found)


@contextmanager
def running_home(home: Path) -> Iterator[Home]:
    """`tingjian run` in an empty home on free ports, from the moment web and exchange answer."""
    web, exchange = free_port(), free_port()
    told = {
        "TINGJIAN_HOME": str(home),
        "TINGJIAN_PORT": str(web),
        "TINGJIAN_EXCHANGE_PORT": str(exchange),
        "TINGJIAN_SIP": "off",
        "TINGJIAN_WEB_WORKERS": "1",
    }
    # what this machine has set for an installation of its own must not reach this one
    foreign = {"DATABASE_URL", "REDIS_URL", "PUBLIC_BASE_URL", "WEB_URL", "EXCHANGE_URL", "PHONE_URL"}
    environment = {name: value for name, value in os.environ.items() if name not in foreign} | told
    settings = Settings.from_environment(environment)
    home.mkdir(parents=True, exist_ok=True)
    with (home / "run.out").open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "admin", "run"], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        for port in (web, exchange):
            serves = f"http://127.0.0.1:{port}/health"
            until(lambda serves=serves: is_serving(serves) or process.poll() is not None, START_SECONDS)  # type: ignore[misc]
        assert process.poll() is None, (home / "run.out").read_text("utf-8", "replace")
        archive = open_archive(settings)
        try:
            yield Home(settings, process, archive)
        finally:
            archive.close()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(60)
