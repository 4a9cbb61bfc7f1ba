"""Drawing speech out without lowering its pitch, with FFmpeg's `atempo`."""

from __future__ import annotations

import av
import av.error
import av.filter
import numpy as np

from speech.audio import Audio
from speech.errors import SpeechError


def stretch(audio: Audio, times: float) -> Audio:
    """The same speech lasting `times` as long (0.5 to 2). Raises SpeechError."""
    if times == 1.0 or not len(audio.samples):
        return audio
    try:
        graph = av.filter.Graph()
        source = graph.add_abuffer(format="flt", sample_rate=audio.rate, layout="mono", time_base=None)
        tempo = graph.add("atempo", f"{1 / times:.4f}")
        sink = graph.add("abuffersink")
        source.link_to(tempo)
        tempo.link_to(sink)
        graph.configure()
        frame = av.AudioFrame.from_ndarray(audio.samples.reshape(1, -1), format="flt", layout="mono")
        frame.sample_rate = audio.rate
        graph.push(frame)
        graph.push(None)
        return Audio(_drain(graph), audio.rate)
    except av.error.FFmpegError as error:
        raise SpeechError(f"speech could not be drawn out: {error}", permanent=False) from error


def _drain(graph: av.filter.Graph) -> np.ndarray:
    blocks: list[np.ndarray] = []
    while True:
        try:
            blocks.append(graph.pull().to_ndarray().reshape(-1))
        except (av.error.BlockingIOError, av.error.EOFError):
            break
    samples: np.ndarray = np.concatenate(blocks).astype(np.float32)
    return samples
