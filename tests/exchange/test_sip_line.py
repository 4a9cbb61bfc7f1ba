"""Real SIP calls by raw packets to a real line: what is heard, pressed and said, and how calls end."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile

from ivr.exchange.sound import RATE, from_floats, tone
from tests.exchange.sip_phone import RawPhone
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.town import clip, speech, twiml
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
GATHER = '<Gather numDigits="1" timeout="10" finishOnKey="" action="BASE/turns/1">{}</Gather>'
RECORD = '<Record action="BASE/turns/2" recordingStatusCallback="BASE/rec/recording" {}/>'
ALL = "1234567890*#"


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One town for all scenes."""
    with stage(tmp_path_factory.mktemp("line")) as here:
        yield here


def heard_in(phone: RawPhone) -> np.ndarray:
    """What came to the phone, -1 to 1."""
    return np.frombuffer(bytes(phone.heard), "<i2").astype(np.float32) / 32768


def likeness(piece: bytes, sound: bytes) -> float:
    """The best correlation of a piece with any place of a sound."""
    small, large = (np.frombuffer(one, "<i2").astype(np.float64) for one in (piece, sound))
    if len(large) < len(small):
        return 0.0
    size = 1 << (len(small) + len(large) - 1).bit_length()
    matches = np.fft.irfft(np.fft.rfft(large, size) * np.conj(np.fft.rfft(small, size)), size)
    powers = np.concatenate([[0.0], np.cumsum(large**2)])
    energies = np.maximum(powers[len(small) :] - powers[: -len(small)], 1.0)
    values = matches[: len(energies)] / np.sqrt(energies * np.sum(small**2))
    return float(values.max())


def resemblance(piece: bytes, sound: bytes) -> float:
    """The median, over the quarters of a second of a piece that are not silent, of what `likeness` says.

    A busy machine may lose a frame of a live call, which shifts all that follows.
    """
    step = RATE // 4 * 2
    parts = [piece[at : at + step] for at in range(0, len(piece) - step + 1, step)]
    audible = [part for part in parts if np.abs(np.frombuffer(part, "<i2").astype(int)).mean() > 100]
    return float(np.median([likeness(part, sound) for part in audible]))


async def recording(t: SipTown, sid: str) -> tuple[int, bytes]:
    """The sound of a recording that web was told of."""
    status, wav = await t.recording("GET", sid)
    sound, rate = soundfile.read(io.BytesIO(wav), dtype="int16")
    assert rate == RATE
    return status, bytes(sound.astype("<i2").tobytes())


