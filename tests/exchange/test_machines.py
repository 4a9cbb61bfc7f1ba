"""Who has picked up: people, machines, faxes and tones, by made voices over A-law with noise."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from ivr.exchange.placing.machines import AnswerEar
from ivr.exchange.sentences import espeak
from ivr.exchange.sound import BYTES_PER_SECOND, RATE, from_floats, silence, tone
from tests.exchange.sip_phone import decoded, encoded

RING = tone(450, 1.0, 0.15) + silence(4)
PEOPLE = ("喂", "喂？喂？", "喂，你好，哪位啊？", "哎，谁呀", "您好，这里是王家")
MACHINES = (
    "您好，您拨打的用户正忙，请稍后再拨。",
    "您拨打的电话已关机，请稍后再拨。",
    "对不起，您所拨打的号码是空号，请核对后再拨。",
    "您好，我现在不方便接听您的电话，请在嘀声之后留言。",
)
LIMIT_SECONDS = 30


def heard(sound: bytes, noise: float, gain: float) -> tuple[str, float]:
    """The verdict over a telephone line with noise, and after how many seconds it was known."""
    samples = np.frombuffer(sound, "<i2") / 32768 * gain
    samples = np.concatenate([samples, np.zeros(max(0, LIMIT_SECONDS * RATE - len(samples)))])
    luck = np.random.default_rng(1)
    line = decoded(encoded(from_floats(samples + luck.normal(0, noise, len(samples))), "alaw"), "alaw")
    ear = AnswerEar()
    for at in range(0, LIMIT_SECONDS * BYTES_PER_SECOND, 1600):
        ear.hear(line[at : at + 1600])
        if ear.verdict:
            return ear.verdict, at / BYTES_PER_SECOND
    return ear.give_up(), LIMIT_SECONDS


def spoken(words: str) -> bytes:
    return espeak(words, "zh")


def everywhere(sound: bytes) -> set[str]:
    """The verdicts loud and soft, on a quiet line and a noisy one."""
    return {heard(sound, noise, gain)[0] for noise, gain in itertools.product((0.0, 0.004), (1.0, 0.2))}


@pytest.mark.parametrize("words", PEOPLE)
def test_a_person_says_a_short_hello_and_waits(words: str) -> None:
    said = silence(0.4) + spoken(words)
    assert everywhere(said) == {"human"}
    assert heard(said, 0.001, 1.0)[1] < len(said) / BYTES_PER_SECOND + 1.5


@pytest.mark.parametrize("words", MACHINES)
def test_an_announcement_talks_on(words: str) -> None:
    said = silence(0.3) + spoken(words)
    assert everywhere(said) == {"machine_start"}
    assert heard(said, 0.001, 1.0)[1] < 3.5


def test_a_gateways_ring_back_tone_is_waited_through() -> None:
    for rings in (RING * 2, RING + tone(450, 1.0, 0.15) + silence(1.3)):
        assert everywhere(rings + silence(0.3) + spoken("喂")) == {"human"}
    assert everywhere(RING * 6) == {"machine_start"}


def test_tones_are_machines() -> None:
    assert everywhere((tone(450, 0.35, 0.2) + silence(0.35)) * 12) == {"machine_start"}
    assert everywhere(silence(0.3) + spoken("请留言") + silence(0.4) + tone(1400, 0.4, 0.3)) == {
        "machine_start"
    }
    for fax in (tone(2100, 3.0, 0.2), tone(1100, 0.5, 0.2)):
        assert everywhere(silence(1.0) + fax) == {"fax"}


def test_nobody_can_tell_silence_or_a_click() -> None:
    click = from_floats(np.random.default_rng(2).normal(0, 0.3, 160))
    for sound in (b"", silence(1.0) + click):
        assert everywhere(sound) == {"unknown"}
    ear = AnswerEar()
    ear.rest(5.1)
    assert ear.verdict == "unknown"
