"""Sound as browsers and telephones record it: WebM or MP4 beside what `speech.audio` reads by itself."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import av.error
import numpy as np

from speech.audio import Audio, Samples, read_audio
from speech.errors import SpeechError

RATE = 24_000  # more than a voice needs
_MAGIC = {0: (b"\x1a\x45\xdf\xa3", "matroska"), 4: (b"ftyp", "mov")}


def read_browser_sound(data: bytes, max_seconds: float = 300) -> Audio:
    """A recording made in a browser, told by content; one channel.

    Only these containers are opened: none of them leads to another file or address. Raises SpeechError
    (permanent) when it is none of them, is empty, or lasts longer than `max_seconds`.
    """
    container = _container(data)
    if container is None:
        return read_audio(data, max_seconds)
    try:
        samples = np.concatenate([np.zeros(0, np.float32), *_decoded(data, container, max_seconds)])
    except (av.error.FFmpegError, ValueError, IndexError) as error:
        raise SpeechError("this is no sound that can be read", permanent=True) from error
    if not len(samples):
        raise SpeechError("the recording is empty", permanent=True)
    return Audio(np.clip(np.nan_to_num(samples), -1.0, 1.0), RATE)


def _container(data: bytes) -> str | None:
    for place, (magic, name) in _MAGIC.items():
        if data[place : place + len(magic)] == magic:
            return name
    return None


def _decoded(data: bytes, container: str, max_seconds: float) -> Iterator[Samples]:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    count = 0
    with av.open(io.BytesIO(data), mode="r", format=container) as source:
        if not source.streams.audio:
            raise SpeechError("there is no sound in it", permanent=True)
        for frame in source.decode(source.streams.audio[0]):
            for piece in resampler.resample(frame):
                part = piece.to_ndarray().reshape(-1).astype(np.float32)
                count += len(part)
                if count > max_seconds * RATE:
                    raise SpeechError(f"the recording is longer than {max_seconds:g} s", permanent=True)
                yield part
