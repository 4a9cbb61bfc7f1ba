"""Recordings that are broken, that lie or that swell: named errors, never a crash, a hang, all the memory."""

from __future__ import annotations

import gzip
import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import soundfile

from speech.audio import FULL_BAND_RATE, Audio, read_audio, write_wav
from speech.errors import SpeechError

RATE = 16_000
TONE = (np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE) * 0.3).astype(np.float32)
MOST_BYTES = 256 * 1024 * 1024  # of data, in a process that reads four minutes at 192 kHz


def encoded(samples: np.ndarray, rate: int, kind: str, encoding: str) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format=kind, subtype=encoding)
    return out.getvalue()


def changed(sound: bytes, *changes: tuple[int, bytes]) -> bytes:
    """With other bytes at some places."""
    spoilt = bytearray(sound)
    for place, new in changes:
        spoilt[place : place + len(new)] = new
    return bytes(spoilt)


def mp3_in_riff() -> bytes:
    """An MP3 stream in the chunks of a WAV file, as some recorders write it (format tag 0x55)."""
    mp3 = encoded(TONE, RATE, "MP3", "MPEG_LAYER_III")
    form = struct.pack("<HHIIHHHHIHHH", 0x55, 1, RATE, 4000, 1, 0, 12, 1, 2, 144, 1, 0)
    chunks = b"fmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(mp3)) + mp3
    return b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WAVE" + chunks


WAV = write_wav(Audio(TONE, RATE))
FLAC = encoded(TONE, RATE, "FLAC", "PCM_16")
STREAMINFO = 8  # where it begins in a FLAC file; rate, channels and length are its bytes 10 to 17
WITH_INFINITY = np.where(np.arange(len(TONE)) == 700, np.float32("inf"), TONE)
LONG_AGO = struct.pack("<I", 0xFFFFFFFF)

