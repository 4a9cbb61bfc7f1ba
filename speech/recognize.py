"""Words from sound: the contract of a recognizer, and which engines there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

from speech.audio import Audio
from speech.engines import engine_class
from speech.models import models_folder


@dataclass(frozen=True)
class Word:
    """One word, when it was said (seconds from the recording's start), how sure the engine is, 0 to 1."""

    text: str
    start_seconds: float
    end_seconds: float
    confidence: float


@dataclass(frozen=True)
class Transcript:
    """What was said: simplified, punctuated text and its words; empty where nobody spoke.

    `confidence` is from 0 to 1; `engine` names the engine with its version; `speech_seconds` is how long
    there was a voice at all. `others`: what may have been said instead, the likeliest first, where the engine
    tells; it helps to find what is private (`speech/redact.py`) and is kept nowhere.
    """

    text: str
    words: tuple[Word, ...]
    language: str
    engine: str
    confidence: float
    speech_seconds: float
    others: tuple[str, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Nobody said a word that could be made out."""
        return not self.text


class Recognizer(Protocol):
    """Any engine that turns sound into words. It raises SpeechError and nothing else."""

    name: str
    languages: frozenset[str]

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        """The words in `audio`; `hints` are names and words likely to be said."""
        ...


ENGINES = {  # named here, imported on use
    "faster-whisper": "speech.engines.whisper:WhisperRecognizer",
    "vosk": "speech.engines.vosk:VoskRecognizer",
    "sherpa-onnx": "speech.engines.sherpa:SherpaRecognizer",
}


def load_recognizer(name: str = "faster-whisper", models: Path | None = None) -> Recognizer:
    """Load an engine with its weights from `models`: seconds and hundreds of megabytes, so load it once.

    `vosk:/srv/vosk-model-cn` names a model folder of its own. Raises SpeechError: permanent for an unknown
    engine, not permanent while its weights are missing.
    """
    name, _, folder = name.partition(":")
    engine = engine_class(ENGINES, name, "recognizer")
    return cast(Recognizer, engine(Path(folder).expanduser() if folder else models or models_folder()))
