"""Calls we place, ordered by Twilio's own library at our own exchange; telephones are called and answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from twilio.rest.api.v2010.account.call import CallInstance

from ivr.exchange.sentences import espeak
from ivr.exchange.sound import silence, tone
from tests.exchange.sip_person import Person, person
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.test_sip_line import RECORD, resemblance
from tests.exchange.town import TOKEN, clip, free_port, speech, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
US, THEM = "+8657112345678", "+8613900000001"
TRUNK_PORT = free_port()
EVENTS = ["initiated", "ringing", "answered", "completed"]


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One town for all scenes; numbers are called through a trunk on `TRUNK_PORT`."""
    line = {"out": f"127.0.0.1:{TRUNK_PORT}", "most_calls": 40}
    with stage(tmp_path_factory.mktemp("placed"), line, max_calls=12, max_placed=8) as here:
        yield here


class Ours(TwilioHttpClient):
    """Twilio's client, knocking at our exchange instead."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._base = f"http://127.0.0.1:{port}"

    def request(self, method: str, url: str, *more: Any, **options: Any) -> Any:  # type: ignore[override]
        """Another host, the same path."""
        return super().request(method, url.replace("https://api.twilio.com", self._base), *more, **options)


class Orders:
    """Orders calls as web does."""

    def __init__(self, t: SipTown, token: str = TOKEN) -> None:
        self._web = t.web
        self._client = Client("TJexchange", token, http_client=Ours(t.exchange.port))

    async def place(self, to: str, name: str, **more: Any) -> CallInstance:
        """One call whose dialogue is at `/placed/<name>`."""
        told: dict[str, Any] = {
            "url": f"{self._web.base}/placed/{name}",
            "status_callback": f"{self._web.base}/placed/{name}/status",
            "status_callback_event": EVENTS,
        }
        return await asyncio.to_thread(self._client.calls.create, to=to, from_=US, **(told | more))

    async def of(self, sid: str) -> CallInstance:
        """How a call stands."""
        return await asyncio.to_thread(self._client.calls(sid).fetch)

    async def end(self, sid: str, status: str) -> CallInstance:
        """Give it up."""
        return await asyncio.to_thread(self._client.calls(sid).update, status=status)


def statuses(t: SipTown, name: str) -> list[str]:
    """What web was told of a call, in order."""
    return [knock.params["CallStatus"] for knock in t.web.at(f"/placed/{name}/status")]


async def until_told(t: SipTown, name: str, status: str, seconds: float = 15) -> None:
    await t.web.until(lambda: status in statuses(t, name), seconds)


def test_a_call_is_placed_speaks_listens_and_is_told_of(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        said = silence(0.3) + espeak("喂", "zh") + silence(3.4)
        answer = speech(1.5, seed=5)
        trunk = Person("answers", said + answer, after=0.3)
        await trunk.open(TRUNK_PORT)
        t.web.sounds["voice.wav"] = clip(20)
        t.web.pages["/placed/talk"] = twiml(
            '<Gather numDigits="1" timeout="5" finishOnKey="" action="BASE/turns/1">'
            "<Play>BASE/media/voice.wav</Play></Gather>"
        )
        t.web.pages["/turns/1"] = twiml(RECORD.format('timeout="2" finishOnKey="#" maxLength="9"'))
        t.web.pages["/turns/2"] = twiml("<Hangup/>")
        orders = Orders(t)
        placed = await orders.place(THEM, "talk", machine_detection="Enable")
        assert (placed.status, placed.to, placed._from) == ("queued", THEM, US)
        assert (placed.direction, placed.sid[:2], placed.date_created is not None) == (
            "outbound-api",
            "CA",
            True,
        )
        await t.web.until(lambda: bool(t.web.at("/placed/talk")))
        assert (await orders.of(str(placed.sid))).status == "in-progress"
        await asyncio.sleep(0.5)
        trunk.press("5")  # the long prompt stops, and the beep comes
        await t.web.until(lambda: bool(t.web.at("/turns/2")), 20)
        await until_told(t, "talk", "completed")
        trunk.close()

        invite = trunk.invite
        assert invite.first.startswith("INVITE sip:13900000001@")
        assert f"sip:{US}@" in invite.headers["p-asserted-identity"]
        first = t.web.at("/placed/talk")[0].params
        known = {"From": US, "To": THEM, "Direction": "outbound-api", "CallStatus": "in-progress"}
        assert {name: first[name] for name in known} == known
        assert (first["CallSid"], first["AnsweredBy"]) == (placed.sid, "human")
        assert t.web.at("/turns/1")[0].params["Digits"] == "5"
        recorded = t.web.at("/turns/2")[0].params
        _, wav = await t.recording("GET", recorded["RecordingSid"])
        assert resemblance(answer[4000:], wav[44:]) > 0.97
        assert statuses(t, "talk") == ["initiated", "ringing", "in-progress", "completed"]
        told = [knock.params for knock in t.web.at("/placed/talk/status")]
        assert [one["SequenceNumber"] for one in told] == ["0", "1", "2", "3"]
        assert (told[3]["AnsweredBy"], int(told[3]["CallDuration"]) >= 3) == ("human", True)
        over = await orders.of(str(placed.sid))
        assert (over.status, over.answered_by, over.duration) == (
            "completed",
            "human",
            told[3]["CallDuration"],
        )
        assert t.web.forged == 0

    scenes.play(scene)


def test_calls_that_lead_to_nobody(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        orders = Orders(t)

        async def ends(manner: str, status: str) -> None:
            async with person(manner) as one:
                placed = await orders.place(one.address, status, timeout=1)
                await until_told(t, status, status)
                rang = ["initiated", "ringing"]
                assert statuses(t, status) == [*rang, status]
                assert (await orders.of(str(placed.sid))).status == status
                if status == "no-answer":
                    await t.web.until(lambda: one.came("CANCEL"))

        async def canceled() -> None:
            async with person("rings") as one:
                placed = await orders.place(one.address, "canceled", status_callback_event=["completed"])
                await t.web.until(lambda: one.came("INVITE"))
                await orders.end(str(placed.sid), "canceled")
                await until_told(t, "canceled", "canceled")
                assert statuses(t, "canceled") == ["canceled"]
                await t.web.until(lambda: one.came("CANCEL"))
                with pytest.raises(TwilioRestException) as refused:
                    await orders.end(str(placed.sid), "completed")
                assert refused.value.code == 21220

        async def unreachable() -> None:
            await orders.place("sip:nobody@192.0.2.55", "outside")
            await until_told(t, "outside", "failed")
            assert statuses(t, "outside") == ["initiated", "failed"]

        await asyncio.gather(
            ends("486 Busy Here", "busy"),
            ends("404 Not Found", "failed"),
            ends("rings", "no-answer"),
            canceled(),
            unreachable(),
        )
        assert not [knock for knock in t.web.knocks if not knock.path.endswith("/status")]

    scenes.play(scene)


def test_who_has_answered_is_told_and_who_hangs_up_is_let_go(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        orders = Orders(t)
        announcement = silence(0.2) + espeak("您好，您拨打的用户正忙，请稍后再拨。", "zh")
        ringing = tone(450, 1.0, 0.15) + silence(1.5) + espeak("喂", "zh")

        async def answered(name: str, says: bytes, by: str) -> None:
            t.web.pages[f"/placed/{name}"] = twiml("<Hangup/>")
            async with person("answers", says) as one:
                await orders.place(one.address, name, machine_detection="Enable")
                await until_told(t, name, "completed")
                assert t.web.at(f"/placed/{name}")[0].params["AnsweredBy"] == by
                assert t.web.at(f"/placed/{name}/status")[-1].params["AnsweredBy"] == by
                await t.web.until(lambda: one.came("BYE"))

        async def hangs_up_at_once() -> None:
            async with person("answers") as one:
                await orders.place(one.address, "gone", machine_detection="Enable")
                await until_told(t, "gone", "in-progress")
                one.hang_up()
                await until_told(t, "gone", "completed")
                assert not t.web.at("/placed/gone")

        await asyncio.gather(
            answered("announcement", announcement, "machine_start"),
            answered("fax", silence(0.5) + tone(2100, 3.0), "fax"),
            answered("rings", ringing, "human"),
            answered("silent", b"", "unknown"),
            hangs_up_at_once(),
        )

    scenes.play(scene)


def test_a_placed_call_has_its_limits_and_web_may_be_away(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        orders = Orders(t)
        t.web.sounds["long.wav"] = clip(20)
        t.web.pages["/placed/long"] = twiml("<Play>BASE/media/long.wav</Play>")

        async def is_too_long() -> None:
            async with person("answers") as one:
                await orders.place(one.address, "long", time_limit=1)
                await until_told(t, "long", "completed")
                assert int(t.web.at("/placed/long/status")[-1].params["CallDuration"]) <= 4
                await t.web.until(lambda: one.came("BYE"))

        async def knows_no_dialogue() -> None:
            async with person("answers") as one:
                await orders.place(one.address, "nowhere")  # web answers 404
                await until_told(t, "nowhere", "completed")
                await t.web.until(lambda: one.came("BYE"))
                assert resemblance(t.exchange.desk.sentences._said[AGAIN, "zh"], bytes(one.heard)) > 0.97

        await asyncio.gather(is_too_long(), knows_no_dialogue())

    scenes.play(scene)


AGAIN = "您好，对不起，我们这边出了点小问题，过一会儿再给您打过来，谢谢您。"


def test_a_loudspeaker_is_paged_with_its_headers(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.sounds["news.wav"] = clip(1.5, 700)
        t.web.pages["/placed/page"] = twiml("<Play>BASE/media/news.wav</Play>")
        async with person("answers") as speaker:
            to = f"{speaker.address}?Call-Info=%3Csip%3A127.0.0.1%3E%3Banswer-after%3D0&Alert-Info=auto"
            await Orders(t).place(to, "page")
            await until_told(t, "page", "completed")
            assert speaker.invite.headers["call-info"] == "<sip:127.0.0.1>;answer-after=0"
            assert speaker.invite.headers["alert-info"] == "auto"
            assert resemblance(tone(700, 1.5)[4000:16000], bytes(speaker.heard)) > 0.97

    scenes.play(scene)


def test_orders_that_are_not_taken(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        async def code(orders: Orders, to: str = THEM, **more: Any) -> tuple[int, int]:
            with pytest.raises(TwilioRestException) as refused:
                await orders.place(to, "refused", **more)
            return refused.value.status, refused.value.code

        orders = Orders(t)
        assert await code(Orders(t, "another token")) == (401, 20003)
        assert await code(orders, "12") == (400, 21211)
        assert await code(orders, url="nowhere") == (400, 21205)
        with pytest.raises(TwilioRestException) as unknown:
            await orders.of("CA" + "0" * 32)
        assert (unknown.value.status, unknown.value.code) == (404, 20404)
        assert t.web.knocks == []

    scenes.play(scene)


def test_lines_stay_free_for_those_who_call_us(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        orders = Orders(t)
        t.web.pages["/calls"] = twiml('<Gather timeout="20" finishOnKey="" action="BASE/turns/1"></Gather>')
        async with person("rings") as one:
            placed = [await orders.place(one.address, f"many{n}", timeout=30) for n in range(8)]
            with pytest.raises(TwilioRestException) as refused:
                await orders.place(one.address, "ninth")
            assert (refused.value.status, refused.value.code) == (429, 20429)
            for call in placed[:2]:
                await orders.end(str(call.sid), "completed")
                await until_told(t, f"many{placed.index(call)}", "canceled")
            async with t.raw() as a, t.raw() as b, t.raw() as c:
                await asyncio.gather(a.call(), b.call(), c.call())
                assert len(t.exchange._handsets) == 9  # a quarter of twelve is left to callers
                with pytest.raises(TwilioRestException) as refused:
                    await orders.place(one.address, "tenth")
                assert refused.value.code == 20429
                async with t.raw() as d:
                    await d.call()
            for call in placed[2:]:
                await orders.end(str(call.sid), "canceled")
            await t.web.until(lambda: not t.exchange._handsets)

    scenes.play(scene)
