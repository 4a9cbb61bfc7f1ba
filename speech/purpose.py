"""What a caller wants: to ask, to be helped, to complain, to report a wrong, to suggest, to praise.

Told by signs (`speech.purpose_signs`) and by likeness to sentences of our own, which hears what is misheard
too: ridge regression over both (Saunders et al. 1998), learnt in a second, once in a process.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jieba
import numpy as np

from speech.categorize import Category
from speech.likeness import Likeness
from speech.purpose_signs import PURPOSES, Row, Signs, signs_in
from speech.syllables import misheard

__all__ = ["PURPOSES", "purpose_of"]

MOST_REASONS = 4
LEAST = 0.1  # of a score: what wants something mostly reaches it, a greeting mostly does not
SURENESS = 6.5  # what makes scores probabilities, of misheard sentences left out of what was learnt
SUREST = 0.99
_RIDGE = 0.3
_SIGNS_WEIGH = 0.5  # beside likeness
_MISHEARD = 0.15  # each sentence is also learnt with so many characters as a poor line lets them be heard


def purpose_of(text: str) -> Category | None:
    """What a caller wants, how sure that is and the words that show it; None where nothing shows it."""
    signs = signs_in(text)
    scores = _learnt().scores(text, signs)
    best = int(scores.argmax())
    if scores[best] < LEAST:
        return None
    odds = np.exp(SURENESS * (scores - scores[best]))
    words = signs.said.get(PURPOSES[best]) or _reasons(text, signs, best)
    chance = min(SUREST, float(1 / odds.sum()))
    return Category(PURPOSES[best], round(chance, 2), words[:MOST_REASONS])


def _reasons(text: str, signs: Signs, best: int) -> tuple[str, ...]:
    """The words without which it would look less like what it is taken for, the most telling first."""
    jieba.setLogLevel(60)
    learnt, whole = _learnt(), _learnt().scores(text, signs)[best]
    words = {word for word in jieba.cut(text) if len(word) > 1}
    drops = {word: whole - learnt.scores(text.replace(word, ""), signs)[best] for word in words}
    return tuple(sorted((word for word in words if drops[word] > 0), key=lambda word: (-drops[word], word)))


@dataclass(frozen=True, eq=False)
class _Learnt:
    """What each known stretch of a text pulls towards the purposes, and what each share of signs does."""

    likeness: Likeness
    by_stretch: Row
    by_sign: Row

    def scores(self, text: str, signs: Signs) -> Row:
        scores: Row = self.likeness.pulled(text, self.by_stretch) + signs.shares @ self.by_sign
        return scores


@cache
def _learnt() -> _Learnt:
    lines = Path(__file__).with_name("purpose_sentences.tsv").read_text(encoding="utf-8").splitlines()
    said = [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]
    chance = random.Random(1)
    said += [(purpose, misheard(text, _MISHEARD, chance)) for purpose, text in said]
    likeness = Likeness.of([text for _, text in said])
    table = np.stack([likeness.to(place) for place in range(likeness.count)]).astype(np.float64)
    shares = np.stack([signs_in(text).shares for _, text in said])
    sides = np.array([[purpose == one for one in PURPOSES] for purpose, _ in said]) - 1 / len(PURPOSES)
    alike = table + _SIGNS_WEIGH * shares @ shares.T
    weights = np.linalg.solve(alike + _RIDGE * np.eye(len(said)), sides).astype(np.float64)
    return _Learnt(likeness, likeness.pulls(weights), _SIGNS_WEIGH * shares.T @ weights)
