"""The default recognizer: Whisper base through faster-whisper, guarded against words that nobody said."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.vad import VadOptions, get_speech_timestamps
from opencc import OpenCC

from speech.audio import Audio, resample
from speech.errors import SpeechError
from speech.punctuate import punctuate
from speech.recognize import Transcript, Word

RATE = 16_000
THREADS = 2
BEAM = 5
MAX_HINTS = 40
VAD = VadOptions(threshold=0.5, min_speech_duration_ms=250, min_silence_duration_ms=1_000, speech_pad_ms=300)
# What Whisper says of itself into sounds without words; it learned them from subtitles of films.
ECHOES = (
    "字幕",
    "点赞",
    "订阅",
    "明镜",
    "谢谢观看",
    "感谢观看",
    "请不吝",
    "优优独播剧场",
    "中文字幕",
    "李宗盛",
)


class WhisperRecognizer:
    """faster-whisper over the weights in `models/whisper-base`, on at most two threads."""

    name = "faster-whisper"
    languages = frozenset({"zh", "yue", "en"})

    def __init__(self, models: Path) -> None:
        folder = models / "whisper-base"
        if not (folder / "model.bin").is_file():
            raise SpeechError(f"the weights of {self.name} are missing in {models}", permanent=False)
        try:
            self._model = WhisperModel(
                str(folder),
                device="cpu",
                compute_type="int8",
                cpu_threads=THREADS,
                num_workers=1,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise SpeechError(
                f"the weights of {self.name} can't be loaded: {error}", permanent=False
            ) from error
        self._simplify = OpenCC("t2s").convert
        self._version = f"{self.name} {version('faster-whisper')} base int8"

    def transcribe(self, audio: Audio, language: str = "zh", hints: Sequence[str] = ()) -> Transcript:
        """The words in `audio`, none where there is no voice. Raises SpeechError."""
        samples = resample(audio, RATE).samples
        spans = get_speech_timestamps(samples, VAD) if len(samples) else []
        speech_seconds = sum(span["end"] - span["start"] for span in spans) / RATE
        if not spans:
            return self._transcript((), language, 0.0)
        try:
            segments = self._decode(samples, language, hints)
        except (RuntimeError, ValueError, MemoryError) as error:
            raise SpeechError(
                f"{self.name} failed: {error}", permanent=isinstance(error, ValueError)
            ) from error
        words = [word for segment in segments if _is_spoken(segment) for word in self._words(segment)]
        return self._transcript(tuple(words), language, speech_seconds)

    def _decode(self, samples: np.ndarray, language: str, hints: Sequence[str]) -> list[Any]:
        found, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=BEAM,
            temperature=[0.0, 0.4],
            condition_on_previous_text=False,
            word_timestamps=True,
            vad_filter=True,
            vad_parameters=VAD,
            hotwords=" ".join(hints[:MAX_HINTS]) or None,
        )
        return list(found)

    def _words(self, segment: Any) -> list[Word]:
        return [
            Word(text, round(word.start, 2), round(word.end, 2), round(float(word.probability), 3))
            for word in segment.words or ()
            if (text := self._simplify(unicodedata.normalize("NFKC", word.word.strip())))
        ]

    def _transcript(self, words: tuple[Word, ...], language: str, speech_seconds: float) -> Transcript:
        text = punctuate(words)
        confidence = _confidence(words) if text else 0.0
        return Transcript(text, words if text else (), language, self._version, confidence, speech_seconds)


def _is_spoken(segment: Any) -> bool:
    """Whether a segment is likely to have been said, rather than made up for noise."""
    if segment.no_speech_prob > 0.6 and segment.avg_logprob < -1.0:
        return False
    if segment.compression_ratio > 2.4:
        return False
    return not (any(echo in segment.text for echo in ECHOES) and segment.end - segment.start < 8)


def _confidence(words: Sequence[Word]) -> float:
    """The geometric mean of the words' own confidence, longer words weighing more."""
    weights = [len(word.text) for word in words]
    total = sum(w * math.log(max(word.confidence, 1e-3)) for w, word in zip(weights, words, strict=True))
    return round(math.exp(total / max(1, sum(weights))), 3)
