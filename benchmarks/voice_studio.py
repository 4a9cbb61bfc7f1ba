"""Sentences as they are rendered for a call; what the model itself made of a phrase is kept between runs."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np

from benchmarks.voice_book import Heard
from benchmarks.voice_patience import ENDLESS, Patience
from speech.audio import Audio, read_audio, write_wav
from speech.engines.kokoro import RATE, KokoroSynthesizer
from speech.models import models_folder
from speech.pacing import Pace, speak


class RememberingKokoro(KokoroSynthesizer):
    """Kokoro that never says the same symbols twice in the same manner. Raises OutOfTimeError."""

    def __init__(self, models: Path, folder: Path, patience: Patience = ENDLESS) -> None:
        super().__init__(models)
        self._patience = patience
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def _infer(self, symbols: list[int], style: np.ndarray) -> np.ndarray:
        said = hashlib.sha256(np.array(symbols, np.int64).tobytes() + style.tobytes()).hexdigest()[:40]
        known = self._folder / f"{said}.wav"
        if not known.exists():
            self._patience.ask()
            known.write_bytes(write_wav(Audio(super()._infer(symbols, style), RATE)))
        return read_audio(known).samples


def kept_folder() -> Path:
    """Where sounds and transcripts lie between runs: `VOICE_KEPT`, or beside the models."""
    given = os.environ.get("VOICE_KEPT")
    return Path(given) if given else models_folder().parent / "voice-bench"


def clips_of(heard: Heard, synthesizer: KokoroSynthesizer, voice: str, is_slow: bool) -> list[Audio]:
    """Each clip of a sentence, paced and levelled; receipts are slow at any pace."""
    return [
        speak(clip.text, synthesizer, voice, Pace.SLOW if is_slow or clip.is_slow else Pace.NORMAL)
        for clip in heard.clips
    ]
