"""A resident and a staff member at one real browser: what they can see, hear, press and say there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

HEARS_SECONDS = 60.0
THINKS_SECONDS = 2.0  # longer than a double tap: the line ignores the same key again for 1.5 s


@contextmanager
def browsing(voice: Path) -> Iterator[Page]:
    """A page in headless Chromium whose microphone hears the WAV file `voice` over and over."""
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={voice}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page()
        page.set_default_timeout(HEARS_SECONDS * 1000)
        try:
            yield page
        finally:
            browser.close()


@dataclass
class PhonePage:
    """The practice telephone as its caller uses it. `heard` is everything its captions said in this call."""

    page: Page
    problems: list[str] = field(default_factory=list)
    _mark: int = 0

    def __post_init__(self) -> None:
        self.page.on(
            "console",
            lambda said: self.problems.append(said.text) if said.type in ("error", "warning") else None,
        )
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))

    @property
    def heard(self) -> list[str]:
        """The captions of this call, oldest first."""
        return self.page.locator("#captions li").all_inner_texts()

    @property
    def state(self) -> str:
        """What the status line stands for: `keys`, `speech`, `ended` …"""
        return self.page.get_attribute("#status", "data-state") or ""

    def call(self) -> None:
        """Press the green button."""
        self._mark = 0
        self.page.click("#call")

    def hears(self, words: str) -> int:
        """Wait until the caller has heard `words` since the last key; how many captions there are by then."""
        end = time.monotonic() + HEARS_SECONDS
        while True:
            heard = self.heard
            if any(words in caption for caption in heard[self._mark :]):
                return len(heard)
            assert time.monotonic() < end, f"never heard {words!r} after {heard[self._mark :]}"
            assert self.state not in ("ended", "lost", "noLine", "busy"), f"{self.state}: {heard}"
            self.page.wait_for_timeout(100)

    def hears_then(self, words: str, key: str, by: str = "mouse") -> None:
        """Wait for `words`, think like a person, press a key by `mouse` or `keyboard`."""
        self.hears(words)
        self.page.wait_for_timeout(THINKS_SECONDS * 1000)
        self.press(key, by)

    def press(self, key: str, by: str = "mouse") -> None:
        """Press a key of the telephone."""
        self._mark = len(self.heard)
        if by == "mouse":
            self.page.click(f"[data-key='{key}']")
        else:
            self.page.keyboard.press(key)

    def speaks(self, seconds: float, by: str = "mouse") -> None:
        """Wait for the beep, let the microphone hear for so long, press `#`."""
        self.page.wait_for_selector('#status[data-state="speech"]')
        self.page.wait_for_timeout(seconds * 1000)
        self.press("#", by)

    def hangs_up(self, by: str = "mouse") -> None:
        """End the call."""
        if by == "mouse":
            self.page.click("#hangup")
        else:
            self.page.keyboard.press("Escape")
        self.page.wait_for_selector('#status[data-state="ended"]')


@dataclass(frozen=True)
class DeskPage:
    """The staff desk as somebody at it uses it."""

    page: Page
    base: str

    def sign_in(self, name: str, password: str) -> None:
        """From the front door to the list of voices."""
        self.page.goto(f"{self.base}/desk/")
        self.page.fill("#name", name)
        self.page.fill("#password", password)
        self.page.click("form:has(#password) button")
        self.page.wait_for_selector("nav.filters")

    def open_newest_practice(self, seconds: float) -> None:
        """Look at the list again and again until the newest practice opinion has its words; open it."""
        self.page.goto(f"{self.base}/desk/?state=all")
        end = time.monotonic() + seconds
        newest = self.page.locator("ol.opinions li", has=self.page.locator("text=练习")).first
        while not (newest.count() and newest.locator(".state-review").count()):
            assert time.monotonic() < end, "its words never came to the desk"
            self.page.wait_for_timeout(1000)
            self.page.reload()
        newest.locator("a").click()
        self.page.wait_for_selector("#said")

    def words(self) -> str:
        """What the opinion's page says was said."""
        return self.page.inner_text("[aria-labelledby=said] blockquote.words >> nth=0")

    def fact(self, name: str) -> str:
        """One of the facts below the words."""
        return self.page.inner_text(f"dl.facts dt:text-is('{name}') + dd").strip()

    def tags(self) -> list[str]:
        """The tags above the words."""
        return self.page.locator(".tags > *").all_inner_texts()

    def plays(self, seconds: float) -> float:
        """Play the sound for so long; its length. The browser itself refuses what is no sound.

        Where it isn't certain what must be bleeped, it is heard for the reason that the page proposes.
        """
        if not self.page.locator("[data-player]").count():
            self.page.click("form[action$='/whole'] button")
        sound = self.page.locator("[data-player] audio")
        length = sound.evaluate(
            "(e) => new Promise((done, fail) => { e.onerror = () => fail(e.error.message);"
            " e.onloadedmetadata = () => done(e.duration); e.muted = true; e.play().catch(fail); })"
        )
        self.page.wait_for_timeout(seconds * 1000)
        assert sound.evaluate("(e) => e.currentTime") > 0.3 * seconds, "the sound stands still"
        return float(length)

    def approve(self) -> None:
        """Let the words out."""
        self.page.click("form[action$='/approve'] button")
        self.page.wait_for_selector(".tag.state-approved")

    def reply(self, words: str) -> None:
        """Answer the caller."""
        self.page.fill("#reply", words)
        self.page.click("form[action$='/reply'] button.good")
        self.page.wait_for_selector(f"[aria-labelledby=replies] blockquote:has-text('{words}')")

    def try_the_phone(self) -> None:
        """Go from the desk to the practice telephone."""
        self.page.click("a[href$='/phone']")
        self.page.wait_for_selector("#call")
