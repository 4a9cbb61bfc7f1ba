"""Calls as a whole on the SIP line: people rung, lines busy, limits, deaths of processes, a provider."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.exchange.sip.settings import LineSettings, ProviderAccount
from ivr.exchange.sound import to_wav
from tests.exchange.sip_person import Provider, person
from tests.exchange.sip_town import SipTown, Stage, free_udp_ports, line_process, stage
from tests.exchange.test_sip_line import RECORD, likeness, resemblance, told_of
from tests.exchange.town import TOKEN, free_port, speech, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
WAITS = '<Gather numDigits="1" timeout="20" finishOnKey="" action="BASE/turns/1"></Gather>'
DIALS = '<Dial action="BASE/turns/3" timeout="{}"><Number>{}</Number></Dial>'
FREE = "+8657187654321"
CLERK, RINGS, BUSY, UNKNOWN = "057188880000", "057188880001", "057188880002", "057188880003"
MANNERS = {RINGS: "rings", BUSY: "486 Busy Here", UNKNOWN: "404 Not Found"}
TRUNK_PORT = free_port()
SORRY = speech(1.5, seed=41)
"""What the line says while no exchange is there."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One town for all scenes; people are rung through a trunk on `TRUNK_PORT`."""
    folder = tmp_path_factory.mktemp("calls")
    (folder / "sorry.wav").write_bytes(to_wav(SORRY))
    line = {
        "out": f"127.0.0.1:{TRUNK_PORT}",
        "trunks": ("127.0.0.2",),
        "sentences": {"later": folder / "sorry.wav"},
    }
    with stage(folder, line) as here:
        yield here


