"""The phone page in a real browser: dial, hear, press, speak into a microphone; mouse and keyboard."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import numpy as np
import pytest
from flask import Flask
from playwright.async_api import Page, async_playwright
from werkzeug.serving import make_server

from ivr.exchange.sound import RATE, decode, to_wav
from ivr.web.phone import create_phone_page
from tests.exchange.town import TOKEN, Town, clip, free_port, play, speech, town, twiml

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium here: the phone page was NOT tried in a browser"
    ),
]

MENU = (
    '<Gather numDigits="1" timeout="20" finishOnKey="" action="BASE/next">'
    "<Play>BASE/media/menu.wav</Play></Gather>"
)


@contextmanager
def served_page(port: int, exchange_port: int) -> Iterator[None]:
    """The page on its port."""
    app = Flask("phone_page")
    exchange = f"ws://127.0.0.1:{exchange_port}/phone/ws"
    app.register_blueprint(create_phone_page(TOKEN, exchange, lambda: False))
    server = make_server("127.0.0.1", port, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def browsing(voice: Path | None) -> AsyncIterator[Page]:
    """A page in headless Chromium whose microphone hears `voice` over and over; None: it may not be used."""
    arguments = [
        "--no-sandbox",
        "--disable-background-networking",
        "--use-fake-device-for-media-stream",
        "--autoplay-policy=no-user-gesture-required",
    ]
    if voice is not None:
        arguments += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={voice}"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = await browser.new_page()
        page.set_default_timeout(20_000)
        try:
            yield page
        finally:
            await browser.close()


def ready(t: Town) -> None:
    t.web.sounds["menu.wav"] = clip(30)
    t.web.pages |= {
        "/calls": twiml(MENU),
        "/next": twiml('<Record action="BASE/r" finishOnKey="#" recordingStatusCallback="BASE/recording"/>'),
        "/r": twiml(*(f"<Say>{words}</Say>" for words in ("受理号", "七", "幺；", "三", "已经记下了"))),
    }


async def status_is(page: Page, state: str) -> None:
    await page.wait_for_selector(f'#status[data-state="{state}"]')


def test_a_whole_call_by_mouse_with_a_microphone(tmp_path: Path):
    async def scene() -> None:
        said = speech(3, 0.3)
        (tmp_path / "voice.wav").write_bytes(to_wav(said))
        port, problems = free_port(), list[str]()
        base = f"http://127.0.0.1:{port}"
        async with town(tmp_path / "spool", speed=1.0, origins=frozenset({base})) as t:
            ready(t)
            with served_page(port, t.exchange.port):
                async with browsing(tmp_path / "voice.wav") as page:
                    page.on(
                        "console",
                        lambda m: problems.append(m.text) if m.type in ("error", "warning") else None,
                    )
                    page.on("pageerror", lambda e: problems.append(str(e)))
                    await page.goto(f"{base}/phone?to=%2B8657112345678")
                    await page.click("#call")
                    await status_is(page, "keys")
                    assert await page.inner_text("#captions li") == "clip menu.wav"
                    await asyncio.sleep(1)
                    await page.click("[data-key='1']")
                    await status_is(page, "speech")
                    await asyncio.sleep(4)
                    await page.click("[data-key='#']")
                    await status_is(page, "ended")
                    captions = await page.locator("#captions li").all_inner_texts()
                    assert captions[-3:] == ["受理号", "七幺；三", "已经记下了"]
            assert problems == []
            first = t.web.at("/calls")[0].params
            assert (first["Handset"], first["To"]) == ("browser", "+8657112345678")
            assert t.web.at("/next")[0].params["Digits"] == "1"
            await t.web.until(lambda: bool(t.web.at("/recording")))
            _, wav = await t.recording("GET", t.web.at("/recording")[0].params["RecordingSid"])
            assert likeness(np.frombuffer(decode(wav), "<i2"), np.frombuffer(said, "<i2")) > 0.5

    play(scene)


def likeness(kept: np.ndarray, said: np.ndarray) -> float:
    """How alike the loudness of what was kept and what was said is, 50 ms at a time, at the best offset."""
    step = RATE // 20

    def loudness(sound: np.ndarray) -> np.ndarray:
        whole = sound[: len(sound) // step * step].astype(float).reshape(-1, step)
        return np.sqrt((whole**2).mean(axis=1))

    heard, wanted = loudness(kept), np.tile(loudness(said), 4)
    length = min(len(heard), 40)
    return max(
        float(np.corrcoef(heard[:length], wanted[start : start + length])[0, 1])
        for start in range(len(wanted) - length)
    )


def test_a_call_by_keyboard_alone_and_in_english(tmp_path: Path):
    async def scene() -> None:
        (tmp_path / "voice.wav").write_bytes(to_wav(speech(3)))
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        async with town(tmp_path / "spool", speed=1.0, origins=frozenset({base})) as t:
            ready(t)
            with served_page(port, t.exchange.port):
                async with browsing(tmp_path / "voice.wav") as page:
                    await page.goto(f"{base}/phone")
                    await page.click("#language")
                    assert await page.inner_text("h1") == "Practice telephone"
                    assert await page.get_attribute("html", "lang") == "en"
                    await page.focus("#call")
                    await page.keyboard.press("Enter")
                    await status_is(page, "keys")
                    assert (await page.inner_text("#status")).startswith("Press a key")
                    await page.keyboard.press("2")
                    await status_is(page, "speech")
                    await page.keyboard.press("Escape")
                    await status_is(page, "ended")
            assert t.web.at("/next")[0].params["Digits"] == "2"
            await t.web.until(lambda: bool(t.web.ending("/status")))

    play(scene)


def test_without_a_line_the_page_says_so(tmp_path: Path):
    async def scene() -> None:
        (tmp_path / "voice.wav").write_bytes(to_wav(speech(1)))
        port = free_port()
        with served_page(port, free_port()):
            async with browsing(tmp_path / "voice.wav") as page:
                await page.goto(f"http://127.0.0.1:{port}/phone")
                await page.click("#call")
                await status_is(page, "noLine")
                assert await page.is_enabled("#call")

    play(scene)


async def refuse_the_microphone(page: Page) -> None:
    """As if the person had chosen "block" when the browser asked."""
    session = await page.context.new_cdp_session(page)
    permission = {"permission": {"name": "microphone"}, "setting": "denied"}
    await session.send("Browser.setPermission", permission)


@pytest.mark.parametrize("is_asked", [False, True])
def test_without_a_microphone_one_can_listen_and_press_keys(tmp_path: Path, is_asked: bool):
    async def scene() -> None:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        async with town(tmp_path / "spool", speed=1.0, origins=frozenset({base})) as t:
            ready(t)
            t.web.pages["/next"] = twiml(
                '<Record action="BASE/r" finishOnKey="#" timeout="3"/>', MENU.replace("/next", "/last")
            )
            t.web.pages["/last"] = twiml("<Say>再见</Say>")
            with served_page(port, t.exchange.port):
                async with browsing(None) as page:
                    await page.goto(f"{base}/phone?to=%2B8657112345678")
                    if is_asked:
                        await page.evaluate(
                            "() => { navigator.mediaDevices.getUserMedia = () => new Promise(() => {}); }"
                        )
                    else:
                        await refuse_the_microphone(page)
                    await page.click("#call")
                    if is_asked:  # the question stays on the screen, and the call begins all the same
                        await status_is(page, "asksMicrophone")
                    await status_is(page, "keys")
                    remarks = await page.locator("#captions li.remark").all_inner_texts()
                    assert len(remarks) == (0 if is_asked else 1)
                    assert all("麦克风没有打开，不要紧：照样可以听" in remark for remark in remarks)
                    await page.click("[data-key='1']")
                    await status_is(page, "unheard")
                    assert "请按 # 号，或者等一会儿" in await page.inner_text("#status")
                    await status_is(page, "keys")
                    await page.click("[data-key='2']")
                    await status_is(page, "ended")
            assert t.web.at("/next")[0].params["Digits"] == "1"
            assert t.web.at("/last")[0].params["Digits"] == "2"
            assert not t.web.at("/r")
            assert not t.exchange.desk.spool.sids()

    play(scene)
