"""What an opinion is about; every answer with how sure it is and the words that led to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from speech.learned import Model
from speech.lexicon import Hit, find
from speech.taxonomy import OTHER, Taxonomy, class_of, taxonomy

DOUBT = 1.0  # weight of the thought that it is something else
KINDRED = 0.5  # how much what speaks for another category of the same class speaks for this one


@dataclass(frozen=True)
class Category:
    """A label, how sure we are of it from 0 to 1, and the words in the text that led to it."""

    label: str
    confidence: float
    because: tuple[str, ...]


def categorize(text: str, kinds: Taxonomy | None = None, model: Model | None = None) -> Category:
    """The one category that fits best; 其他 with confidence 0 when nothing points anywhere.

    `kinds`: the community's categories, else those that come with the program. `model`: what was learnt
    there; without it the word lists alone answer.
    """
    kinds = kinds or taxonomy()
    if model is not None and text.strip():
        label, chance, words = model.answer(text, kinds.lexicon, kinds.labels)
        return Category(label, round(chance, 2), words)
    scores: dict[str, float] = defaultdict(float)
    said: dict[str, list[str]] = defaultdict(list)
    for hit in find(text, kinds.lexicon):
        scores[hit.entry.label] += hit.weight
        said[hit.entry.label].append(_said(text, hit))
    spoken = [label for label in kinds.labels if scores[label] >= 1]  # too little says nothing
    if not spoken:
        return Category(OTHER, 0.0, ())
    best = max(spoken, key=lambda label: scores[label] + KINDRED * _beside(label, scores))
    confidence = scores[best] / (sum(scores.values()) + DOUBT)
    return Category(best, round(confidence, 2), tuple(said[best]))


def _beside(label: str, scores: Mapping[str, float]) -> float:
    """What speaks for the other categories of its class."""
    kin = class_of(label)
    return sum(score for other, score in scores.items() if kin and other != label and class_of(other) == kin)


def _said(text: str, hit: Hit) -> str:
    return text[hit.start : hit.start + len(hit.entry.word)]
