"""How much a text is like sentences of danger, and how much like sentences of none: both our own.

For what no list of words foresees. Each sentence pulls by its likeness (`speech.likeness`), as much as ridge
regression in the space of likenesses gives it (Saunders et al. 1998); learnt in half a second, once in a
process.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jieba
import numpy as np
import numpy.typing as npt

from speech.likeness import Likeness
from speech.syllables import misheard

NONE = "-"
_RIDGE = 0.5
_BORDER = 0.05  # a little beyond the middle: of a thousand letters that tell of no danger three are flagged
_MISHEARD = 0.15  # each sentence is also learnt with so many characters as a poor line lets them be heard
_MOST_REASONS = 3


@dataclass(frozen=True)
class Like:
    """The kind of danger that a text is most like, how far beyond the middle, and the words for it."""

    label: str
    pull: float
    because: tuple[str, ...]


def danger_like(text: str) -> Like | None:
    """What danger a text is like; None where it is more like none."""
    learnt = _learnt()
    cosines = learnt.likeness.cosines(text)
    pull = learnt.pull(cosines)
    if pull < _BORDER:
        return None
    towards = {kind: float((cosines * learnt.weights)[learnt.of(kind)].sum()) for kind in learnt.kinds}
    label = max(towards, key=lambda kind: (towards[kind], kind))
    return Like(label, pull, _reasons(learnt, text, pull))


def _reasons(learnt: _Learnt, text: str, pull: float) -> tuple[str, ...]:
    """The words without which it would be less like danger, the most telling first."""
    jieba.setLogLevel(60)
    words = {word for word in jieba.cut(text) if len(word) > 1}
    drops = {word: pull - learnt.pull(learnt.likeness.cosines(text.replace(word, ""))) for word in words}
    telling = sorted((word for word in words if drops[word] > 0), key=lambda word: (-drops[word], word))
    return tuple(telling[:_MOST_REASONS])


@dataclass(frozen=True, eq=False)
class _Learnt:
    """The sentences, what each is of, and how much each pulls: towards danger or away from it."""

    likeness: Likeness
    labels: tuple[str, ...]
    weights: npt.NDArray[np.float64]

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(sorted(set(self.labels) - {NONE}))

    def of(self, kind: str) -> npt.NDArray[np.bool_]:
        return np.array([label == kind for label in self.labels])

    def pull(self, cosines: npt.NDArray[np.float32]) -> float:
        return float(cosines @ self.weights)


@cache
def _learnt() -> _Learnt:
    chance = random.Random(1)
    said = [*_sentences("urgent_sentences.tsv"), *((NONE, text) for text in _plain_sentences())]
    said += [(label, misheard(text, _MISHEARD, chance)) for label, text in said]
    labels = tuple(label for label, _ in said)
    likeness = Likeness.of([text for _, text in said])
    table = np.stack([likeness.to(place) for place in range(likeness.count)]).astype(np.float64)
    is_danger = np.array([label != NONE for label in labels])
    shares = np.where(is_danger, is_danger.mean(), 1 - is_danger.mean())  # both sides count the same
    sides = np.where(is_danger, 1.0, -1.0)
    weights = np.linalg.solve(table + np.diag(2 * _RIDGE * shares), sides).astype(np.float64)
    return _Learnt(likeness, labels, weights)


def _sentences(name: str) -> list[tuple[str, str]]:
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [(row[0], text) for row in rows for text in row[1:]]


def _plain_sentences() -> list[str]:
    """Those that teach the categories: nobody is in danger in them."""
    return [text for _, text in _sentences("sentences.tsv")]
