"""A recognizer for an operator's Paraformer or SenseVoice model, through sherpa-onnx (an optional package).

NOT EXERCISED HERE with a real model: none can be had from a package registry. The tests hold it to what can
be held without one: the real library, and tiny graphs of the two models' shapes whose words are known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import sherpa_onnx
from opencc import OpenCC

from speech.audio import Audio, Samples, resample
from speech.errors import SpeechError
from speech.punctuate import MARKS, punctuate
from speech.recognize import Transcript, Word
from speech.voice_activity import speech_spans

THREADS = 2
RATE = 16_000
LEAST_SAMPLES = RATE // 2  # of fewer than seven frames the library makes a buffer of negative size
LONGEST_WORD_SECONDS = 0.4
UNKNOWN_CONFIDENCE = 0.3  # of a model that does not say how sure it is: a person shall listen
OPENINGS, GOES_ON = ("▁", " "), "@@"  # how SenseVoice begins and Paraformer breaks words in Latin letters
MODEL_FILES = ("model.int8.onnx", "model.onnx")  # the smaller first: this runs beside live calls
PARAFORMER, SENSE_VOICE = "paraformer", "sense-voice"
_FRAMES = frozenset({"vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev"})
_LANGUAGES = frozenset({"lang_auto", "lang_zh", "lang_en", "lang_ja", "lang_ko", "lang_yue"})
NEEDED: Mapping[str, frozenset[str]] = {
    PARAFORMER: _FRAMES,
    SENSE_VOICE: _FRAMES | _LANGUAGES | {"normalize_samples", "with_itn", "without_itn"},
}
SPOKEN: Mapping[str, frozenset[str]] = {
    PARAFORMER: frozenset({"zh", "en"}),
    SENSE_VOICE: frozenset({"zh", "yue", "en", "ja", "ko"}),
}


@dataclass(frozen=True)
class Model:
    """What lies in a model folder: which kind of network, its file, its list of symbols."""

    kind: str
    network: Path
    symbols: Path


class SherpaRecognizer:
    """sherpa-onnx over one model folder: `models` itself, `models/sherpa`, or the only folder in that."""

    name = "sherpa-onnx"

    def __init__(self, models: Path) -> None:
        self._model = find_model(models)
        self.languages = SPOKEN[self._model.kind]
        self._language = "zh"
        self._engine = self._load()
        self._version = f"{self.name} {version('sherpa-onnx')} {self._model.network.parent.name}"
        self._simplify = OpenCC("t2s").convert

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        """The words in `audio`; hints are not used. Raises SpeechError.

        SenseVoice is loaded for one language: another one than last time costs a second loading.
        """
        del hints
        if language != self._language and self._model.kind == SENSE_VOICE:
            self._language = language if language in self.languages else "auto"
            self._engine = self._load()
        samples = resample(audio, RATE).samples
        spans = speech_spans(Audio(samples, RATE))
        words = tuple(word for span in spans for word in self._listen(samples, *span))
        text = punctuate(words)
        confidence = float(np.mean([word.confidence for word in words])) if text else 0.0
        seconds = round(sum(end - start for start, end in spans), 2)
        return Transcript(text, words if text else (), language, self._version, round(confidence, 3), seconds)

    def _listen(self, samples: Samples, start: float, end: float) -> list[Word]:
        sound = samples[round(start * RATE) : round(end * RATE)]
        sound = np.pad(sound, (0, max(0, LEAST_SAMPLES - len(sound))))
        try:
            stream = self._engine.create_stream()
            stream.accept_waveform(RATE, sound)
            self._engine.decode_stream(stream)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise SpeechError(f"{self.name} failed: {error}", permanent=False) from error
        found = stream.result
        return [
            Word(
                self._simplify(word.text),
                round(start + word.start_seconds, 2),
                round(start + word.end_seconds, 2),
                word.confidence,
            )
            for word in joined(found.tokens, found.timestamps, found.ys_log_probs, end - start)
        ]

    def _load(self) -> Any:
        model, symbols = str(self._model.network), str(self._model.symbols)
        load = sherpa_onnx.OfflineRecognizer
        try:
            if self._model.kind == PARAFORMER:
                return load.from_paraformer(model, symbols, num_threads=THREADS)
            return load.from_sense_voice(
                model, symbols, num_threads=THREADS, language=self._language, use_itn=True
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechError(f"the model in {model} can't be loaded: {error}", permanent=False) from error


def find_model(models: Path) -> Model:
    """The model in a folder, told by what its network says of itself and not by the folder's name.

    Raises SpeechError (not permanent) where there is none or where it is not whole. The library ends the
    whole process over a network that lacks what it looks for; therefore everything is looked at first.
    """
    folder = _folder(models)
    network = _networks(folder)[0]
    told = _metadata(network)
    kind = SENSE_VOICE if told.keys() & _LANGUAGES else PARAFORMER
    if missing := NEEDED[kind] - told.keys():
        raise SpeechError(
            f"{network} is neither Paraformer nor SenseVoice for sherpa-onnx: it lacks {min(missing)}",
            permanent=False,
        )
    symbols = folder / "tokens.txt"
    _need_symbols(symbols, int(told["vocab_size"]), kind)
    return Model(kind, network, symbols)


def joined(
    tokens: Sequence[str], starts: Sequence[float], log_probs: Sequence[float], seconds: float
) -> list[Word]:
    """Words from the model's pieces: marks join what they follow, pieces of foreign words each other.

    `starts` are seconds from the beginning of a stretch that lasts `seconds`. A model that gives none (older
    Paraformer) may have said any word anywhere in it, and so it is told: who hides a word hides the stretch.
    """
    words: list[Word] = []
    has_openings = any(token.startswith(OPENINGS) for token in tokens)
    goes_on = False
    for place, token in enumerate(tokens):
        text = token.strip("".join(OPENINGS)).removesuffix(GOES_ON)
        start = min(seconds, starts[place]) if place < len(starts) else 0.0
        until = starts[place + 1] if place + 1 < len(starts) else seconds
        end = min(seconds, until, start + LONGEST_WORD_SECONDS) if starts else seconds
        sure = math.exp(log_probs[place]) if place < len(log_probs) else UNKNOWN_CONFIDENCE
        is_piece = goes_on or text in MARKS or (has_openings and _is_latin(text))
        if text and words and is_piece and not token.startswith(OPENINGS):
            words[-1] = _longer(words[-1], Word(text, start, end, sure))
        elif text and text not in MARKS:
            words.append(Word(text, start, end, sure))
        goes_on = token.endswith(GOES_ON)
    return words


def _longer(word: Word, piece: Word) -> Word:
    confidence = min(word.confidence, piece.confidence)
    return Word(word.text + piece.text, word.start_seconds, piece.end_seconds, confidence)


def _is_latin(text: str) -> bool:
    return text.isascii() and text.isalpha()


def _folder(models: Path) -> Path:
    own = models / "sherpa"
    inside = sorted(own.iterdir()) if own.is_dir() else []
    for folder in [models, own, *inside]:
        if _networks(folder):
            return folder
    raise SpeechError(f"there is no model for sherpa-onnx in {own}", permanent=False)


def _networks(folder: Path) -> list[Path]:
    return [folder / name for name in MODEL_FILES if (folder / name).is_file()]


def _metadata(network: Path) -> Mapping[str, str]:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(str(network), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime raises its own kinds for a broken file
        raise SpeechError(f"{network} is no network that can be read", permanent=False) from error
    told: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return told


def _need_symbols(symbols: Path, count: int, kind: str) -> None:
    try:
        rows = [row.rsplit(maxsplit=1) for row in symbols.read_text("utf-8").splitlines() if row.strip()]
        known = {int(row[-1]): row[0] for row in rows}
    except (OSError, ValueError) as error:
        raise SpeechError(f"{symbols} is missing or is no list of symbols", permanent=False) from error
    if not set(range(count)) <= known.keys() or (kind == PARAFORMER and "</s>" not in known.values()):
        raise SpeechError(f"{symbols} does not belong to the network beside it", permanent=False)
