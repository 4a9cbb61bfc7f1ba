"""What a caller wants: to ask, to be helped, to complain, to report a wrong, to suggest, to praise.

Told by signs (`speech.purpose_signs`) and by likeness to sentences of our own, which hears what is misheard
too: ridge regression over both (Saunders et al. 1998), learnt in a second, once in a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from speech.categorize import Category
from speech.examples import heard_too, telling
from speech.likeness import Likeness
from speech.purpose_signs import PURPOSES, Row, Signs, signs_in
from speech.tables import rows

__all__ = ["PURPOSES", "purpose_of"]

MOST_REASONS = 4
LEAST = 0.1  # of a score: what wants something mostly reaches it, a greeting mostly does not
SURENESS = 6.5  # what makes scores probabilities, of misheard sentences left out of what was learnt
SUREST = 0.99
_RIDGE = 0.3
_SIGNS_WEIGH = 0.5  # beside likeness
_SENTENCES = Path(__file__).with_name("purpose_sentences.tsv")


def purpose_of(text: str) -> Category | None:
    """What a caller wants, how sure that is and the words that show it; None where nothing shows it."""
    signs = signs_in(text)
    scores = _learnt().scores(text, signs)
    best = int(scores.argmax())
    if scores[best] < LEAST:
        return None
    odds = np.exp(SURENESS * (scores - scores[best]))
    words = signs.said.get(PURPOSES[best]) or telling(
        text, float(scores[best]), lambda left: float(_learnt().scores(left, signs)[best])
    )
    chance = min(SUREST, float(1 / odds.sum()))
    return Category(PURPOSES[best], round(chance, 2), words[:MOST_REASONS])


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
    said = heard_too([(purpose, text) for purpose, text in rows(_SENTENCES)])
    likeness = Likeness.of([text for _, text in said])
    shares = np.stack([signs_in(text).shares for _, text in said])
    sides = np.array([[purpose == one for one in PURPOSES] for purpose, _ in said]) - 1 / len(PURPOSES)
    alike = likeness.table() + _SIGNS_WEIGH * shares @ shares.T
    weights = np.linalg.solve(alike + _RIDGE * np.eye(len(said)), sides).astype(np.float64)
    return _Learnt(likeness, likeness.pulls(weights), _SIGNS_WEIGH * shares.T @ weights)
