"""Conformance: every verb, executed by a real exchange for a real phone; web checks the signatures."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from admin.demo.caller import listener
from tests.exchange.town import CALLER, COMMUNITY, clip, play, speech, town, twiml

GATHER = '<Gather numDigits="1" timeout="10" finishOnKey="" action="BASE/calls/x/turns/1">{}</Gather>'
AGAIN = "<Redirect>BASE/calls/x/turns/1?silence=1</Redirect>"


def test_the_first_request_says_what_twilio_says(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Say>您好</Say>", "<Hangup/>")
            async with t.phone() as phone:
                assert await phone.wait_for_end() == "completed"
            assert phone.heard == ["您好"]
            (first,) = t.web.at("/calls")
            sid = first.params.pop("CallSid")
            assert sid.startswith("CA")
            assert len(sid) == 34
            called_at = datetime.fromisoformat(first.params.pop("CalledAt"))
            assert abs((datetime.now(UTC) - called_at).total_seconds()) < 30
            assert first.params == {
                "AccountSid": "TJexchange",
                "From": CALLER,
                "To": COMMUNITY,
                "CallStatus": "ringing",
                "Direction": "inbound",
                "ApiVersion": "2010-04-01",
                "Handset": "terminal",
            }
            await t.web.until(lambda: bool(t.web.at(f"/calls/{sid}/status")))
            (ended,) = t.web.at(f"/calls/{sid}/status")
            assert ended.params["CallStatus"] == "completed"
            assert t.web.forged == 0

    play(scene)


def test_clips_follow_each_other_without_a_gap_and_show_their_captions(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=1.0) as t:
            t.web.sounds = {f"{n}.wav": clip(0.3) for n in range(4)}
            t.web.pages["/calls"] = twiml(*(f"<Play>BASE/media/{n}.wav</Play>" for n in range(4)))
            moments: list[float] = []
            async with t.phone(
                listener=lambda m: moments.append(time.monotonic()) if m["type"] == "sound" else None
            ) as phone:
                await phone.wait_for_end()
            assert phone.heard == [f"clip {n}.wav" for n in range(4)]
            assert len(phone.audio) == 4 * 2400 * 2
            gaps = [b - a for a, b in pairwise(moments)]
            assert max(gaps) < 0.1
            assert 1.0 < moments[-1] - moments[0] < 1.4

    play(scene)


def test_a_number_read_digit_by_digit_is_shown_in_one_row(tmp_path: Path):
    async def scene() -> None:
        said = ("受理号是", "七", "幺；", "三", "谢谢您。", "好")
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(*(f"<Say>{words}</Say>" for words in said))
            told: list[tuple[str, str]] = []
            tell = listener(lambda what, words: told.append((what, words)))
            async with t.phone(listener=tell) as phone:
                await phone.wait_for_end()
            rows = ["受理号是", "七幺；三", "谢谢您。", "好"]
            assert phone.heard == rows
            assert told == [("heard", words) for words in rows]

    play(scene)


def test_a_missing_clip_does_not_end_the_call(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Play>BASE/media/none.wav</Play>", "<Say>后面的话</Say>")
            async with t.phone() as phone:
                assert await phone.wait_for_end() == "completed"
            assert phone.heard == ["后面的话"]

    play(scene)


def test_the_first_key_stops_the_sound_within_100_ms(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=1.0) as t:
            t.web.sounds["long.wav"] = clip(20)
            t.web.pages["/calls"] = twiml(GATHER.format("<Play>BASE/media/long.wav</Play>"))
            t.web.pages["/calls/x/turns/1"] = twiml("<Say>好</Say>", "<Hangup/>")
            sounds: list[float] = []
            flushed: list[float] = []

            def listen(message: dict[str, object]) -> None:
                {"sound": sounds, "flush": flushed}.get(str(message["type"]), []).append(time.monotonic())

            async with t.phone(listener=listen) as phone:
                await phone.wait_for_keys()
                await asyncio.sleep(0.7)
                pressed = time.monotonic()
                await phone.press("1")
                await phone.wait_for_caption("好")
                answered = time.monotonic()
                await phone.wait_for_end()
            assert flushed
            assert flushed[0] - pressed < 0.1
            assert answered - pressed < 0.5
            assert not [at for at in sounds if flushed[0] < at < answered - 0.05]
            assert t.web.at("/calls/x/turns/1")[0].params["Digits"] == "1"

    play(scene)


def test_silence_falls_through_once_the_timeout_after_the_prompt_is_over(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            gather = GATHER.replace('timeout="10"', 'timeout="3"')
            t.web.pages["/calls"] = twiml(gather.format("<Say>请按键</Say>"), AGAIN)
            t.web.pages["/calls/x/turns/1"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_end()
            (silent,) = t.web.at("/calls/x/turns/1")
            assert "Digits" not in silent.params
            waited = (silent.at - t.web.at("/calls")[0].at) * 10
            assert 3.2 < waited < 5.5  # 0.4 s of prompt, then 3 s

    play(scene)


def test_a_typed_number_ends_at_its_finish_key_or_length_or_pause(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            number = '<Gather timeout="2" finishOnKey="#" {} action="BASE/typed"><Say>号码</Say></Gather>'
            t.web.pages["/calls"] = twiml(number.format(""))
            t.web.pages["/typed"] = lambda p: twiml(
                {"12": number.format('numDigits="3"'), "345": number.format("")}.get(p["Digits"], "<Hangup/>")
            )
            async with t.phone() as phone:
                for keys in ("12#", "345", "67"):
                    await phone.wait_for_keys()
                    for key in keys:
                        await phone.press(key)
                await phone.wait_for_end()
            assert [k.params["Digits"] for k in t.web.at("/typed")] == ["12", "345", "67"]

    play(scene)


def test_the_finish_key_alone_falls_through(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml('<Gather timeout="100" finishOnKey="#" action="BASE/a"/>', AGAIN)
            t.web.pages["/calls/x/turns/1"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_keys()
                await phone.press("#")
                await phone.wait_for_end()
            assert not t.web.at("/a")
            assert t.web.at("/calls/x/turns/1")

    play(scene)


def test_a_gather_without_action_asks_for_its_own_document_again(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = lambda p: twiml(
                "<Hangup/>" if "Digits" in p else '<Gather numDigits="1" finishOnKey=""/>'
            )
            async with t.phone() as phone:
                await phone.wait_for_keys()
                await phone.press("7")
                await phone.wait_for_end()
            assert t.web.at("/calls")[1].params["Digits"] == "7"

    play(scene)


def test_keys_pressed_early_wait_for_the_next_gather(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Say>不等按键的话</Say>" * 3, GATHER.format("<Say>不会播</Say>"))
            t.web.pages["/calls/x/turns/1"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_caption("不等按键的话")
                await phone.press("2")
                await phone.wait_for_end()
            assert phone.heard == ["不等按键的话"] * 3
            params = t.web.at("/calls/x/turns/1")[0].params
            assert (params["Digits"], params["DigitsEarly"]) == ("2", "1")

    play(scene)


def test_a_double_tap_is_one_press_and_does_not_cut_the_next_prompt(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=2.0) as t:
            t.web.pages["/calls"] = twiml(GATHER.format("<Say>第一</Say>"))
            t.web.pages["/calls/x/turns/1"] = twiml(
                GATHER.replace("turns/1", "turns/2").format("<Say>第二</Say>" * 4)
            )
            t.web.pages["/calls/x/turns/2"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_keys()
                await phone.press("1")
                await asyncio.sleep(0.1)
                await phone.press("1", is_double_tap=True)
                await phone.wait_for_keys()
                assert not t.web.at("/calls/x/turns/2")
                await phone.press("1")  # waits until it is no double tap
                await phone.wait_for_end()
            assert len(t.web.at("/calls/x/turns/2")) == 1

    play(scene)


def test_get_is_signed_over_its_query(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml('<Redirect method="GET">BASE/next?a=%E4%B8%80</Redirect>')
            t.web.pages["/next"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert t.web.at("/next")[0].method == "GET"
            assert t.web.forged == 0

    play(scene)


def test_reject_never_answers_and_hangup_says_completed(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml('<Reject reason="busy"/>')
            async with t.phone() as phone:
                assert await phone.wait_for_end() == "busy"
                assert not phone.is_answered
            await t.web.until(lambda: bool(t.web.ending("/status")))
            assert t.web.ending("/status")[0].params["CallStatus"] == "busy"

    play(scene)


def test_dialling_a_person_rings_in_vain_and_says_that_this_is_practice(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(
                '<Dial timeout="25" action="BASE/dialled"><Number>+8657100000000</Number></Dial>'
            )
            t.web.pages["/dialled"] = twiml("<Say>请留言</Say>")
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert t.web.at("/dialled")[0].params["DialCallStatus"] == "no-answer"
            assert "练习" in phone.heard[1]
            assert phone.heard[-1] == "请留言"

    play(scene)


def test_documents_that_lead_nowhere_end_in_a_kind_sentence(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml("<Redirect>BASE/calls</Redirect>")
            async with t.phone() as phone:
                await phone.wait_for_caption("出了点小问题")
                await phone.hang_up()

    play(scene)


def test_hanging_up_while_web_thinks_still_hands_in_the_key(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.pages["/calls"] = twiml(GATHER.format("<Say>请按键</Say>"))
            t.web.pages["/calls/x/turns/1"] = twiml("<Hangup/>")
            async with t.phone() as phone:
                await phone.wait_for_keys()
                t.web.delay_seconds = 0.3
                await phone.press("1")
                await phone.hang_up()
            await t.web.until(lambda: bool(t.web.ending("/status")))
            assert t.web.at("/calls/x/turns/1")[0].params["Digits"] == "1"

    play(scene)


def test_all_lines_busy_is_said_kindly(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, max_calls=1) as t:
            t.web.pages["/calls"] = twiml(GATHER.format("<Say>请按键</Say>"))
            async with t.phone() as first:
                await first.wait_for_keys()
                async with t.phone() as second:
                    assert await second.wait_for_end() == "busy"
                assert "人很多" in second.heard[0]
                await first.hang_up()

    play(scene)


def test_the_longest_call_ends_with_a_sentence_and_keeps_the_recording(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, max_call_seconds=20.0) as t:
            t.web.pages["/calls"] = twiml(
                '<Record action="BASE/r" recordingStatusCallback="BASE/recording"/>'
            )
            async with t.phone() as phone:
                await phone.wait_for_speech()
                speaking = asyncio.create_task(phone.speak(speech(60), is_paced=True))
                await phone.wait_for_caption("时间到了")
                await phone.wait_for_end()
                speaking.cancel()
            await t.web.until(lambda: bool(t.web.at("/recording")))
            assert int(t.web.at("/recording")[0].params["RecordingDuration"]) >= 5

    play(scene)


def test_a_persons_own_voice_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async def scene() -> None:
        monkeypatch.setattr("ivr.exchange.media.PRIVATE_SECONDS", 0.3)
        async with town(tmp_path) as t:
            t.web.sounds = {"voice.wav": clip(1), "prompt.wav": clip(1)}
            t.web.private = {"voice.wav"}
            t.web.pages["/calls"] = twiml(*(f"<Play>BASE/media/{name}</Play>" for name in t.web.sounds))
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert phone.heard == ["clip voice.wav", "clip prompt.wav"]
            await asyncio.sleep(0.4)
            assert [url.rpartition("/")[2] for url in t.exchange.desk.media._kept] == ["prompt.wav"]

    play(scene)
