"""Recording and handing over: what ends a recording, that nothing of it is lost, and who may collect it."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import numpy as np
import pytest

from ivr.exchange import announce
from ivr.exchange.errors import SpoolError
from ivr.exchange.sound import RATE, decode, silence
from ivr.exchange.spool import Tape, TapeWriter
from tests.exchange.town import Town, clip, play, speech, town, twiml

RECORD = (
    '<Record action="BASE/r" timeout="5" maxLength="20" finishOnKey="#"'
    ' recordingStatusCallback="BASE/recording"/>'
)
NOTHING_SAID = "<Say>没有听到</Say>"


def ready(t: Town, record: str = RECORD) -> None:
    t.web.pages["/calls"] = twiml(record, NOTHING_SAID)
    t.web.pages["/r"] = twiml("<Say>记下了</Say>")


async def fetched(t: Town) -> np.ndarray:
    """The one recording announced, collected as web does."""
    await t.web.until(lambda: bool(t.web.at("/recording")))
    status, wav = await t.recording("GET", t.web.at("/recording")[0].params["RecordingSid"])
    assert status == 200
    return np.frombuffer(decode(wav), "<i2")


def test_a_key_ends_the_recording_and_every_sample_is_there(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            said = speech(3.1)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(said)
                await phone.press("5")  # not a finishing key
                await phone.press("#")
                await phone.wait_for_end()
            params = t.web.at("/r")[0].params
            assert params["Digits"] == "#"
            assert params["RecordingDuration"] == "3"
            assert params["CallStatus"] == "in-progress"
            assert params["RecordingUrl"].endswith(f"/recordings/{params['RecordingSid']}")
            kept = await fetched(t)
            assert np.abs(kept[: len(said) // 2].astype(int) - np.frombuffer(said, "<i2")).max() <= 1
            told = t.web.at("/recording")[0].params
            assert (told["RecordingStatus"], told["RecordingSid"]) == ("completed", params["RecordingSid"])
            assert t.web.forged == 0

    play(scene)


def test_a_key_pressed_before_the_beep_does_not_end_the_recording(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=2.0) as t:
            ready(t, "<Say>嘀声之后请说话</Say>" + RECORD)
            async with t.phone() as phone:
                await phone.wait_for_caption("嘀声")
                await phone.press("#")
                await phone.wait_for_speech()
                await phone.speak(speech(2))
                await phone.press("#")
                await phone.wait_for_end()
            assert t.web.at("/r")[0].params["RecordingDuration"] == "2"

    play(scene)


def test_silence_after_speech_ends_it_and_pauses_within_do_not(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(2) + silence(4) + speech(2) + silence(5.5))
                await phone.wait_for_end()
            params = t.web.at("/r")[0].params
            assert "Digits" not in params
            assert int(params["RecordingDuration"]) in (12, 13, 14)

    play(scene)


def test_a_phone_that_sends_no_sound_is_silent_not_endless(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_end()
            assert phone.heard == ["没有听到"]
            assert not t.web.at("/r")
            assert not t.web.at("/recording")
            assert not list(tmp_path.glob("*.tape"))

    play(scene)


def test_a_stall_of_the_network_puts_nothing_into_the_words(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(1, seed=1))
                await asyncio.sleep(0.12)  # 1.2 s of this town's time
                await phone.speak(speech(1, seed=2))
                await phone.press("#")
                await phone.wait_for_end()
            kept, said = await fetched(t), np.frombuffer(speech(1, seed=1) + speech(1, seed=2), "<i2")
            assert len(kept) == len(said)
            assert np.abs(kept.astype(int) - said).max() <= 1

    play(scene)


@pytest.mark.parametrize("level", [0.01, 0.05, 0.5])
def test_quiet_and_loud_voices_are_heard_and_a_noisy_line_is_not_taken_for_one(tmp_path: Path, level: float):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            noise = (np.random.default_rng(7).normal(0, 0.001, RATE * 9) * 32767).astype("<i2")
            voice = np.frombuffer(speech(3, level), "<i2")
            line = noise.copy()
            line[: len(voice)] = np.clip(line[: len(voice)].astype(int) + voice, -32768, 32767)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(line.tobytes())
                await phone.wait_for_caption("记下了")
            assert int(t.web.at("/r")[0].params["RecordingDuration"]) in (8, 9)

    play(scene)


def test_the_limit_cuts_at_its_second(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(25))
                await phone.wait_for_end()
            assert t.web.at("/r")[0].params["RecordingDuration"] == "20"
            assert len(await fetched(t)) == 20 * RATE

    play(scene)


def test_hanging_up_keeps_what_was_said(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(2.5))
                await phone.hang_up()
            await t.web.until(lambda: bool(t.web.at("/r")))
            params = t.web.at("/r")[0].params
            assert (params["Digits"], params["CallStatus"]) == ("hangup", "completed")
            assert len(await fetched(t)) >= int(2.5 * RATE)

    play(scene)


def test_the_beep_sounds_before_and_is_not_in_the_recording(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path, speed=1.0) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                sound = np.frombuffer(bytes(phone.audio), "<i2").astype(float)
                assert np.argmax(np.abs(np.fft.rfft(sound))) * RATE / len(sound) == pytest.approx(1000, abs=5)
                assert len(sound) / RATE == pytest.approx(0.4, abs=0.02)
                await phone.speak(speech(1))
                await phone.press("#")
                await phone.wait_for_end()

    play(scene)


def test_a_joined_segment_has_its_tone_and_no_beep(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            t.web.sounds["join.wav"] = clip(0.2, 600)
            ready(
                t, "<Play>BASE/media/join.wav</Play>" + RECORD.replace("timeout", 'playBeep="false" timeout')
            )
            async with t.phone() as phone:
                await phone.wait_for_speech()
                assert len(phone.audio) == 0.2 * RATE * 2
                await phone.hang_up()

    play(scene)


def test_only_web_may_collect_and_only_what_is_finished(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(2))
                (tape,) = tmp_path.glob("*.tape")
                assert (await t.recording("GET", tape.stem))[0] == 404
                assert (await t.recording("DELETE", tape.stem))[0] == 409
                await phone.press("#")
                await phone.wait_for_end()
            assert (await t.recording("GET", tape.stem, "wrong"))[0] == 401
            assert (await t.recording("DELETE", tape.stem, "wrong"))[0] == 401
            assert (await t.recording("GET", "RE" + "0" * 32))[0] == 404
            assert (await t.recording("GET", "..%2Ferrands"))[0] == 404
            assert (await t.recording("GET", tape.stem))[0] == 200
            assert speech(2)[2000:2100] not in tape.read_bytes()  # sealed

    play(scene)


def test_a_recording_is_announced_until_it_is_taken_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(announce, "FIRST_REMINDER", 2.0)

    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            t.web.pages["/recording"] = twiml()
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(1))
                t.web.fails = 2
                await phone.press("#")
                await t.web.until(lambda: len(t.web.at("/recording")) >= 2)
                await phone.wait_for_end()
            told = t.web.at("/recording")
            assert len({knock.params["RecordingSid"] for knock in told}) == 1
            assert (await t.recording("DELETE", told[0].params["RecordingSid"]))[0] == 204
            assert (await t.recording("DELETE", told[0].params["RecordingSid"]))[0] == 204
            before = len(t.web.at("/recording"))
            await asyncio.sleep(1.0)
            assert len(t.web.at("/recording")) == before
            assert not list(tmp_path.glob("RE*"))

    play(scene)


def test_a_full_disk_is_said_kindly_and_what_fitted_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    append, filled = TapeWriter.append, []

    def fill(self: TapeWriter, pcm: bytes) -> None:
        if len(filled) >= 2:
            raise SpoolError("the disk is full")
        filled.append(len(pcm))
        append(self, pcm)

    monkeypatch.setattr(TapeWriter, "append", fill)

    async def scene() -> None:
        async with town(tmp_path) as t:
            ready(t)
            async with t.phone() as phone:
                await phone.wait_for_speech()
                await phone.speak(speech(5))
                await phone.wait_for_caption("录不了音")
                await phone.wait_for_end()
            await t.web.until(lambda: bool(t.web.at("/recording")))
            assert len(await fetched(t)) == 2 * RATE

    play(scene)


def test_recordings_that_wait_for_web_do_not_wait_in_memory(tmp_path: Path):
    async def scene() -> None:
        async with town(tmp_path) as t:
            sound = '<Record action="BASE/r" finishOnKey="#" recordingStatusCallback="BASE/recording"/>'
            t.web.pages |= {"/calls": twiml(sound), "/r": twiml("<Hangup/>")}
            for _ in range(3):
                async with t.phone() as phone:
                    await phone.wait_for_speech()
                    await phone.speak(speech(2))
                    await phone.press("#")
                    await phone.wait_for_end()
            await t.web.until(lambda: len(t.web.at("/recording")) == 3)
            assert len(t.exchange.desk.spool.sids()) == 3
            gc.collect()
            assert not [one for one in gc.get_objects() if isinstance(one, Tape)]

    play(scene)
