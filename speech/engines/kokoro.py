"""The default synthesizer: Kokoro-82M (int8) through onnxruntime, with Mandarin voices."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
from misaki.zh import ZHG2P

from speech.audio import Audio, join
from speech.engines.espeak import EspeakSynthesizer
from speech.errors import SpeechError
from speech.pronounce import Pronunciations, Speller
from speech.synthesize import FEMALE, VOICES

RATE = 24_000
THREADS = 2
MAX_SYMBOLS = 480  # the model takes 510; beyond some 400 its pace runs away
STYLE_SIZE = 256
MURMURED = frozenset("七")  # alone behind a space it begins with a murmur: over a telephone 你去
SILENCE_LEVEL = 0.004
EDGE_SECONDS = 0.06


class KokoroSynthesizer:
    """Kokoro over `models/kokoro`, on at most two threads.

    It speaks Mandarin; sentences in other languages it hands to espeak-ng.
    """

    name = "kokoro"
    voices: tuple[str, ...] = tuple(sorted({*VOICES.values()}))

    def __init__(self, models: Path, pronunciations: Pronunciations | None = None) -> None:
        folder = models / "kokoro"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # beside phone lines
        options.enable_cpu_mem_arena = (
            False  # the arena would keep hundreds of megabytes after a long sentence
        )
        options.log_severity_level = 3
        try:
            self._symbols: dict[str, int] = json.loads((folder / "symbols.json").read_text())["vocab"]
            self._styles = {name: _style(folder / "voices", name) for name in self.voices}
            self._session = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime raises its own kinds for a missing or broken file
            raise SpeechError(
                f"the weights of kokoro are missing or broken: {error}", permanent=False
            ) from error
        self._taught = dict(pronunciations or {})
        self._speller = Speller(self._taught)
        self.version = f"kokoro-82m int8, misaki {version('misaki')}"

    def teach(self, pronunciations: Pronunciations) -> None:
        """Take a community's own list of names and their pinyin, in place of an earlier one."""
        if pronunciations != self._taught:  # a speller costs a second
            self._taught = dict(pronunciations)
            self._speller = Speller(self._taught)

    def say(self, text: str, language: str = "zh", voice: str = FEMALE) -> Audio:
        """The sentence at 24 kHz (English at 22.05), with hardly any silence at its ends. Raises SpeechError.

        Numbers must have been put into words already (`speech.reading`).
        """
        if language != "zh":
            return EspeakSynthesizer().say(text, language, voice)
        style = self._styles.get(voice, self._styles[FEMALE])
        pieces = [self._render(symbols, style) for symbols in _portions(self._spell(text))]
        if not pieces:
            raise SpeechError("there is nothing to say", permanent=True)
        return join(pieces, gap_seconds=0.15)

    def _spell(self, text: str) -> list[list[int]]:
        """The symbols of each word and mark. A word begins with a space, but for a 七 all by itself."""
        words, before = [], "" if text in MURMURED else " "
        for word in self._speller.spell(text):
            spelled = word if isinstance(word, str) else before + "".join(map(_sound, word))
            if ids := [self._symbols[symbol] for symbol in spelled if symbol in self._symbols]:
                words.append(ids)
        return words

    def _render(self, symbols: list[int], style: np.ndarray) -> Audio:
        return _trim(self._infer(symbols, style[min(len(symbols), len(style) - 1)]))

    def _infer(self, symbols: list[int], style: np.ndarray) -> np.ndarray:
        """What the model makes of symbols in a style of shape (1, 256): samples at `RATE`, shape (n,)."""
        feeds = {
            "tokens": np.array([[0, *symbols, 0]], np.int64),
            "style": style,
            "speed": np.ones(1, np.float32),
        }
        try:
            (samples,) = self._session.run(None, feeds)
        except Exception as error:
            raise SpeechError(f"kokoro failed: {error}", permanent=False) from error
        return np.asarray(samples, np.float32).reshape(-1)


def _style(folder: Path, voice: str) -> np.ndarray:
    """One row of shape (1, 256) for every length of sentence; `a+b` is halfway between two voices."""
    rows = [np.fromfile(folder / f"{name}.bin", np.float32) for name in voice.split("+")]
    return np.mean(rows, axis=0, dtype=np.float32).reshape(-1, 1, STYLE_SIZE)


def _sound(syllable: str) -> str:
    sound: str = ZHG2P.py2ipa(syllable).replace(chr(815), "")
    return sound


def _portions(words: list[list[int]]) -> list[list[int]]:
    """Words joined into portions that the model can take; one without any voiced symbol is left out."""
    portions: list[list[int]] = [[]]
    for word in words:
        if len(portions[-1]) + len(word) > MAX_SYMBOLS:
            portions.append([])
        portions[-1] += word
    return [portion for portion in portions if any(symbol > 16 for symbol in portion)]


def _trim(samples: np.ndarray) -> Audio:
    loud = np.flatnonzero(np.abs(samples) > SILENCE_LEVEL)
    if not len(loud):
        return Audio(samples, RATE)
    edge = round(EDGE_SECONDS * RATE)
    return Audio(samples[max(0, loud[0] - edge) : loud[-1] + edge], RATE)
