"""One loudness for everything that is played, whoever spoke it."""

from __future__ import annotations

import numpy as np

from speech.audio import Audio

TARGET_LEVEL = 0.1  # -20 dB below full scale, over the parts where somebody speaks
PEAK = 0.89
WINDOW_SECONDS = 0.05


def level(audio: Audio) -> Audio:
    """The same sound at the usual loudness; peaks stay below -1 dB, silence stays silence."""
    window = max(1, round(WINDOW_SECONDS * audio.rate))
    whole = audio.samples[: len(audio.samples) // window * window].reshape(-1, window)
    if not len(whole):
        return audio
    powers = np.mean(whole.astype(np.float64) ** 2, axis=1)
    voiced = powers[powers > powers.max() * 0.003]
    if not len(voiced) or powers.max() < 1e-8:
        return audio
    gain = TARGET_LEVEL / float(np.sqrt(voiced.mean()))
    return Audio(_limit(audio.samples * np.float32(gain)), audio.rate)


def _limit(samples: np.ndarray) -> np.ndarray:
    """Bend what would go beyond the peak instead of cutting it off."""
    knee = PEAK * 0.7
    size = np.abs(samples)
    bent = knee + (PEAK - knee) * np.tanh((size - knee) / (PEAK - knee))
    limited: np.ndarray = np.where(size > knee, np.sign(samples) * bent, samples).astype(np.float32)
    return limited
