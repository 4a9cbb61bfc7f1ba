"""Reading sound of every kind, and refusing what is none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech.audio import Audio, join, read_audio, resample, silence, write_phone_wav, write_wav
from speech.errors import SpeechError
from speech.loudness import level
from speech.stretch import stretch


def tone(seconds: float = 1.0, rate: int = 8000, pitch: float = 440) -> Audio:
    time = np.arange(int(seconds * rate)) / rate
    return Audio((np.sin(2 * np.pi * pitch * time) * 0.3).astype(np.float32), rate)


def encoded(samples: np.ndarray, rate: int, kind: str, encoding: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype=encoding)
    return out.getvalue()


@pytest.mark.parametrize("encoding", ["PCM_16", "PCM_24", "FLOAT", "ALAW", "ULAW"])
def test_every_usual_wav_is_read(encoding: str) -> None:
    sound = read_audio(encoded(tone().samples, 8000, "WAV", encoding))
    assert sound.rate == 8000
    assert np.abs(sound.samples - tone().samples).max() < 0.03


def test_stereo_at_44100_becomes_mono() -> None:
    left = tone(rate=44100).samples
    sound = read_audio(encoded(np.stack([left, np.zeros_like(left)], axis=1), 44100, "WAV", "PCM_16"))
    assert sound.samples.shape == left.shape
    assert sound.rate == 44100
    assert abs(np.abs(sound.samples).max() - 0.15) < 0.01


def test_mp3_under_another_name_is_read_by_its_content() -> None:
    assert 0.9 < read_audio(encoded(tone().samples, 8000, "MP3", "MPEG_LAYER_III")).seconds < 1.3


def test_a_cut_off_file_gives_what_is_left() -> None:
    whole = write_wav(tone(2.0))
    assert 0.9 < read_audio(whole[: len(whole) // 2]).seconds < 1.1


def zip_bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("sound.wav", b"\0" * 10_000_000)
    return out.getvalue()


BROKEN = {
    "nothing": b"",
    "text": b"this is no sound",
    "header alone": write_wav(tone())[:44],
    "half a header": write_wav(tone())[:20],
    "a zip": zip_bomb(),
    "no samples": write_wav(silence(0, 8000)),
    "not numbers": encoded(np.full(800, np.nan, np.float32), 8000, "WAV", "FLOAT"),
    "too long": write_wav(silence(20, 8000)),
    "too long, compressed": encoded(np.zeros(48000 * 60), 48000, "FLAC", "PCM_16"),
    "a rate nobody uses": write_wav(Audio(tone().samples, 400_000)),
    "twenty channels": encoded(np.zeros((100, 20)), 8000, "WAV", "PCM_16"),
    "an odd kind": encoded(tone().samples, 8000, "AU", "PCM_16"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_recording_is_refused_for_good(kind: str) -> None:
    with pytest.raises(SpeechError) as caught:
        read_audio(BROKEN[kind], max_seconds=10)
    assert caught.value.permanent


def test_a_file_that_is_away_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as caught:
        read_audio(tmp_path / "gone.wav")
    assert not caught.value.permanent


def test_random_bytes_after_a_header_never_crash() -> None:
    header = write_wav(tone())[:36]
    for seed in range(200):
        noise = np.random.default_rng(seed).bytes(300)
        try:
            read_audio(header[: seed % 37] + noise)
        except SpeechError:
            continue


def test_phone_wav_is_a_law_at_8_khz() -> None:
    info = soundfile.info(io.BytesIO(write_phone_wav(tone(rate=24000))))
    assert (info.samplerate, info.subtype, info.channels) == (8000, "ALAW", 1)


def test_join_brings_all_to_one_rate() -> None:
    sound = join([tone(1, 8000), tone(1, 16000)], gap_seconds=0.5)
    assert sound.rate == 8000
    assert abs(sound.seconds - 2.5) < 0.01


def test_resample_keeps_the_length() -> None:
    assert abs(resample(tone(1.5), 16000).seconds - 1.5) < 0.01


@pytest.mark.parametrize("size", [0.01, 1.0, 3.0])
def test_everything_is_equally_loud(size: float) -> None:
    sound = level(Audio(tone().samples * np.float32(size), 8000))
    assert abs(float(np.sqrt(np.mean(sound.samples**2))) - 0.1) < 0.01
    assert np.abs(sound.samples).max() < 0.9


def test_silence_is_not_made_loud() -> None:
    assert not level(silence(1, 8000)).samples.any()


def test_stretching_keeps_the_pitch() -> None:
    sound = stretch(tone(2.0, 24000), 1.2)
    assert abs(sound.seconds - 2.4) < 0.1
    spectrum = np.abs(np.fft.rfft(sound.samples))
    assert abs(np.argmax(spectrum) / sound.seconds - 440) < 5
