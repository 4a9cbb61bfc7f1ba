"""The desk served on a free port, and real browsers without a screen in front of it."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.admin.desk import Desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="NO CHROMIUM HERE: the desk was not tried in a browser"),
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
_PATIENCE_MS = 45_000


class _Quiet(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """Requests are not worth a line."""


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """The desk's address on loopback, for as long as the context lasts."""
    server = make_server("127.0.0.1", 0, desk.app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(10)


@contextmanager
def browser(voice: Path | None = None) -> Iterator[Browser]:
    """Headless Chromium; its microphone hears the WAV file `voice` over and over."""
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    arguments += ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
    if voice is not None:
        arguments.append(f"--use-file-for-fake-audio-capture={voice}")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Seat:
    """Somebody signed in, in a browser of their own. `problems`: what its console complains of."""

    page: Page
    base: str
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(_PATIENCE_MS)
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda said: self.problems.append(said.text) if _is_ours(said) else None)

    def go(self, path: str) -> None:
        """Open a page of the desk."""
        answer = self.page.goto(f"{self.base}{path}")
        assert answer is not None
        assert answer.status == 200, path

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, words: str) -> None:
        """Write instead of what stands in the field that has the focus."""
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(words)

    def focused(self) -> str:
        """The id of the element that has the focus."""
        return str(self.page.evaluate("document.activeElement.id"))

    def until(self, claim: str) -> None:
        """Wait until a claim about the page (JavaScript) is true."""
        end = time.monotonic() + _PATIENCE_MS / 1000
        while not self.page.evaluate(claim):
            assert time.monotonic() < end, claim
            self.page.wait_for_timeout(50)

    def confirmed(self, words: str) -> None:
        """Wait until the desk says these words of what was just done."""
        self.page.wait_for_selector(f".notice:has-text('{words}')")


def sit_down(opened: Browser, base: str, name: str, password: str, **options: object) -> Seat:
    """Sign in by keyboard, in a browser that shares nothing with others."""
    context: BrowserContext = opened.new_context(**{"viewport": DESKTOP, **options})  # type: ignore[arg-type]
    seat = Seat(context.new_page(), base)
    seat.go("/desk/sign-in")
    seat.until("document.activeElement.id === 'name'")  # a browser gives the focus when it is ready
    seat.page.keyboard.insert_text(name)
    seat.press("Tab")
    seat.page.keyboard.insert_text(password)
    seat.press("Enter")
    seat.page.wait_for_selector("nav.around")
    return seat


def find_person(seat: Seat, number: str) -> None:
    """Let the page of a person be looked at, as the privacy desk does: by number, with a reason."""
    seat.go("/desk/privacy")
    seat.page.fill("#asked", number)
    seat.page.fill("#reason", "test")
    with seat.page.expect_navigation():
        seat.press("Enter")


def violations(page: Page) -> list[str]:
    """What axe-core has against the page as it stands: the rule, and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]]


def _is_ours(said: object) -> bool:
    kind, text = said.type, said.text  # type: ignore[attr-defined]
    return kind in ("error", "warning") and "status of 4" not in text
