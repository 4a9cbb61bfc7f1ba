"""Which engines there are on this machine: versions, weights, languages, licences. Nothing is loaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from speech import models as default_models
from speech import recognize, synthesize
from speech.errors import SpeechError

RECOGNIZER, SYNTHESIZER = "recognizer", "synthesizer"


@dataclass(frozen=True)
class Facts:
    """What is known of an engine before it is loaded.

    `package` carries it; `licence` is that of the program, then of its weights. `languages` are None where
    the operator's model decides. `is_exercised`: the project's tests run it on a real model.
    """

    package: str
    licence: str
    languages: frozenset[str] | None
    is_exercised: bool = True


@dataclass(frozen=True)
class Engine:
    """One engine as it is here. `problem` is None where it can be used."""

    kind: str
    name: str
    facts: Facts
    version: str | None
    languages: frozenset[str]
    problem: str | None


FACTS: Mapping[str, Facts] = {
    "faster-whisper": Facts("faster-whisper", "MIT; MIT", frozenset({"zh", "yue", "en"})),
    "vosk": Facts("vosk", "Apache-2.0; the model's own", None),
    "sherpa-onnx": Facts("sherpa-onnx", "Apache-2.0; the model's own", None, is_exercised=False),
    "kokoro": Facts("onnxruntime", "MIT; Apache-2.0", frozenset({"zh", "en"})),
    "espeak": Facts("espeakng-loader", "GPL-3; –", frozenset({"zh", "en"})),
}


def engines(models: Path) -> tuple[Engine, ...]:
    """Every engine of both kinds with its weights in `models`, in the order of their tables.

    The default weights are read through once to check their digests: a second or two the first time.
    """
    problems = default_models.check(models)
    found = [(RECOGNIZER, name) for name in recognize.ENGINES]
    found += [(SYNTHESIZER, name) for name in synthesize.ENGINES]
    return tuple(_engine(kind, name, models, problems) for kind, name in found)


def _engine(kind: str, name: str, models: Path, problems: list[str]) -> Engine:
    facts = FACTS[name]
    try:
        installed = version(facts.package)
    except PackageNotFoundError:
        missing = f"the package {facts.package} is not installed"
        return Engine(kind, name, facts, None, facts.languages or frozenset(), missing)
    if name in FOLDERS:
        own = [problem for problem in problems if problem.startswith(FOLDERS[name])]
        return Engine(kind, name, facts, installed, facts.languages or frozenset(), next(iter(own), None))
    try:
        languages = OPERATORS[name](models) if name in OPERATORS else facts.languages
    except SpeechError as error:
        return Engine(kind, name, facts, installed, facts.languages or frozenset(), str(error))
    return Engine(kind, name, facts, installed, languages or frozenset(), None)


def _vosk(models: Path) -> frozenset[str]:
    from speech.engines.vosk import language_of, model_folder

    return frozenset({language_of(model_folder(models))})


def _sherpa(models: Path) -> frozenset[str]:
    from speech.engines.sherpa import SPOKEN, find_model

    return SPOKEN[find_model(models).kind]


FOLDERS: Mapping[str, str] = {"faster-whisper": "whisper-base/", "kokoro": "kokoro/"}
"""Engines whose weights the project fetches, and where they lie among the models."""

OPERATORS: Mapping[str, Callable[[Path], frozenset[str]]] = {"vosk": _vosk, "sherpa-onnx": _sherpa}
"""Engines whose weights an operator brings: the languages of what lies there. They raise SpeechError."""
