"""The rules of SIP by raw packets: repeats, cancelling, holding, refreshing, both sides' goodbyes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.exchange.sip_phone import RawPhone
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.town import CALLER, COMMUNITY, clip, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
WAITS = '<Gather numDigits="1" timeout="20" finishOnKey="" action="BASE/turns/1"></Gather>'


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One town for all scenes."""
    with stage(tmp_path_factory.mktemp("rules")) as here:
        yield here


def test_an_invite_sent_again_is_one_call_before_and_after_its_answer(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw() as phone:
            await phone.invite()
            phone.send(phone.first)
            phone.send(phone.first)
            answer = await phone.answer_to("INVITE")
            await asyncio.sleep(0.1)
            phone.messages.clear()
            phone.send(phone.first)
            again = await phone.answer_to("INVITE")
            assert (again.status, again.headers["to"]) == (200, answer.headers["to"])
            phone.confirm(answer)
            phone.messages.clear()
            await asyncio.sleep(1.2)  # longer than two retransmissions of an answer nobody confirmed
            assert not phone.messages
        assert len(t.web.at("/calls")) == 1

    scenes.play(scene)


def test_an_answer_is_repeated_until_it_is_confirmed(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw() as phone:
            await phone.invite()
            await phone.until(lambda: sum(m.status == 200 for m in phone.messages) >= 3)
            phone.confirm(await phone.answer_to("INVITE"))

    scenes.play(scene)


async def gives_up(phone: RawPhone) -> None:
    """CANCEL as soon as it rings."""
    await phone.invite()
    await phone.until(lambda: any(m.status == 180 for m in phone.messages))
    await asyncio.sleep(0.1)
    phone.send(phone.request("CANCEL", branch=phone.branch))
    assert (await phone.answer_to("CANCEL")).status == 200
    assert (await phone.answer_to("INVITE")).status == 487
    phone.send(phone.request("ACK", branch=phone.branch))


def test_a_call_given_up_while_it_rings(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        t.web.delay_seconds = 0.5
        async with t.raw() as phone:
            await gives_up(phone)
        t.web.delay_seconds = 0.0
        await t.web.until(lambda: bool(t.web.at("/calls/status")))
        assert is_missed(t.web.at("/calls/status")[0].params)
        with t.changed(ring_seconds=1.5):
            t.web.knocks.clear()
            async with t.raw() as missed, t.raw() as patient:
                began = time.monotonic()
                await asyncio.gather(gives_up(missed), patient.call())
                assert time.monotonic() - began > 1.4
                assert is_missed(t.web.at("/calls/status")[0].params)
            assert len(t.web.at("/calls")) == 1  # of the missed call web hears no more

    scenes.play(scene)


def is_missed(told: dict[str, str]) -> bool:
    """What web is told of a call that nobody answered."""
    known = {"CallStatus": "canceled", "From": CALLER, "To": COMMUNITY, "Direction": "inbound"}
    return {name: told[name] for name in known} == known


def test_a_held_call_hears_on_where_it_was(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.sounds["long.wav"] = clip(3)
        t.web.pages["/calls"] = twiml("<Play>BASE/media/long.wav</Play>", "<Hangup/>")

        async def held(direction: str, answered: str) -> None:
            async with t.raw() as phone:
                await phone.call()
                await phone.until(lambda: len(phone.heard) > 8000)
                answer = await phone.reinvite(direction)
                assert answer.status == 200
                assert f"a={answered}" in answer.body
                await asyncio.sleep(0.8)
                assert not phone.is_over
                taken_up = await phone.reinvite("sendrecv")
                assert "a=sendrecv" in taken_up.body
                before = len(phone.heard)
                await phone.until(lambda: phone.is_over)
                assert len(phone.heard) - before > 16000

        await asyncio.gather(held("sendonly", "recvonly"), held("inactive", "inactive"))

    scenes.play(scene)


def test_sessions_are_refreshed_by_their_caller(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages |= {"/calls": twiml(WAITS), "/turns/1": twiml("<Hangup/>")}

        async def refreshed(refresher: str) -> None:
            timer = f"Supported: timer\nSession-Expires: 90;refresher={refresher}\nMin-SE: 90"
            async with t.raw(headers=timer) as phone:
                await phone.invite()
                answer = await phone.answer_to("INVITE")
                assert answer.status == 200
                assert "session-expires" not in answer.headers  # we refresh nothing: the caller has to
                phone.confirm(answer)
                for _ in range(2):
                    assert (await phone.reinvite("sendrecv")).status == 200
                phone.messages.clear()
                assert (await phone.ask("UPDATE", phone.sdp(), "application/sdp")).status == 200
                assert (await phone.ask("OPTIONS")).status == 200
                await phone.press("1")
                await t.web.until(lambda: bool(t.web.at("/turns/1")))

        async def must_be_refreshed_by_us() -> None:
            async with t.raw(headers="Require: timer\nSession-Expires: 90;refresher=uas") as strict:
                await strict.invite()
                assert (await strict.answer_to("INVITE")).status == 420
                strict.send(strict.request("ACK", branch=strict.branch))

        await asyncio.gather(refreshed("uac"), refreshed("uas"), must_be_refreshed_by_us())

    scenes.play(scene)


def test_goodbyes_of_both_sides_said_twice_or_not_heard(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        t.web.pages["/turns/1"] = twiml("<Hangup/>")
        async with t.raw() as phone:
            await phone.call()
            bye = phone.request("BYE", cseq=2)
            phone.send(bye)
            assert (await phone.answer_to("BYE")).status == 200
            phone.messages.clear()
            phone.send(bye)
            assert (await phone.answer_to("BYE")).status in (200, 481)
            phone.is_over = True
        async with t.raw() as deaf:
            await deaf.call()
            deaf.answers_bye = False
            await deaf.press("1")
            await deaf.until(lambda: sum(m.first.startswith("BYE") for m in deaf.messages) >= 2)
        await t.web.until(lambda: len(t.web.ending("/status")) == 2)

    scenes.play(scene)


def test_offers_that_come_late_or_offer_nothing_we_speak(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(WAITS)
        async with t.raw() as late:
            await late.invite(sdp=False)
            offered = await late.answer_to("INVITE")
            assert offered.status == 200
            assert "PCMA" in offered.body
            late.remote_tag = offered.headers["to"].rpartition("tag=")[2]
            late.send(late.request("ACK", late.sdp()))
            await asyncio.sleep(0.2)
        async with t.raw() as wide:
            body = wide.sdp().replace("8 101", "9").replace("8 PCMA/8000", "9 G722/8000")
            wide.branch = "z9hG4bKwide"
            wide.send(wide.request("INVITE", body, branch=wide.branch))
            assert (await wide.answer_to("INVITE")).status == 488
        await _takes_a_call(t)

    scenes.play(scene)


async def _takes_a_call(t: SipTown) -> None:
    """The line still works."""
    count = len(t.web.at("/calls"))
    async with t.raw() as phone:
        assert isinstance(phone, RawPhone)
        await phone.call()
        assert len(t.web.at("/calls")) == count + 1