def test_a_person_is_rung_and_joined_until_one_hangs_up(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        caller_says, person_says = speech(2.0, seed=11), speech(2.0, seed=12)
        t.web.pages["/calls"] = twiml(DIALS.format(10, CLERK))
        t.web.pages["/turns/3"] = twiml("<Hangup/>")
        async with person("answers", says=person_says, port=TRUNK_PORT) as clerk, t.raw() as phone:
            await phone.call()
            await t.web.until(lambda: len(clerk.heard) >= 1600)
            phone.say(caller_says)
            await asyncio.sleep(2.3)
            await phone.press("7")  # keys between people are theirs
            clerk.hang_up()
            await phone.until(lambda: phone.is_over)
        assert resemblance(person_says[9600:28000], bytes(phone.heard)) > 0.97
        assert resemblance(caller_says[9600:28000], bytes(clerk.heard)) > 0.97
        told = t.web.at("/turns/3")[0].params
        assert told["DialCallStatus"] == "completed"
        assert 2 <= int(told["DialCallDuration"]) <= 5
        assert clerk.requests[0].first.startswith(f"INVITE sip:{CLERK}@")

    scenes.play(scene)


def test_a_person_who_does_not_answer(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        rung = {"+8613900000001": RINGS, "+8613900000002": BUSY, "+8613900000003": UNKNOWN}
        t.web.pages["/calls"] = lambda params: twiml(DIALS.format(2, rung[params["From"]]))
        t.web.pages["/turns/3"] = twiml(RECORD.format('timeout="2" finishOnKey="#"'))
        t.web.pages["/turns/2"] = twiml("<Hangup/>")

        async def call(number: str, status: str) -> None:
            async with t.raw(caller=f"<sip:{number}@127.0.0.1>") as phone:
                await phone.call()
                await t.web.until(lambda: bool(told_of(t, number, "/turns/3")))
                assert told_of(t, number, "/turns/3")[0]["DialCallStatus"] == status
                await asyncio.sleep(0.7)
                await phone.speak(speech(1.0))  # the message box
                await phone.press("#")
                await phone.until(lambda: phone.is_over)
            assert told_of(t, number)[0]["Digits"] == "#"

        async with person(manners=MANNERS, port=TRUNK_PORT) as people:
            await asyncio.gather(
                call("13900000001", "no-answer"), call("13900000002", "busy"), call("13900000003", "failed")
            )
            assert people.came("CANCEL")

    scenes.play(scene)


def test_who_hangs_up_while_a_person_is_rung_is_not_rung_for_any_more(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(DIALS.format(20, RINGS))
        async with person(manners=MANNERS, port=TRUNK_PORT) as people:
            async with t.raw() as phone:
                await phone.call()
                await t.web.until(lambda: bool(people.requests))
                await asyncio.sleep(0.3)
                await phone.hang_up()
            await t.web.until(lambda: people.came("CANCEL"))

    scenes.play(scene)


def test_when_all_lines_are_busy_the_number_is_kept_for_calling_back(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)

        async def turned_away(caller: str) -> None:
            async with t.raw(caller=caller) as phone:
                await phone.call()
                await phone.until(lambda: phone.is_over, 15)
                assert len(phone.heard) > 3200  # the sentence

        with t.changed(max_calls=1):
            async with t.raw() as first:
                await first.call()
                await asyncio.gather(
                    turned_away("<sip:13900000002@127.0.0.1>"),
                    turned_away("<sip:anonymous@anonymous.invalid>"),
                )
                assert not first.is_over
                await t.web.until(lambda: bool(t.web.ending("/status")))
        away = t.web.at("/calls")[1]
        assert away.params["From"] == "+8613900000002"
        (ended,) = [k for k in t.web.ending("/status") if k.params["CallStatus"] == "busy"]
        assert ended.path == f"/calls/{away.params['CallSid']}/status"
        assert len(t.web.at("/calls")) == 2  # nobody can call back who withholds the number

    scenes.play(scene)


def test_one_address_may_call_so_often_and_no_more(scenes: Stage, tmp_path: Path) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml("<Reject/>")
        async with t.another_line(tmp_path, most_calls_a_minute=3) as strict:
            statuses = []
            for number, host in enumerate(["127.0.0.1"] * 5 + ["127.0.0.2"]):
                async with strict.raw(host=host, via=f"192.0.2.{number}") as phone:  # Via may lie
                    await phone.invite()
                    statuses.append((await phone.answer_to("INVITE")).status)
                    phone.send(phone.request("ACK", branch=phone.branch))
        assert len(t.web.at("/calls")) == 4
        assert statuses[3:5] == [486, 486]

    scenes.play(scene)


def test_a_call_without_sound_is_over(scenes: Stage, tmp_path: Path) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.another_line(tmp_path, dead_seconds=1) as quick, quick.raw() as phone:
            await phone.call()
            await asyncio.sleep(0.3)
            phone._media = None  # its network is gone
            await phone.until(lambda: phone.is_over, 12)
            await t.web.until(lambda: bool(t.web.ending("/status")))

    scenes.play(scene)


def test_the_longest_call_is_warned_of_and_ends(scenes: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ivr.exchange.call.WARN_SECONDS", 1.5)

    async def scene(t: SipTown) -> None:
        say = "<Say>第{}句</Say><Redirect>BASE/calls</Redirect>"
        numbers = iter(range(100))
        t.web.pages["/calls"] = lambda params: twiml(say.format(next(numbers)))
        sentences = t.exchange.desk.sentences
        warning = (await sentences.clip("soon_over")).pcm
        with t.changed(max_call_seconds=3.0):
            async with t.raw() as phone:
                began = time.monotonic()
                await phone.call()
                await phone.until(lambda: phone.is_over, 15)
                assert 2.9 < time.monotonic() - began < 7
                assert likeness(warning, bytes(phone.heard)) > 0.9

    scenes.play(scene)


def test_a_killed_line_ends_its_calls_kindly_and_comes_back(scenes: Stage, tmp_path: Path) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(RECORD.format('timeout="5" finishOnKey="#"'))
        t.web.pages["/turns/2"] = twiml("<Hangup/>")
        said = speech(1.6, seed=21)
        async with t.another_line(tmp_path) as mortal:
            async with mortal.raw() as phone:
                await phone.call()
                await asyncio.sleep(0.8)
                await phone.speak(said)
                await asyncio.sleep(0.2)
                os.kill(mortal.process.pid, signal.SIGKILL)
                phone.is_over = True
            await t.web.until(lambda: bool(t.web.at("/turns/2")))
            told = t.web.at("/turns/2")[0].params
            assert told["Digits"] == "hangup"
            _, wav = await t.recording("GET", told["RecordingSid"])
            assert resemblance(said[:20000], wav[44:]) > 0.99
            await t.web.until(lambda: bool(t.web.ending("/status")))
            async with line_process(mortal.settings, tmp_path / "line.log"):
                await t.web.until(lambda: t.exchange._board.count == 2, 20)
                async with mortal.raw() as again:
                    await again.call()

    scenes.play(scene)


def test_a_line_whose_exchange_is_gone_says_so_and_tells_later_who_called(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw() as phone, t.raw(caller="<sip:13900000002@127.0.0.1>") as other:
            await phone.call()
            await asyncio.sleep(0.2)
            t.exchange.desk.unanswered.numbers = frozenset({FREE})
            t.exchange._board.tell_unanswered()
            await t.exchange._board.stop()
            await phone.until(lambda: phone.is_over)
            async with t.raw(number="057187654321", caller="<sip:13900000003@127.0.0.1>") as free:
                await free.invite()
                assert (await free.answer_to("INVITE")).status == 486  # it costs nothing
                free.send(free.request("ACK", branch=free.branch))
            await other.call()
            await other.until(lambda: other.is_over, 20)
            assert resemblance(SORRY, bytes(other.heard)) > 0.97
        await t.web.until(lambda: bool(t.web.at("/calls/status")), 10)
        t.exchange.desk.unanswered.numbers = frozenset()
        await t.web.until(lambda: len(t.web.at("/calls/status")) == 2, 10)
        told = {knock.params["From"]: knock.params for knock in t.web.at("/calls/status")}
        assert told.keys() == {"+8613900000002", "+8613900000003"}
        assert {one["CallStatus"] for one in told.values()} == {"canceled"}
        assert all(one["CalledAt"] for one in told.values())
        await t.web.until(lambda: t.exchange._board.count == 1, 10)
        async with t.raw() as phone:
            await phone.call()

    scenes.play(scene)


def test_the_line_registers_with_its_password_and_takes_the_providers_calls(
    scenes: Stage, tmp_path: Path
) -> None:
    async def scene(t: SipTown) -> None:
        provider = Provider("057112345678", "s3cret; word")
        await provider.open()
        account = ProviderAccount("057112345678", f"127.0.0.1:{provider.port}", "s3cret; word")
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.another_line(tmp_path, account=account, number="+8657112345678") as line:
            await t.web.until(lambda: bool(provider.registered), 10)
            assert provider.refused == 1
            async with line.raw(number="057112345678") as phone:
                await phone.call()
        assert t.web.at("/calls")[0].params["To"] == "+8657112345678"
        provider.sip.close()

    scenes.play(scene)


def test_the_other_jitter_buffers_carry_sound_and_keys(scenes: Stage, tmp_path: Path) -> None:
    async def scene(t: SipTown) -> None:
        keys = '<Gather numDigits="3" timeout="5" finishOnKey="" action="BASE/turns/1"/>'
        t.web.pages["/calls"] = twiml(keys)
        t.web.pages["/turns/1"] = twiml(RECORD.format('timeout="2" finishOnKey="#"'))
        t.web.pages["/turns/2"] = twiml("<Hangup/>")
        said = speech(1.6, seed=31)

        async def call(line: SipTown, number: str) -> None:
            async with line.raw(caller=f"<sip:{number}@127.0.0.1>") as phone:
                await phone.call()
                await phone.press("472", apart=0.15)
                await asyncio.sleep(0.8)
                await phone.speak(said)
                await phone.press("#")
                await phone.until(lambda: phone.is_over)
            assert told_of(t, number, "/turns/1")[0]["Digits"] == "472"
            _, wav = await t.recording("GET", told_of(t, number)[0]["RecordingSid"])
            assert resemblance(said[:20000], wav[44:]) > 0.97

        async with (
            t.another_line(tmp_path, jitter="adaptive") as one,
            t.another_line(tmp_path, jitter="off") as other,
        ):
            await asyncio.gather(call(one, "13900000001"), call(other, "13900000002"))

    scenes.play(scene)


def test_a_port_that_is_taken_is_said(scenes: Stage, tmp_path: Path) -> None:
    async def scene(t: SipTown) -> None:
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

    scenes.play(scene)
