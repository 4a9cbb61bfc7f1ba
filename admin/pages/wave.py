"""How loud a sound is from moment to moment, so that silence and speech can be seen before they are heard."""

from __future__ import annotations

import numpy as np

from speech.audio import Audio

COLUMNS = 400
LOUDEST = 100


def peaks(audio: Audio) -> list[int]:
    """The loudest moment of each of `COLUMNS` stretches, 0 to `LOUDEST`: what the browser need not decode."""
    loud = np.abs(audio.samples)
    found = np.array([part.max(initial=0.0) for part in np.array_split(loud, COLUMNS)])
    scaled = np.sqrt(found / max(float(found.max()), 1e-6))  # so that soft speech is seen, too
    return [round(float(one) * LOUDEST) for one in scaled]
