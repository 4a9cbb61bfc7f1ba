"""The shape of a sound as one SVG path, so that silence and speech can be seen before they are heard."""

from __future__ import annotations

import numpy as np

from speech.audio import Audio

COLUMNS, HEIGHT = 240, 40


def wave_path(audio: Audio) -> str:
    """A vertical stroke for the loudest moment of each of `COLUMNS` stretches, in a box of that width."""
    loud = np.abs(audio.samples)
    peaks = np.array([part.max(initial=0.0) for part in np.array_split(loud, COLUMNS)])
    scaled = np.sqrt(peaks / max(float(peaks.max()), 1e-6))  # so that soft speech is seen, too
    reach = np.maximum(scaled * HEIGHT / 2, 0.5)
    return "".join(
        f"M{x + 0.5:g} {HEIGHT / 2 - one:.1f}V{HEIGHT / 2 + one:.1f}" for x, one in enumerate(reach)
    )
