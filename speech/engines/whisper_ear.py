"""Whisper's weights for a language: only the tokens that it is written with, no sound longer than it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tokenizers as hf
from ctranslate2 import StorageView
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens

from speech.audio import Samples
from speech.engines.whisper_tokens import Renumbered, cut

THREADS = 1  # two are quicker by half and cost a third more: they wait for each other
FRAMES_A_SECOND = 100
MOST_SECONDS = 30
MOST_FRAMES = MOST_SECONDS * FRAMES_A_SECOND
# Times in steps of a fifth of a second: otherwise a beam holds the same words at many times.
TIMES, TIME_STEP = 1_500, 10  # of Whisper's 0.02 s
TIME_STEP_SECONDS = 0.02 * TIME_STEP
# Chinese is written with few tokens; a longer Latin word is spelt. Other languages keep them all.
CHINESE, CJK, MOST_LATIN = frozenset({"zh", "yue"}), 0x2E80, 2
# Scripts that nobody speaks to us in: kana, hangul, Cyrillic, Arabic, Indic, Thai.
FOREIGN = ((0x0400, 0x06FF), (0x0900, 0x0EFF), (0x1100, 0x11FF), (0x3040, 0x30FF), (0xAC00, 0xD7A3))


class Ear:
    """Whisper with the tokens that a language is written with."""

    def __init__(self, folder: Path, is_chinese: bool) -> None:
        pieces = hf.Tokenizer.from_file(str(folder / "tokenizer.json"))
        names = Tokenizer(pieces, True, task="transcribe", language="zh")
        never = set(get_suppressed_tokens(names, [-1]))
        text = (token for token in range(names.eot) if _is_written(names.decode([token]), is_chinese))
        times = range(names.timestamp_begin, names.timestamp_begin + TIMES + 1, TIME_STEP)
        tokens = [
            *(token for token in text if token not in never),
            *range(names.eot, names.timestamp_begin),
            *times,
        ]
        self.model = WhisperModel(
            str(folder),
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
            num_workers=1,
            local_files_only=True,
            files=cut(folder, tokens),
        )
        self.model.model = Renumbered(self.model.model, tokens)
        self.unwanted = sorted(never)
        self._tokenizers: dict[str, Tokenizer] = {}

    def tokenizer(self, language: str) -> Tokenizer:
        """Text to tokens and back."""
        if language not in self._tokenizers:
            made = Tokenizer(self.model.hf_tokenizer, True, task="transcribe", language=language)
            self._tokenizers[language] = made
        return self._tokenizers[language]

    def encode(self, views: Sequence[Samples], margin: float) -> StorageView:
        """What the encoder makes of sounds at 16 kHz, in one batch, with an empty end of `margin` seconds."""
        features = [self.model.feature_extractor(view)[:, :-1] for view in views]
        longest = max(one.shape[1] for one in features)
        length = min(MOST_FRAMES, longest + int(margin * FRAMES_A_SECOND))
        batch = np.zeros((len(views), features[0].shape[0], length + length % 2), np.float32)
        for place, one in enumerate(features):
            batch[place, :, : min(length, one.shape[1])] = one[:, :length]
        return self.model.model.encode(StorageView.from_array(batch))


def _is_written(text: str, in_chinese: bool) -> bool:
    """Whether a token may be needed: a part of a letter may, and no other script."""
    if _is_foreign(text):
        return False
    if not in_chinese or "\ufffd" in text or any(ord(letter) >= CJK for letter in text):
        return True
    return text.isascii() and sum(map(str.isalpha, text)) <= MOST_LATIN


def _is_foreign(text: str) -> bool:
    return any(low <= ord(letter) <= high for letter in text for low, high in FOREIGN)
