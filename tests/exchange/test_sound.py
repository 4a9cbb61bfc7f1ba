"""Sound: what is decoded, and that the ear tells a voice from a line."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from ivr.exchange.ear import Ear
from ivr.exchange.errors import SoundError
from ivr.exchange.sound import BEEP, RATE, decode, silence, to_wav, tone
from tests.exchange.town import speech


@pytest.mark.parametrize(
    ("rate", "subtype", "form", "channels"),
    [
        (8000, "ALAW", "WAV", 1),
        (8000, "ULAW", "WAV", 1),
        (8000, "PCM_16", "WAV", 1),
        (24000, "PCM_16", "WAV", 1),
        (44100, "FLOAT", "WAV", 2),
        (16000, "PCM_16", "FLAC", 1),
    ],
)
def test_what_a_synthesiser_or_a_recorder_makes_is_played(rate: int, subtype: str, form: str, channels: int):
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    file = io.BytesIO()
    soundfile.write(file, np.column_stack([wave] * channels), rate, subtype=subtype, format=form)
    heard = np.frombuffer(decode(file.getvalue()), "<i2") / 32768
    assert len(heard) == pytest.approx(RATE, abs=2)
    wanted = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(heard)) / RATE)
    middle = slice(400, -400)
    assert np.corrcoef(heard[middle], wanted[middle])[0, 1] > 0.999


@pytest.mark.parametrize("data", [b"", b"RIFF", b"<html>404</html>" * 50])
def test_what_is_no_sound_is_refused(data: bytes):
    with pytest.raises(SoundError):
        decode(data)


def test_a_wav_goes_round():
    assert (
        decode(to_wav(BEEP)) == pytest.approx(BEEP)
        or np.abs(np.frombuffer(decode(to_wav(BEEP)), "<i2").astype(int) - np.frombuffer(BEEP, "<i2")).max()
        <= 1
    )


def heard(pcm: bytes) -> Ear:
    ear = Ear()
    ear.hear(pcm)
    return ear


def test_the_ear_hears_speech_and_counts_the_silence_after_it():
    ear = heard(speech(3) + silence(2.5))
    assert ear.voiced_seconds > 0.5
    assert ear.silent_seconds == pytest.approx(2.5, abs=0.4)


def test_clicks_hum_and_hiss_are_not_speech():
    click = bytearray(silence(4))
    click[8000:8040] = b"\x00\x60" * 20
    hiss = (np.random.default_rng(3).normal(0, 0.004, RATE * 4) * 32767).astype("<i2").tobytes()
    for sound in (silence(4), bytes(click), tone(50, 4, 0.01), hiss):
        assert heard(sound).voiced_seconds == 0


def test_any_pieces_give_the_same_judgement():
    sound = speech(2) + silence(1)
    in_pieces = Ear()
    for start in range(0, len(sound), 77):
        in_pieces.hear(sound[start : start + 77])
    assert in_pieces.silent_seconds == pytest.approx(heard(sound).silent_seconds)
