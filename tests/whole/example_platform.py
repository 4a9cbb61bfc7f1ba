"""The example platform as its own process, and somebody at its page without a screen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import requests

from tests.whole.town import until

APP = Path(__file__).parents[2] / "docs" / "example_platform" / "app.py"
_TOKEN = re.compile(r'name="token" value="([0-9a-f]+)"')
_CODE = re.compile(r"验证码是 <strong>(\d{6})</strong>")


@contextmanager
def running_example(
    home: Path, base: str, key: str, port: int, secret: str = "", look: float = 0.5
) -> Iterator[str]:
    """The example on a port of loopback, ended by its id; its address."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "key").write_text(key)
    command = [
        sys.executable, str(APP), "--base", base, "--key", f"@{home / 'key'}", "--home", str(home / "data"),
        "--port", str(port), "--look", str(look), *(("--webhook-secret", secret) if secret else ()),
    ]  # fmt: skip
    with (home / "example.log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: _answers(address) or process.poll() is not None, 30, "the example serves")
        assert process.poll() is None, (home / "example.log").read_text("utf-8")
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False


@dataclass
class Visitor:
    """One resident at the page."""

    address: str
    session: requests.Session = field(default_factory=requests.Session)

    def page(self) -> str:
        """What the page says now."""
        answer = self.session.get(self.address, timeout=10)
        assert answer.status_code == 200
        return unescape(answer.text)

    def send(self, path: str, **fields: str) -> str:
        """Send a form; what the page says then."""
        token = _TOKEN.search(self.page())
        assert token is not None
        answer = self.session.post(f"{self.address}{path}", data={"token": token[1], **fields}, timeout=10)
        assert answer.status_code == 200, answer.status_code
        return unescape(answer.text)

    def enter(self, number: str) -> None:
        """Prove a number by the code that is shown."""
        code = _CODE.search(self.send("/enter", number=number))
        assert code is not None
        assert "您好" in self.send("/code", code=code[1])