def test_a_call_is_answered_hears_presses_and_is_hung_up(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        voice = speech(2.0, seed=5)
        t.web.sounds["voice.wav"] = _wav(voice)
        t.web.pages["/calls"] = twiml("<Play>BASE/media/voice.wav</Play>", GATHER.format(""))
        t.web.pages["/turns/1"] = twiml("<Say>好</Say>", "<Hangup/>")

        async def call(law: str) -> None:
            async with t.raw(law=law) as phone:
                await phone.call()
                await phone.until(lambda: len(phone.heard) > 36000)
                assert resemblance(voice[3200:], bytes(phone.heard)) > 0.99
                await phone.press("5")
                await phone.until(lambda: phone.is_over)

        await asyncio.gather(call("alaw"), call("ulaw"))
        for first in t.web.at("/calls"):
            told = {name: first.params[name] for name in ("From", "To", "Handset", "Direction")}
            assert told == {
                "From": "+8613900000001",
                "To": "+8657112345678",
                "Handset": "sip",
                "Direction": "inbound",
            }
        assert [k.params["Digits"] for k in t.web.at("/turns/1")] == ["5", "5"]
        await t.web.until(lambda: len(t.web.ending("/status")) == 2)

    scenes.play(scene)


def test_the_prompt_stops_within_100_ms_of_the_key(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.sounds["long.wav"] = clip(20)
        t.web.pages["/calls"] = twiml(GATHER.format("<Play>BASE/media/long.wav</Play>"))
        t.web.pages["/turns/1"] = twiml(GATHER.format(""))
        stops = []

        async def call() -> None:
            async with t.raw() as phone:
                await phone.call()
                await phone.until(lambda: len(phone.heard) > 12000)
                pressed = time.monotonic()
                await phone.press("1", apart=0.6)
                frames = np.abs(heard_in(phone)[: len(phone.heard_at) * 160].reshape(-1, 160)).max(axis=1)
                loud = [at for at, level in zip(phone.heard_at, frames, strict=True) if level > 0.05]
                stops.append(loud[-1] - pressed)

        await asyncio.gather(*(call() for _ in range(5)))
        assert sorted(stops)[2] < 0.1, stops
        assert max(stops) < 0.2, stops  # this machine may stall

    scenes.play(scene)


def test_every_key_once_by_event_by_info_and_by_tone(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        typed = '<Gather numDigits="14" timeout="10" finishOnKey="" action="BASE/turns/1"></Gather>'
        t.web.pages["/calls"] = twiml(typed)
        t.web.pages["/turns/1"] = twiml("<Hangup/>")
        digits = ALL + "11"

        async def by(phone: RawPhone, law: str, how: str) -> None:
            await phone.call()
            await asyncio.sleep(0.2)
            if how == "event":
                await phone.press(digits, apart=0.15)
            elif how == "info":
                for digit in digits:
                    assert (await phone.inform(digit)).status == 200
                    await asyncio.sleep(0.15)
            else:
                for digit in digits:
                    await phone.speak(key_tone(digit, 0.1) + bytes(3200))
            await phone.until(lambda: phone.is_over, what=f"{law}, {how}: all keys")

        async def once(law: str, how: str) -> None:
            async with t.raw(law=law) as phone:
                await by(phone, law, how)

        ways = [(law, how) for law in ("alaw", "ulaw") for how in ("event", "info", "tone")]
        await asyncio.gather(*(once(*way) for way in ways))
        assert [k.params["Digits"] for k in t.web.at("/turns/1")] == [digits] * 6

    scenes.play(scene)


def test_a_gateway_that_sends_event_and_tone_is_heard_once(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(
            '<Gather timeout="1" finishOnKey="" action="BASE/turns/1"></Gather>', "<Hangup/>"
        )
        t.web.pages["/turns/1"] = twiml("<Hangup/>")
        async with t.raw() as phone:
            await phone.call()
            for digit in "274":
                await phone.speak(key_tone(digit, 0.1))
                await phone.press(digit, apart=0.4)
            await phone.until(lambda: phone.is_over)
        assert [k.params["Digits"] for k in t.web.at("/turns/1")] == ["274"]

    scenes.play(scene)


def test_a_recording_holds_what_was_said_and_ends_as_it_should(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml(RECORD.format('timeout="2" finishOnKey="#" maxLength="4"'))
        t.web.pages["/turns/2"] = twiml("<Hangup/>")
        said = speech(1.6, seed=3)

        async def call(ending: str, number: str) -> None:
            async with t.raw(caller=f"<sip:{number}@127.0.0.1>") as phone:
                await phone.call()
                await phone.until(lambda: np.abs(heard_in(phone)).max(initial=0) > 0.2)
                await asyncio.sleep(0.5)  # the beep
                await phone.speak(said)
                if ending == "#":
                    await phone.press("1#")  # the 1 ends nothing
                elif ending == "limit":
                    await phone.speak(said + said)
                elif ending == "hangup":
                    await phone.hang_up()
                await phone.until(lambda: phone.is_over)
            await t.web.until(lambda: bool(told_of(t, number)))
            told = told_of(t, number)[0]
            status, kept = await recording(t, told["RecordingSid"])
            assert status == 200
            assert told.get("Digits", "") == {"#": "#", "hangup": "hangup"}.get(ending, "")
            assert resemblance(said[:16000], kept) > 0.99
            assert len(kept) / 16000 <= 4.05
            if ending == "limit":
                assert len(kept) / 16000 == pytest.approx(4, abs=0.1)

        endings = enumerate(("#", "silence", "limit", "hangup"), 1)
        await asyncio.gather(*(call(ending, f"1390000000{n}") for n, ending in endings))

    scenes.play(scene)


def told_of(t: SipTown, number: str, path: str = "/turns/2") -> list[dict[str, str]]:
    """What web was told there of one caller."""
    return [knock.params for knock in t.web.at(path) if knock.params["From"] == f"+86{number}"]


def test_refused_calls_get_the_status_of_the_refusal(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        for reason, statuses in (("busy", {486}), ("rejected", {480, 603, 486, 403})):
            t.web.pages["/calls"] = twiml(f'<Reject reason="{reason}"/>')
            async with t.raw() as phone:
                await phone.invite()
                answer = await phone.answer_to("INVITE")
                assert answer.status in statuses
                phone.send(phone.request("ACK", branch=phone.branch))
        await t.web.until(lambda: len(t.web.ending("/status")) == 2)
        assert [k.params["CallStatus"] for k in t.web.ending("/status")] == ["busy", "no-answer"]

    scenes.play(scene)


def test_a_withheld_number_and_an_asserted_one(scenes: Stage) -> None:
    async def scene(t: SipTown) -> None:
        t.web.pages["/calls"] = twiml("<Hangup/>")
        hidden = '"Anonymous" <sip:anonymous@anonymous.invalid>'
        asserted = "P-Asserted-Identity: <tel:+8613911112222>"
        for options in (
            {"caller": hidden},
            {"headers": asserted},
            {"headers": f"{asserted}\nPrivacy: id"},
            {"caller": "<sip:013900000009@127.0.0.1>", "number": "+8657112345678"},
        ):
            async with t.raw(**options) as phone:
                await phone.invite()
                await phone.answer_to("INVITE")
                phone.send(phone.request("ACK", branch=phone.branch))
        told = [knock.params["From"] for knock in t.web.at("/calls")]
        assert told == ["anonymous", "+8613911112222", "anonymous", "+8613900000009"]
        assert {knock.params["To"] for knock in t.web.at("/calls")} == {"+8657112345678"}

    scenes.play(scene)


def key_tone(digit: str, seconds: float) -> bytes:
    """A key as two tones."""
    place = "123A456B789C*0#D".index(digit)
    low, high = (697, 770, 852, 941)[place // 4], (1209, 1336, 1477, 1633)[place % 4]
    both = np.frombuffer(tone(low, seconds, 0.3), "<i2") + np.frombuffer(tone(high, seconds, 0.3), "<i2")
    return from_floats(both / 32768)


def _wav(pcm: bytes) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, np.frombuffer(pcm, "<i2"), RATE, subtype="PCM_16", format="WAV")
    return target.getvalue()