READ: Mapping[str, tuple[bytes, float]] = {  # and how many seconds of it
    "stereo": (encoded(np.stack([TONE, TONE], axis=1), RATE, "WAV", "PCM_16"), 2.0),
    "44.1 kHz": (encoded(TONE, 44_100, "WAV", "PCM_16"), len(TONE) / 44_100),
    "an mp3": (encoded(TONE, RATE, "MP3", "MPEG_LAYER_III"), 2.0),
    "an mp3 in a wav": (mp3_in_riff(), 2.0),
    "cut in the middle": (WAV[: len(WAV) // 2], 1.0),
    "a flac cut in the middle": (FLAC[: len(FLAC) * 3 // 4], 1.25),
    "a length of four gigabytes": (changed(WAV, (4, LONG_AGO), (40, LONG_AGO)), 2.0),
    "a flac of open length": (changed(FLAC, (STREAMINFO + 13, b"\xf0\0\0\0\0")), 2.0),
    "louder than full scale": (encoded(TONE * 1e30, RATE, "WAV", "FLOAT"), 2.0),
    "192 kHz": (encoded(TONE, 192_000, "WAV", "PCM_16"), len(TONE) / 192_000),
}

REFUSED: Mapping[str, bytes] = {
    "infinities": encoded(WITH_INFINITY, RATE, "WAV", "FLOAT"),
    "not numbers": encoded(np.full(800, np.nan), RATE, "WAV", "DOUBLE"),
    "no samples a second": changed(WAV, (24, b"\0\0\0\0")),
    "a negative rate": changed(WAV, (24, struct.pack("<i", -8000))),
    "no channels": changed(WAV, (22, b"\0\0")),
    "a chunk of negative size": changed(WAV, (16, struct.pack("<i", -1))),
    "no bits a sample": changed(WAV, (34, b"\0\0"), (32, b"\0\0")),
    "an unknown encoding": changed(WAV, (20, b"\x77\x77")),
    "a gzip": gzip.compress(WAV * 20),
    "a gzip of nothing but zeros": gzip.compress(bytes(50_000_000)),
    "hours of FLAC in a header": changed(FLAC, (STREAMINFO + 13, b"\xff\xff\xff\xff\xff")),
    "eight channels of 192 kHz": encoded(np.zeros((1000, 8)), 192_000, "FLAC", "PCM_16"),
    "bytes of chance": np.random.default_rng(4).bytes(100_000),
    "a name": b"RIFF\x24\0\0\0WAVE",
    "a playlist": b"#EXTM3U\nfile:///etc/passwd\n",
}


@pytest.mark.parametrize("kind", READ)
def test_what_is_odd_but_whole_is_read(kind: str) -> None:
    data, seconds = READ[kind]
    sound = read_audio(data)
    assert abs(sound.seconds - seconds) < 0.3
    assert sound.rate <= FULL_BAND_RATE
    assert np.abs(sound.samples).max() <= 1
    assert sound.samples.any()


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_sound_is_refused_for_good(kind: str) -> None:
    with pytest.raises(SpeechError) as caught:
        read_audio(REFUSED[kind])
    assert caught.value.permanent


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    for place in (tmp_path / "pipe.wav", tmp_path, Path("/dev/zero")):
        with pytest.raises(SpeechError) as caught:
            read_audio(place)
        assert caught.value.permanent


def in_a_small_process(folder: Path, work: str) -> str:
    """What `work` prints in a process that may hold so much and no more; it must end well and soon."""
    bounded = f"import resource; resource.setrlimit(resource.RLIMIT_DATA, ({MOST_BYTES}, {MOST_BYTES}))\n"
    done = subprocess.run(
        [sys.executable, "-c", bounded + work], capture_output=True, text=True, timeout=120, cwd=folder
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def swollen(write: Callable[[soundfile.SoundFile], None], **options: object) -> bytes:
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", **options) as file:
        write(file)
    return out.getvalue()


def test_a_small_file_that_swells_fills_no_memory(tmp_path: Path) -> None:
    """Four minutes of silence at 192 kHz are 60 kB of FLAC and 180 MB of samples; 46 MB are held of them."""

    def four_minutes(file: soundfile.SoundFile) -> None:
        quiet = np.zeros(192_000 * 20, np.int16)
        for _ in range(12):
            file.write(quiet)

    bomb = swollen(four_minutes, samplerate=192_000, channels=1, format="FLAC", subtype="PCM_16")
    assert len(bomb) < 500_000
    (tmp_path / "bomb").write_bytes(bomb)
    told = in_a_small_process(
        tmp_path,
        "from pathlib import Path\n"
        "from speech.audio import read_audio\n"
        "from speech.errors import SpeechError\n"
        "print(round(read_audio(Path('bomb')).seconds))\n"
        "try: read_audio(Path('bomb'), max_seconds=60)\n"
        "except SpeechError as error: print(error)\n",
    )
    assert told.splitlines() == ["240", "the recording is longer than 60 s"]


def test_a_thousand_spoilt_files_are_read_or_refused(tmp_path: Path) -> None:
    """Of every format, with bytes and lengths changed at random, mostly in their headers."""
    kinds = {
        "WAV": "PCM_16 ALAW FLOAT GSM610 IMA_ADPCM",
        "FLAC": "PCM_16",
        "OGG": "VORBIS OPUS",
        "W64": "PCM_16",
    }
    kinds["MP3"] = "MPEG_LAYER_III"
    for kind, encodings in kinds.items():
        for encoding in encodings.split():
            (tmp_path / f"{kind}.{encoding}").write_bytes(encoded(TONE, RATE, kind, encoding))
    told = in_a_small_process(tmp_path, SPOIL)
    read, refused = map(int, told.split())
    assert read + refused == 1000
    assert read > 100
    assert refused > 100


SPOIL = """
import random, struct, time
from pathlib import Path
from speech.audio import read_audio
from speech.errors import SpeechError
chance, read, refused = random.Random(11), 0, 0
seeds = [path.read_bytes() for path in sorted(Path(".").iterdir())]
for _ in range(1000):
    spoilt = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(min(len(spoilt) - 4, chance.choice((48, 120, 100_000))))
        size = chance.choice((-1, 0, 1, -(2**31), 2**31 - 1, 65_536, chance.randrange(2**31)))
        new = chance.choice((struct.pack("<i", size), struct.pack(">i", size), chance.randbytes(1)))
        spoilt[place : place + len(new)] = new
    if chance.random() < 0.2:
        del spoilt[chance.randrange(len(spoilt)) :]
    began = time.monotonic()
    try:
        sound = read_audio(bytes(spoilt))
        assert -1 <= sound.samples.min() <= sound.samples.max() <= 1
        read += 1
    except SpeechError as error:
        assert error.permanent
        refused += 1
    assert time.monotonic() - began < 20
print(read, refused)
"""
