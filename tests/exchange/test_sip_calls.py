"""Calls as a whole on the SIP line: people rung, lines busy, limits, deaths of processes, a provider."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from ivr.exchange.sip.settings import LineSettings, ProviderAccount
from tests.exchange.sip_person import Provider, person
from tests.exchange.sip_town import free_udp_ports, line_process, sip_town
from tests.exchange.test_sip_line import RECORD, resemblance
from tests.exchange.town import TOKEN, play, speech, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
WAITS = '<Gather numDigits="1" timeout="20" finishOnKey="" action="BASE/turns/1"></Gather>'
DIALS = '<Dial action="BASE/turns/3" timeout="{}"><Number>057188880000</Number></Dial>'


def test_a_person_is_rung_and_joined_until_one_hangs_up(tmp_path: Path) -> None:
    async def scene() -> None:
        caller_says, person_says = speech(2.5, seed=11), speech(2.5, seed=12)
        async with (
            person("answers", says=person_says) as clerk,
            sip_town(tmp_path, line={"out": f"127.0.0.1:{clerk.port}"}) as t,
        ):
            t.web.pages["/calls"] = twiml(DIALS.format(10))
            t.web.pages["/turns/3"] = twiml("<Hangup/>")
            async with t.raw() as phone:
                await phone.call()
                await clerk_hears(clerk.heard, 1600)
                phone.say(caller_says)
                await asyncio.sleep(2.8)
                await phone.press("7")  # keys between people are theirs
                clerk.hang_up()
                await phone.until(lambda: phone.is_over)
                assert resemblance(person_says[9600:32000], bytes(phone.heard)) > 0.97
                assert resemblance(caller_says[9600:32000], bytes(clerk.heard)) > 0.97
            told = t.web.at("/turns/3")[0].params
            assert told["DialCallStatus"] == "completed"
            assert 2 <= int(told["DialCallDuration"]) <= 5
            assert clerk.requests[0].first.startswith("INVITE sip:057188880000@")

    play(scene)


async def clerk_hears(heard: bytearray, least: int) -> None:
    async with asyncio.timeout(8):
        while len(heard) < least:
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("manner", "status"), [("rings", "no-answer"), ("486 Busy Here", "busy"), ("404 Not Found", "failed")]
)
def test_a_person_who_does_not_answer(tmp_path: Path, manner: str, status: str) -> None:
    async def scene() -> None:
        async with (
            person(manner) as clerk,
            sip_town(tmp_path, line={"out": f"127.0.0.1:{clerk.port}"}) as t,
        ):
            t.web.pages["/calls"] = twiml(DIALS.format(2))
            t.web.pages["/turns/3"] = twiml(RECORD.format('timeout="2" finishOnKey="#"'))
            t.web.pages["/turns/2"] = twiml("<Hangup/>")
            async with t.raw() as phone:
                await phone.call()
                await t.web.until(lambda: bool(t.web.at("/turns/3")))
                assert t.web.at("/turns/3")[0].params["DialCallStatus"] == status
                await asyncio.sleep(0.7)
                await phone.speak(speech(1.0))  # the message box
                await phone.press("#")
                await phone.until(lambda: phone.is_over)
            assert t.web.at("/turns/2")[0].params["Digits"] == "#"
            if manner == "rings":
                assert any(m.first.startswith("CANCEL") for m in clerk.requests)

    play(scene)


def test_who_hangs_up_while_a_person_is_rung_is_not_rung_for_any_more(tmp_path: Path) -> None:
    async def scene() -> None:
        async with person("rings") as clerk, sip_town(tmp_path, line={"out": f"127.0.0.1:{clerk.port}"}) as t:
            t.web.pages["/calls"] = twiml(DIALS.format(20))
            async with t.raw() as phone:
                await phone.call()
                await t.web.until(lambda: bool(clerk.requests))
                await asyncio.sleep(0.3)
                await phone.hang_up()
            await t.web.until(lambda: any(m.first.startswith("CANCEL") for m in clerk.requests))

    play(scene)


def test_when_all_lines_are_busy_the_number_is_kept_for_calling_back(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path, max_calls=1) as t:
            t.web.pages["/calls"] = twiml(WAITS)
            async with t.raw() as first:
                await first.call()
                async with t.raw(caller="<sip:13900000002@127.0.0.1>") as second:
                    await second.call()
                    await second.until(lambda: second.is_over)
                    assert len(second.heard) > 3200  # the sentence
                async with t.raw(caller="<sip:anonymous@anonymous.invalid>") as hidden:
                    await hidden.call()
                    await hidden.until(lambda: hidden.is_over)
                assert not first.is_over
                await t.web.until(lambda: bool(t.web.ending("/status")))
            turned_away = t.web.at("/calls")[1]
            assert turned_away.params["From"] == "+8613900000002"
            (ended,) = [k for k in t.web.ending("/status") if k.params["CallStatus"] == "busy"]
            assert ended.path == f"/calls/{turned_away.params['CallSid']}/status"
            assert len(t.web.at("/calls")) == 2  # nobody can call back who withholds the number

    play(scene)


def test_one_address_may_call_so_often_and_no_more(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path, line={"most_calls_a_minute": 3, "trunks": ("127.0.0.2",)}) as t:
            t.web.pages["/calls"] = twiml("<Reject/>")
            statuses = []
            for host in ["127.0.0.1"] * 5 + ["127.0.0.2"]:
                async with t.raw(host=host) as phone:
                    await phone.invite()
                    statuses.append((await phone.answer_to("INVITE")).status)
                    phone.send(phone.request("ACK", branch=phone.branch))
            assert len(t.web.at("/calls")) == 4
            assert statuses[3:5] == [486, 486]

    play(scene)


def test_a_call_without_sound_is_over(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path, line={"dead_seconds": 2}) as t:
            t.web.pages["/calls"] = twiml(WAITS)
            async with t.raw() as phone:
                await phone.call()
                await asyncio.sleep(0.3)
                phone._media = None  # its network is gone
                await phone.until(lambda: phone.is_over, 12)
            await t.web.until(lambda: bool(t.web.ending("/status")))

    play(scene)


def test_the_longest_call_is_warned_of_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.exchange.call.WARN_SECONDS", 2.0)

    async def scene() -> None:
        said: list[str] = []

        def speaker(words: str, language: str) -> bytes:
            said.append(words)
            return speech(0.4)

        async with sip_town(tmp_path, max_call_seconds=4.0, speaker=speaker) as t:
            await t.web.until(lambda: len(said) > 8)  # the sentences are rehearsed
            say = "<Say>第{}句</Say><Redirect>BASE/calls</Redirect>"
            numbers = iter(range(100))
            t.web.pages["/calls"] = lambda params: twiml(say.format(next(numbers)))
            async with t.raw() as phone:
                began = time.monotonic()
                await phone.call()
                await phone.until(lambda: phone.is_over, 15)
                assert 3.9 < time.monotonic() - began < 8
            sentences = t.exchange.desk.sentences
            assert ("提醒您一下，这次通话快到时间了。", "zh") in sentences._said

    play(scene)


def test_a_killed_line_ends_its_calls_kindly_and_comes_back(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(RECORD.format('timeout="5" finishOnKey="#"'))
            t.web.pages["/turns/2"] = twiml("<Hangup/>")
            said = speech(2.0, seed=21)
            async with t.raw() as phone:
                await phone.call()
                await asyncio.sleep(0.8)
                await phone.speak(said)
                await asyncio.sleep(0.2)
                os.kill(t.process.pid, signal.SIGKILL)
                phone.is_over = True
            await t.web.until(lambda: bool(t.web.at("/turns/2")))
            told = t.web.at("/turns/2")[0].params
            assert told["Digits"] == "hangup"
            _, wav = await t.recording("GET", told["RecordingSid"])
            assert resemblance(said[:24000], wav[44:]) > 0.99
            await t.web.until(lambda: bool(t.web.ending("/status")))
            async with line_process(t.settings, tmp_path / "line.log"):
                await t.web.until(lambda: t.exchange._board.count == 1, 20)
                async with t.raw() as again:
                    await again.call()

    play(scene)


def test_a_line_whose_exchange_is_gone_hangs_up_and_plugs_in_again(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(WAITS)
            async with t.raw() as phone:
                await phone.call()
                await t.exchange._board.stop()
                await phone.until(lambda: phone.is_over)
            await t.web.until(lambda: t.exchange._board.count == 1, 10)
            async with t.raw() as phone:
                await phone.call()

    play(scene)


def test_the_line_registers_with_its_password_and_takes_the_providers_calls(tmp_path: Path) -> None:
    async def scene() -> None:
        provider = Provider("057112345678", "s3cret; word")
        await provider.open()
        account = ProviderAccount("057112345678", f"127.0.0.1:{provider.port}", "s3cret; word")
        async with sip_town(tmp_path, line={"account": account, "number": "+8657112345678"}) as t:
            await t.web.until(lambda: bool(provider.registered), 10)
            assert provider.refused == 1
            t.web.pages["/calls"] = twiml(WAITS)
            async with t.raw(number="057112345678") as phone:
                await phone.call()
            assert t.web.at("/calls")[0].params["To"] == "+8657112345678"
        provider.sip.close()

    play(scene)


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    async def scene() -> None:
        async with sip_town(tmp_path) as t:
            log = tmp_path / "second.log"
            settings = LineSettings(
                exchange=t.settings.exchange, token=TOKEN, port=t.settings.port, rtp_ports=free_udp_ports()
            )
            async with line_process(settings, log) as second:
                async with asyncio.timeout(20):
                    assert await second.wait() != 0
            assert "cannot listen" in log.read_text("utf-8") or "does not start" in log.read_text("utf-8")
            async with t.raw() as phone:
                t.web.pages["/calls"] = twiml(WAITS)
                await phone.call()

    play(scene)
