"""The telephone line and the noisy room that engines are judged through."""

from __future__ import annotations

import numpy as np
import pytest

from speech.audio import Audio, join, silence
from speech.channel import CONDITIONS, noisy, phone


def tone(seconds: float = 1.0, rate: int = 16_000, pitch: float = 440) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    return Audio((np.sin(2 * np.pi * pitch * time) * 0.3).astype(np.float32), rate)


def loudness(audio: Audio) -> float:
    return float(np.sqrt(np.mean(audio.samples.astype(np.float64) ** 2)))


def test_the_phone_keeps_the_middle_and_drops_the_edges() -> None:
    heard = {pitch: loudness(phone(tone(pitch=pitch))) for pitch in (60, 1000, 3900)}
    assert heard[1000] > 0.19
    assert heard[60] < 0.03
    assert heard[3900] < 0.03
    assert phone(tone()).rate == 8000
    assert phone(silence(0, 16_000)).seconds == 0


def test_noise_is_as_far_below_the_speech_as_asked_and_pauses_do_not_count() -> None:
    spoken = tone(2.0)
    for sound in (spoken, join([spoken, silence(6, 16_000)])):
        noise = noisy(sound, 15, seed=3).samples - sound.samples
        distance = 20 * np.log10(loudness(spoken) / loudness(Audio(noise, 16_000)))
        assert abs(distance - 15) < 0.3


def test_the_same_seed_gives_the_same_noise_and_never_more_than_full_scale() -> None:
    loud = Audio(tone().samples / np.float32(0.3), 16_000)
    first, again, other = (noisy(loud, 0, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.samples, again.samples)
    assert not np.array_equal(first.samples, other.samples)
    assert np.abs(first.samples).max() <= 1


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_takes_silence_and_nothing(condition: str) -> None:
    for seconds in (0.0, 0.001, 1.0):
        heard = CONDITIONS[condition](silence(seconds, 16_000), 1).samples
        assert np.abs(heard).max(initial=0) < 0.001  # A-law has no zero: its idle code is 8 of 32768
