"""The default recognizer: Whisper base through faster-whisper, guarded against words that nobody said."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from opencc import OpenCC

from speech.audio import Audio
from speech.errors import SpeechError
from speech.punctuate import punctuate
from speech.recognize import Transcript, Word
from speech.voice_activity import Packed, pack

THREADS = 2
BEAM = 5
MAX_HINTS = 40
RATE = 16_000
TOKENS_A_SECOND = 14  # the quickest talkers need about ten; more is Whisper repeating itself
# Whisper fills every clip up to 30 s. A second of silence after the speech is enough to end on; less and it
# repeats itself. Measured: a quarter of the work and no worse.
MARGIN_FRAMES = 100
MAX_FRAMES = 3_000
PORTION_SECONDS = 28.0
MISSED_SECONDS = 1.5  # a longer end without words was not silence: Whisper had stopped listening
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


class _ShortWindows(WhisperModel):  # type: ignore[misc]
    """Whisper that listens to as much of its window as there is sound in it."""

    def encode(self, features: np.ndarray) -> Any:
        """Cut off the empty end of a window of shape (80, 3000) before it is encoded."""
        heard = np.flatnonzero(np.any(features != 0, axis=0))
        length = (int(heard[-1]) + 1 if len(heard) else 0) + MARGIN_FRAMES
        return super().encode(np.ascontiguousarray(features[:, : min(MAX_FRAMES, length + length % 2)]))


class WhisperRecognizer:
    """faster-whisper over the weights in `models/whisper-base`, on at most two threads."""

    name = "faster-whisper"
    languages = frozenset({"zh", "yue", "en"})

    def __init__(self, models: Path) -> None:
        folder = models / "whisper-base"
        if not (folder / "model.bin").is_file():
            raise SpeechError(f"the weights of {self.name} are missing in {models}", permanent=False)
        try:
            self._model = _ShortWindows(
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
        packed = pack(audio)
        if not packed.spans:
            return self._transcript((), language, 0.0)
        try:
            words = [
                word
                for start, end in packed.portions(PORTION_SECONDS)
                for word in self._listen(packed, start, end, language, hints)
            ]
        except (RuntimeError, ValueError, MemoryError) as error:
            raise SpeechError(
                f"{self.name} failed: {error}", permanent=isinstance(error, ValueError)
            ) from error
        return self._transcript(tuple(words), language, round(packed.audio.seconds, 2))

    def _listen(
        self, packed: Packed, start: float, end: float, language: str, hints: Sequence[str]
    ) -> Iterator[Word]:
        """The words of one portion. Whisper may stop half-way; then it is made to listen to the rest."""
        while True:
            segments = self._decode(packed.between(start, end), language, hints)
            for segment in segments:
                if _is_spoken(segment):
                    yield from self._words(segment, packed, start)
            heard = segments[-1].end if segments else 0.0
            start += heard
            if heard < MISSED_SECONDS or end - start < MISSED_SECONDS:
                return

    def _decode(self, samples: np.ndarray, language: str, hints: Sequence[str]) -> list[Any]:
        found, _ = self._model.transcribe(
            samples,
            language=language,
            beam_size=BEAM,
            temperature=[0.0, 0.4, 0.8],
            max_new_tokens=int(len(samples) / RATE * TOKENS_A_SECOND) + 20,
            condition_on_previous_text=False,
            word_timestamps=True,
            hotwords=" ".join(hints[:MAX_HINTS]) or None,
        )
        return list(found)

    def _words(self, segment: Any, packed: Packed, start: float) -> list[Word]:
        words = []
        for word in segment.words or ():
            text = self._simplify(unicodedata.normalize("NFKC", word.word.strip()))
            first, last = packed.original(start + float(word.start), start + float(word.end))
            if text:
                words.append(Word(text, round(first, 2), round(last, 2), round(float(word.probability), 3)))
        return words

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
