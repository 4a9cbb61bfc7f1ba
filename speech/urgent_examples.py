"""How much a text is like sentences of danger, and how much like sentences of none: both our own.

For what no list of words foresees. Each sentence pulls by its likeness (`speech.likeness`), as much as ridge
regression in the space of likenesses gives it (Saunders et al. 1998); learnt in half a second, once in a
process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from speech.examples import heard_too, telling
from speech.likeness import Likeness
from speech.tables import rows

NONE = "-"
_RIDGE = 0.5
_BORDER = 0.05  # a little beyond the middle: of a thousand letters that tell of no danger three are flagged
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
    because = telling(text, pull, lambda left: learnt.pull(learnt.likeness.cosines(left)))
    return Like(label, pull, because[:_MOST_REASONS])


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
    plain = ((NONE, text) for _, text in _sentences("sentences.tsv"))  # nobody is in danger in them
    said = heard_too([*_sentences("urgent_sentences.tsv"), *plain])
    labels = tuple(label for label, _ in said)
    likeness = Likeness.of([text for _, text in said])
    is_danger = np.array([label != NONE for label in labels])
    shares = np.where(is_danger, is_danger.mean(), 1 - is_danger.mean())  # both sides count the same
    sides = np.where(is_danger, 1.0, -1.0)
    weights = np.linalg.solve(likeness.table() + np.diag(2 * _RIDGE * shares), sides).astype(np.float64)
    return _Learnt(likeness, labels, weights)


def _sentences(name: str) -> list[tuple[str, str]]:
    return [(row[0], text) for row in rows(Path(__file__).with_name(name)) for text in row[1:]]
