"""The frozen judge of how well a voice is understood: stock Whisper base, told nothing, never repaired."""

from __future__ import annotations

import hashlib
from pathlib import Path

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel

from benchmarks.voice_patience import ENDLESS, Patience
from speech.audio import Audio, resample

RATE = 16_000
BEAM = 5
SEED = 1  # where Whisper doubts itself it tries again at random


class Judge:
    """Whisper base (int8, beam 5) with its own defaults; what it heard is kept in `folder` by the sound."""

    def __init__(self, models: Path, folder: Path, patience: Patience = ENDLESS) -> None:
        self._patience = patience
        self._folder = folder
        self._models = models
        self._model: WhisperModel | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def hear(self, sound: Audio) -> str:
        """The words of a Chinese sentence: no voice detection, no hint, no prompt. Raises OutOfTimeError."""
        samples = resample(sound, RATE).samples
        known = self._folder / f"{hashlib.sha256(samples.tobytes()).hexdigest()[:40]}.txt"
        if not known.exists():
            self._patience.ask()
            known.write_text(self._listen(samples), "utf-8")
        return known.read_text("utf-8")

    def _listen(self, samples: np.ndarray) -> str:
        if self._model is None:
            self._model = WhisperModel(
                str(self._models / "whisper-base"), device="cpu", compute_type="int8", cpu_threads=1,
                local_files_only=True,
            )  # fmt: skip
        ctranslate2.set_random_seed(SEED)
        segments, _ = self._model.transcribe(samples, language="zh", beam_size=BEAM)
        return "".join(segment.text for segment in segments)
