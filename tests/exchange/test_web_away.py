"""When web is slow or gone: a kind sentence, a message all the same, and everything handed in later."""

from __future__ import annotations

import asyncio
from pathlib import Path

from ivr.exchange.errands import Errand
from ivr.exchange.sound import to_wav, tone
from tests.exchange.town import Town, clip, play, speech, town, twiml, web_side

MENU = (
    '<Gather numDigits="1" finishOnKey="" timeout="8" action="BASE/calls/x/turns/1">'
    "<Say>主菜单</Say></Gather>"
)


def message_box(t: Town) -> None:
    """A web whose `0` leads past a person who does not answer to a message box."""
    t.web.pages |= {
        "/calls": twiml(MENU, "<Redirect>BASE/calls/x/turns/1?silence=1</Redirect>"),
        "/calls/x/turns/1": lambda p: twiml(
            '<Dial action="BASE/calls/x/turns/2"><Number>12345</Number></Dial>'
            if p.get("Digits") == "0"
            else MENU
        ),
        "/calls/x/turns/2": twiml(
            '<Record action="BASE/calls/x/turns/3" recordingStatusCallback="BASE/calls/x/turns/3/recording"/>'
        ),
        "/calls/x/turns/3": twiml("<Hangup/>"),
    }


def test_a_short_failure_is_not_noticed(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Say>您好</Say>")
            t.web.fails = 2
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert phone.heard == ["您好"]

    play(scene)


def test_a_message_left_while_web_is_down_reaches_the_message_box_later(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            message_box(t)
            t.web.is_down = True
            async with t.phone() as phone:
                await phone.wait_for_speech()
                assert "110、119或120" in phone.heard[-1]
                await phone.speak(speech(3))
                await phone.press("#")
                await phone.wait_for_end()
            assert "已经记下了" in phone.heard[-1]
            assert not t.web.knocks
            t.web.is_down = False
            await t.web.until(lambda: bool(t.web.ending("/status")), 15)
            box = t.web.at("/calls/x/turns/3")[0].params
            assert (box["RecordingDuration"], box["Digits"]) == ("3", "hangup")
            assert t.web.at("/calls")[0].params["CallSid"] == box["CallSid"]
            await t.web.until(lambda: bool(t.web.ending("/recording")))
            assert t.web.ending("/recording")[0].params["RecordingSid"] == box["RecordingSid"]
            assert (await t.recording("GET", box["RecordingSid"]))[0] == 200
            await t.web.until(lambda: not list((tmp_path / "errands").iterdir()))

    play(scene)


def test_a_key_pressed_as_web_dies_is_handed_in_later(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            message_box(t)
            async with t.phone() as phone:
                await phone.wait_for_keys()
                t.web.is_down = True
                await phone.press("1")
                await phone.wait_for_caption("不用着急")
                await phone.hang_up()
            t.web.is_down = False
            await t.web.until(lambda: bool(t.web.ending("/status")), 15)
            assert [k.params["Digits"] for k in t.web.at("/calls/x/turns/1")] == ["1"]

    play(scene)


def test_a_recording_web_did_not_take_is_not_asked_for_again(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(
                '<Record action="BASE/r" finishOnKey="#" recordingStatusCallback="BASE/recording"/>'
            )
            t.web.pages["/r"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_speech()
                t.web.is_down = True
                await phone.speak(speech(2))
                await phone.press("#")
                assert await phone.wait_for_end() == "completed"
            assert "已经记下了" in phone.heard[-1]
            t.web.is_down = False
            await t.web.until(lambda: bool(t.web.at("/r")) and bool(t.web.at("/recording")), 15)

    play(scene)


def test_what_is_owed_survives_a_restart(tmp_path: Path):
    async def scene() -> None:
        async with web_side() as side:
            side.is_down = True
            async with town(tmp_path, side) as t, t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(2))
                await phone.hang_up()
            assert not side.knocks
            side.is_down = False
            async with town(tmp_path, side) as t:
                message_box(t)
                await side.until(lambda: bool(side.ending("/recording")))
                assert side.at("/calls/x/turns/3")[0].params["RecordingDuration"] == "2"

    play(scene)


def test_a_verb_nobody_can_execute_is_no_dead_line(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Pause length='1'/>")
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.hang_up()
            assert "小问题" in phone.heard[0]

    play(scene)


def test_a_slow_answer_is_bridged_by_a_sentence(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, patience_seconds=10) as t:
            t.web.delay_seconds = 3.5
            t.web.pages["/calls"] = twiml("<Say>您好</Say>")
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert phone.heard == ["请稍等，马上就好。", "您好"]

    play(scene)


def test_sentences_have_their_recorded_voice_where_there_is_one(tmp_path: Path):
    async def scene() -> None:
        recorded = tmp_path / "busy.wav"
        async with town(tmp_path / "spool", max_calls=0, sentences={"busy": recorded}) as t:
            for seconds in (
                0.4,
                1.5,
            ):  # the file may come while the exchange runs; before, the synthesiser speaks
                async with t.phone() as phone:
                    assert await phone.wait_for_end() == "busy"
                assert len(phone.audio) == seconds * 8000 * 2
                recorded.write_bytes(to_wav(tone(500, 1.5)))

    play(scene)


def test_no_synthesiser_at_all_still_shows_the_words(tmp_path: Path):
    def broken(words: str, language: str) -> bytes:
        raise RuntimeError("no engine")

    async def scene() -> None:
        async with town(tmp_path, speaker=broken) as t:
            t.web.sounds["a.wav"] = clip(0.1)
            t.web.pages["/calls"] = twiml("<Say>您好</Say>", "<Play>BASE/media/a.wav</Play>")
            async with t.phone() as phone:
                assert await phone.wait_for_end() == "completed"
            assert phone.heard == ["您好", "clip a.wav"]

    play(scene)


def test_a_message_left_when_web_led_in_circles_reaches_the_message_box_later(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Redirect>BASE/calls</Redirect>")
            async with t.phone() as phone:
                await phone.wait_for_speech()
                message_box(t)
                await phone.speak(speech(2))
                await phone.hang_up()
            await t.web.until(lambda: bool(t.web.ending("/recording")), 15)
            assert t.web.at("/calls/x/turns/3")[0].params["RecordingDuration"] == "2"

    play(scene)


def test_a_request_that_the_end_of_the_call_overtakes_is_handed_in(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, max_call_seconds=20, patience_seconds=6) as t:
            message_box(t)
            async with t.phone() as phone:
                await phone.wait_for_keys()
                t.web.is_down = True
                await phone.press("1")
                await phone.hang_up()
                await asyncio.sleep(2.5)  # the longest call is over while web is still being asked
            t.web.is_down = False
            await t.web.until(lambda: bool(t.web.ending("/status")), 15)
            assert "1" in [k.params.get("Digits") for k in t.web.at("/calls/x/turns/1")]

    play(scene)


def test_the_end_of_a_call_we_placed_is_told_by_the_next_life_of_the_exchange(tmp_path: Path):
    async def scene() -> None:
        async with web_side() as side:
            params = {"CallSid": "CA1", "Direction": "outbound-api"}
            rang = Errand(params, f"{side.base}/placed/1/status", status="failed")
            unasked = Errand(params | {"CallSid": "CA2"}, "")
            async with town(tmp_path, known=side) as t:
                for errand in (rang, unasked):  # written down as the call begins; then the exchange dies
                    await t.exchange.desk.errands.keep(errand)
            async with town(tmp_path, known=side):
                await side.until(lambda: bool(side.at("/placed/1/status")))
                await side.until(lambda: not list((tmp_path / "errands").iterdir()))
            assert [knock.params["CallStatus"] for knock in side.knocks] == ["failed"]

    play(scene)
