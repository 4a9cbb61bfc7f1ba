"""Whisper's weights with the rows of some tokens only: the same probabilities among these, for less work.

At every step a decoder multiplies with the row of each of 51,865 tokens, more than half of all its weights.
Chinese is written with a tenth of them. The weights are cut while they are loaded; the file stays as it is.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ctranslate2
from ctranslate2 import StorageView

ROWS = ("decoder/embeddings/", "decoder/projection/")  # the parts that have a row for each token
FORMAT = 6  # of CTranslate2's file: https://github.com/OpenNMT/CTranslate2, `model_spec.py`
LISTS = ("suppress_ids", "suppress_ids_begin", "lang_ids")


@dataclass(frozen=True)
class Found:
    """What a prompt led to, as CTranslate2 tells it; tokens by their numbers in the whole model."""

    sequences_ids: list[list[int]]
    scores: list[float]
    no_speech_prob: float


class Renumbered:
    """A model with few tokens that is spoken to in the numbers of the whole one; others are left out."""

    def __init__(self, model: ctranslate2.models.Whisper, tokens: Sequence[int]) -> None:
        self._model, self.tokens = model, list(tokens)
        self._own = {token: place for place, token in enumerate(tokens)}

    def encode(self, features: StorageView) -> StorageView:
        """As ctranslate2.models.Whisper.encode."""
        return self._model.encode(features)

    def generate(
        self,
        encoded: StorageView,
        prompts: Sequence[Sequence[int]],
        suppress_tokens: Sequence[int],
        **more: Any,
    ) -> list[Found]:
        """As ctranslate2.models.Whisper.generate."""
        told = [self._mine(prompt) for prompt in prompts]
        results = self._model.generate(encoded, told, suppress_tokens=self._mine(suppress_tokens), **more)
        return [
            Found(
                [[self.tokens[one] for one in sequence] for sequence in result.sequences_ids],
                result.scores,
                result.no_speech_prob,
            )
            for result in results
        ]

    def align(
        self,
        encoded: StorageView,
        start: Sequence[int],
        texts: Sequence[Sequence[int]],
        frames: int,
        **more: Any,
    ) -> Any:
        """As ctranslate2.models.Whisper.align; every token of a text must be one of these."""
        return self._model.align(
            encoded, self._mine(start), [self._mine(text) for text in texts], frames, **more
        )

    def _mine(self, tokens: Iterable[int]) -> list[int]:
        return [self._own[token] for token in tokens if token in self._own]


def cut(folder: Path, tokens: Sequence[int]) -> dict[str, bytes]:
    """A model's weights and lists with the rows of these tokens only, in rising order. Raises ValueError
    where the weights are written in another format, OSError.
    """
    config = json.loads((folder / "config.json").read_text("utf-8"))
    names = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    own = {token: place for place, token in enumerate(tokens)}
    for name in LISTS:
        config[name] = [own[token] for token in config.get(name, []) if token in own]
    return {
        "model.bin": _rows((folder / "model.bin").read_bytes(), tokens, len(names)),
        "config.json": json.dumps(config).encode(),
        "vocabulary.json": json.dumps([names[token] for token in tokens], ensure_ascii=False).encode(),
    }


def _rows(weights: bytes, tokens: Sequence[int], most: int) -> bytes:
    """CTranslate2's file: a head, then variables (name, shape, type, bytes), then other names for them."""
    reader = _Reader(weights)
    if reader.number("I") != FORMAT:
        raise ValueError("the weights are written in another format")
    reader.text(), reader.number("I")
    parts, done = [], 0
    for _ in range(reader.number("I")):
        name = reader.text()
        shape_at = reader.at
        shape = [reader.number("I") for _ in range(reader.number("B"))]
        kind = reader.number("B")
        size = reader.number("I")
        body_at, reader.at = reader.at, reader.at + size
        if name.startswith(ROWS) and shape[:1] == [most]:
            row = size // most
            body = b"".join(weights[body_at + row * token : body_at + row * (token + 1)] for token in tokens)
            head = struct.pack(f"<B{len(shape)}IBI", len(shape), len(tokens), *shape[1:], kind, len(body))
            parts += [weights[done:shape_at], head, body]
            done = reader.at
    if not parts:
        raise ValueError("the weights have no rows of tokens")
    return b"".join([*parts, weights[done:]])


class _Reader:
    """Little-endian numbers and names, one after another."""

    def __init__(self, data: bytes) -> None:
        self.at, self._data = 0, data

    def number(self, kind: str) -> int:
        [value] = struct.unpack_from(f"<{kind}", self._data, self.at)
        self.at += struct.calcsize(kind)
        return int(value)

    def text(self) -> str:
        size = self.number("H")
        self.at += size
        return self._data[self.at - size : self.at].rstrip(b"\0").decode()
