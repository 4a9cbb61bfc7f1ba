"""What browsers record is read: WebM from Chromium and Firefox, MP4 from Safari; nothing else is opened."""

from __future__ import annotations

import io

import av
import numpy as np
import pytest

from speech.audio import Audio, write_wav
from speech.browser_sound import RATE, read_browser_sound
from speech.errors import SpeechError

SECONDS = 2.0


def recorded(container: str, codec: str) -> bytes:
    """Two seconds of a tone, as a browser would send them."""
    file = io.BytesIO()
    at = np.arange(int(SECONDS * 48_000)) / 48_000
    tone = (0.3 * np.sin(2 * np.pi * 300 * at)).astype(np.float32)
    with av.open(file, mode="w", format=container) as target:
        stream = target.add_stream(codec, rate=48_000, layout="mono")
        for start in range(0, len(tone), 960):
            frame = av.AudioFrame.from_ndarray(tone[None, start : start + 960], format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48_000, start
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(("container", "codec"), [("webm", "libopus"), ("mp4", "aac")])
def test_recordings_of_browsers_become_sound(container: str, codec: str) -> None:
    content = recorded(container, codec)
    heard = read_browser_sound(content)
    assert heard.rate == RATE
    assert heard.seconds == pytest.approx(SECONDS, abs=0.15)
    assert 0.15 < float(np.sqrt(np.mean(heard.samples**2))) < 0.25  # a tone of 0.3
    with pytest.raises(SpeechError, match="longer") as refused:
        read_browser_sound(content, max_seconds=1.0)
    assert refused.value.permanent
    with pytest.raises(SpeechError):
        read_browser_sound(content[:60])


def test_plain_sound_is_read_as_ever_and_playlists_are_never_opened() -> None:
    plain = Audio(np.full(8000, 0.1, dtype=np.float32), 8000)
    assert read_browser_sound(write_wav(plain)).seconds == 1.0
    for content in (
        b"",
        b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n",
        b"ffconcat version 1.0\nfile a.wav\n",
    ):
        with pytest.raises(SpeechError):
            read_browser_sound(content)
