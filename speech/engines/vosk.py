"""A recognizer for any Vosk model that an operator has; it can listen for a few words alone."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from copy import copy
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import vosk
from opencc import OpenCC

from speech.audio import Audio, resample
from speech.errors import SpeechError
from speech.punctuate import punctuate
from speech.recognize import Transcript, Word
from speech.voice_activity import speech_spans

RATE = 16_000
BLOCK_SAMPLES = 8_000
UNKNOWN = "[unk]"  # what many models have for all that is none of their words
KNOWN_LANGUAGES = {"cn": "zh", "zh": "zh", "ko": "ko", "en": "en"}


class VoskRecognizer:
    """Vosk over one model folder: `models` itself, or the only folder in `models/vosk`."""

    name = "vosk"

    def __init__(self, models: Path) -> None:
        folder = model_folder(models)
        vosk.SetLogLevel(-1)
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:  # vosk raises a bare Exception
            raise SpeechError(f"the vosk model in {folder} can't be loaded", permanent=False) from error
        self.languages = frozenset({language_of(folder)})
        self._grammar = ""
        self._version = f"vosk {version('vosk')} {folder.name}"
        self._simplify = OpenCC("t2s").convert

    def among(self, words: Sequence[str]) -> VoskRecognizer:
        """The same loaded model, but nothing else can be heard than these words: digits, yes and no.

        Raises SpeechError (permanent) for a word that the model does not know: it could never be heard.
        """
        if unknown := [word for word in words if self._model.vosk_model_find_word(word) < 0]:
            raise SpeechError(f"the vosk model knows no word {'、'.join(unknown)}", permanent=True)
        other = self._model.vosk_model_find_word(UNKNOWN) >= 0
        narrow = copy(self)
        narrow._grammar = json.dumps([*words, *([UNKNOWN] if other else [])], ensure_ascii=False)
        return narrow

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        """The words in `audio`; hints are not used. Raises SpeechError."""
        del hints
        samples = resample(audio, RATE).samples
        spans = speech_spans(Audio(samples, RATE))
        words = tuple(word for span in spans for word in self._listen(samples, *span))
        text = punctuate(words)
        confidence = float(np.mean([word.confidence for word in words])) if text else 0.0
        seconds = sum(end - start for start, end in spans)
        return Transcript(text, words if text else (), language, self._version, round(confidence, 3), seconds)

    def _listen(self, samples: np.ndarray, start: float, end: float) -> list[Word]:
        listener = vosk.KaldiRecognizer(self._model, RATE, *([self._grammar] if self._grammar else []))
        listener.SetWords(True)
        sound = (samples[int(start * RATE) : int(end * RATE)] * 32767).astype(np.int16).tobytes()
        found: list[dict[str, Any]] = []
        for at in range(0, len(sound), BLOCK_SAMPLES * 2):
            if listener.AcceptWaveform(sound[at : at + BLOCK_SAMPLES * 2]):
                found += json.loads(listener.Result()).get("result", [])
        found += json.loads(listener.FinalResult()).get("result", [])
        return [
            Word(self._simplify(word["word"]), start + word["start"], start + word["end"], word["conf"])
            for word in found
            if word["word"] != UNKNOWN
        ]


def model_folder(models: Path) -> Path:
    """Where the acoustic model is, wherever the operator unpacked it. Raises SpeechError (not permanent)."""
    for base in (models, models / "vosk"):
        if (base / "am").is_dir() or (base / "final.mdl").is_file():
            return base
        inside = sorted(path.parent for path in base.glob("*/am")) if base.is_dir() else []
        if inside:
            return inside[0]
    raise SpeechError(f"there is no vosk model in {models / 'vosk'}", permanent=False)


def language_of(folder: Path) -> str:
    """The language that the folder's name tells (vosk-model-small-cn-0.22); Chinese where it tells none."""
    parts = re.split(r"[-_]", f"{folder.name}-{folder.parent.name}".lower())
    return next((KNOWN_LANGUAGES[part] for part in parts if part in KNOWN_LANGUAGES), "zh")
