"""How loud a sound is to the ear: EBU R 128 by FFmpeg's own meter."""

from __future__ import annotations

import av.filter
import numpy as np
from av.error import BlockingIOError as NothingYet
from av.error import EOFError as Over

from speech.audio import Audio, resample

RATE = 48_000
BLOCK = 4_800
INTEGRATED = "lavfi.r128.I"


def loudness(audio: Audio) -> float:
    """Integrated loudness in LUFS; needs 0.4 s of sound at least."""
    samples = resample(audio, RATE).samples
    graph = av.filter.Graph()
    source = graph.add_abuffer(format="flt", sample_rate=RATE, layout="mono", time_base=None)
    meter, sink = graph.add("ebur128", "metadata=1"), graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    for start in range(0, len(samples), BLOCK):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples[start : start + BLOCK]).reshape(1, -1), format="flt", layout="mono"
        )
        frame.sample_rate = RATE
        graph.push(frame)
    graph.push(None)
    measured = -70.0
    while True:
        try:
            measured = float(graph.pull().metadata.get(INTEGRATED, measured))
        except (NothingYet, Over):
            return measured
