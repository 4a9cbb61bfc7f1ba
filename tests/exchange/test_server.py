"""The exchange's doors: who may call, what a phone may send, and that stopping loses nobody's words."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from itsdangerous import URLSafeTimedSerializer

from ivr.exchange import tickets
from ivr.exchange.errors import ExchangeError
from ivr.exchange.server import Exchange
from ivr.exchange.sound import to_wav
from ivr.exchange.terminal import TerminalPhone
from ivr.exchange.tickets import make_ticket, read_ticket
from tests.exchange.town import (
    CALLER,
    COMMUNITY,
    TOKEN,
    Town,
    clip,
    free_port,
    play,
    quick_settings,
    speech,
    town,
    twiml,
    web_side,
)

MENU = '<Gather numDigits="1" finishOnKey="" action="BASE/next"><Say>请按键</Say></Gather>'


async def knock(t: Town, ticket: str, origin: str | None) -> int:
    """Try to open a WebSocket; the HTTP status, 101 when it opens."""
    url = f"ws://127.0.0.1:{t.exchange.port}/phone/ws"
    headers = {"Origin": origin} if origin else {}
    async with aiohttp.ClientSession() as session:
        try:
            async with session.ws_connect(url, params={"ticket": ticket}, headers=headers):
                return 101
        except aiohttp.WSServerHandshakeError as error:
            return error.status


def test_only_a_ticket_from_an_allowed_page_opens_the_line(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ours, theirs = "http://127.0.0.1:8000", "https://elsewhere.example"
            browser, terminal = make_ticket(TOKEN, "browser"), make_ticket(TOKEN, "terminal")
            assert await knock(t, browser, ours) == 101
            assert await knock(t, browser, theirs) == 403
            assert await knock(t, browser, None) == 403
            assert await knock(t, terminal, None) == 101
            assert await knock(t, terminal, theirs) == 403
            assert await knock(t, "", ours) == 401
            assert await knock(t, make_ticket("another token"), ours) == 401
            forged = URLSafeTimedSerializer(TOKEN, salt="phone").dumps({"handset": "fax"})
            assert await knock(t, forged, None) == 401

    play(scene)


def test_a_ticket_grows_old(monkeypatch: pytest.MonkeyPatch):
    assert read_ticket(TOKEN, make_ticket(TOKEN, "browser")) == "browser"
    monkeypatch.setattr(tickets, "MAX_AGE_SECONDS", -1)
    assert read_ticket(TOKEN, make_ticket(TOKEN, "browser")) is None
    with pytest.raises(ValueError, match="no phone of the kind"):
        make_ticket(TOKEN, "fax")


def test_nonsense_from_a_phone_harms_nobody(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages |= {"/calls": twiml(MENU), "/next": twiml("<Hangup/>")}
            url = f"ws://127.0.0.1:{t.exchange.port}/phone/ws"
            async with aiohttp.ClientSession() as session:
                ticket = {"ticket": make_ticket(TOKEN, "terminal")}
                async with session.ws_connect(url, params=ticket) as socket:
                    for text in ("{", "[]", '{"type":"key","key":"1"}', '{"type":"dance"}'):
                        await socket.send_str(text)
                    await socket.send_bytes(b"\x01")
                    call = {"type": "call", "from": "<b>+86 139\r\n0000", "to": ["x", "+8657112345678" * 9]}
                    await socket.send_str(json.dumps(call))
                    await t.web.until(lambda: bool(t.web.at("/calls")))
                    for key in ("A", "12", None, {"a": 1}, "5"):
                        await socket.send_str(json.dumps({"type": "key", "key": key}))
                    await t.web.until(lambda: bool(t.web.at("/next")))
            assert t.web.at("/calls")[0].params["From"] == "+861390000"
            assert len(t.web.at("/calls")[0].params["To"]) <= 20
            assert t.web.at("/next")[0].params["Digits"] == "5"

    play(scene)


def test_a_line_that_breaks_is_a_hang_up(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(
                '<Record action="BASE/r" recordingStatusCallback="BASE/recording"/>'
            )
            t.web.pages["/r"] = twiml("<Hangup/>")
            phone = t.phone()
            await phone.__aenter__()
            await phone.wait_for_speech()
            await phone.speak(speech(2))
            await asyncio.sleep(0.05)
            await phone.__aexit__(None, None, None)
            await t.web.until(lambda: bool(t.web.at("/r")) and bool(t.web.ending("/status")))
            assert t.web.at("/r")[0].params["Digits"] == "hangup"

    play(scene)


def test_stopping_keeps_what_is_being_said(tmp_path: Path):
    async def scene() -> None:
        async with web_side() as side:
            side.pages["/calls"] = twiml('<Record action="BASE/r" recordingStatusCallback="BASE/recording"/>')
            side.pages["/r"] = twiml("<Hangup/>")
            exchange = Exchange(quick_settings(tmp_path, side.base))
            await exchange.start()
            async with Town(side, exchange).phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(2))
                await asyncio.sleep(0.05)
                await exchange.stop()
                assert await phone.wait_for_end() in ("stopped", "closed")
            assert side.at("/r")[0].params["RecordingDuration"] == "2"

    play(scene)


def test_twenty_calls_at_once_hear_all_of_their_prompt(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=1.0) as t:
            t.web.sounds["a.wav"] = clip(1.5)
            t.web.pages["/calls"] = twiml("<Play>BASE/media/a.wav</Play>")

            async def call() -> int:
                async with t.phone() as phone:
                    await phone.wait_for_end()
                    return len(phone.audio)

            assert set(await asyncio.gather(*(call() for _ in range(20)))) == {12000 * 2}
            await t.web.until(lambda: len(t.web.ending("/status")) == 20)

    play(scene)


def test_the_terminal_phone_shows_captions_and_sends_what_is_typed_and_spoken(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(MENU)
            t.web.pages["/next"] = twiml('<Record finishOnKey="#" timeout="2" action="BASE/r"/>')
            t.web.pages["/r"] = twiml("<Say>七</Say><Say>幺；</Say><Say>三</Say><Say>再见</Say>")
            voice = tmp_path / "voice.wav"
            voice.write_bytes(to_wav(speech(2)))
            keyboard_read, keyboard_write = os.pipe()
            shown: list[str] = []
            url = f"ws://127.0.0.1:{t.exchange.port}/phone/ws"
            phone = TerminalPhone(
                url, make_ticket(TOKEN, "terminal"), CALLER, COMMUNITY, voice, shown.append, keyboard_read
            )
            os.write(keyboard_write, b"x1")
            assert await asyncio.wait_for(phone.run(), 20) == "completed"
            assert t.web.at("/next")[0].params["Digits"] == "1"
            assert int(t.web.at("/r")[0].params["RecordingDuration"]) == 2
            assert "\n☎ 七幺；三\n☎ 再见\n" in "".join(shown)

    play(scene)


def test_a_phone_is_told_when_it_may_not_call(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            phone = t.phone()
            phone._ticket = "worthless"
            with pytest.raises(ExchangeError, match="does not take this call"):
                await phone.__aenter__()

    play(scene)


def test_no_call_begins_while_what_an_earlier_life_left_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def scene() -> None:
        may_end, port = threading.Event(), free_port()
        monkeypatch.setattr("ivr.exchange.spool.Spool.recover", lambda spool: [may_end.wait(5)][:0])
        async with web_side() as side:
            exchange = Exchange(replace(quick_settings(tmp_path, side.base), port=port))
            starting = asyncio.create_task(exchange.start())
            try:
                await asyncio.sleep(0.3)
                with pytest.raises(OSError):
                    await asyncio.open_connection("127.0.0.1", port)
                may_end.set()
                await starting
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
            finally:
                may_end.set()
                await exchange.stop()

    play(scene)


def test_a_receiver_left_off_the_hook_does_not_delay_the_stop(tmp_path: Path):
    async def scene() -> None:
        async with web_side() as side:
            exchange = Exchange(quick_settings(tmp_path, side.base))
            await exchange.start()
            url = f"ws://127.0.0.1:{exchange.port}/phone/ws"
            async with aiohttp.ClientSession() as session:
                ticket = {"ticket": make_ticket(TOKEN, "terminal")}
                async with session.ws_connect(url, params=ticket) as socket:
                    began = time.monotonic()
                    stopping = asyncio.create_task(exchange.stop())
                    assert (await socket.receive_json())["reason"] == "stopped"
                    await socket.close()
                    await stopping
                    assert time.monotonic() - began < 4

    play(scene)


def test_a_port_that_is_taken_is_an_error_at_once(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path / "one") as t:
            second = Exchange(replace(quick_settings(tmp_path / "two", t.web.base), port=t.exchange.port))
            with pytest.raises(OSError):
                await second.start()
            await second.stop()

    play(scene)


def test_keys_without_number_do_not_pile_up(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=1.0) as t:
            t.web.sounds["long.wav"] = clip(20)
            t.web.pages["/calls"] = twiml("<Play>BASE/media/long.wav</Play>")
            async with t.phone() as phone:
                await phone.wait_for_caption("long.wav")
                for _ in range(5000):
                    await phone.press("7", is_double_tap=True)
                await phone.press("8", is_double_tap=True)
                (handset,) = t.exchange._lines
                await asyncio.sleep(0.5)
                assert len(handset._keys) == 64

    play(scene)
