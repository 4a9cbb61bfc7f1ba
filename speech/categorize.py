"""What an opinion is about; every answer with the words that led to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from speech.lexicon import Entry, Hit, Lexicon, find
from speech.taxonomy import LABELS, OTHER, taxonomy

DOUBT = 1.0  # weight of the thought that it is something else


@dataclass(frozen=True)
class Category:
    """A label, how sure we are of it from 0 to 1, and the words in the text that led to it."""

    label: str
    confidence: float
    because: tuple[str, ...]


def categorize(text: str, taught: tuple[Entry, ...] = ()) -> Category:
    """The one label that fits best; 其他 with confidence 0 when nothing points anywhere.

    `taught`: words that people in this community have taught, beside the lexicon.
    """
    lexicon = taxonomy().lexicon
    if taught:
        lexicon = Lexicon((*lexicon.entries, *taught))
    scores: dict[str, float] = defaultdict(float)
    words: dict[str, list[str]] = defaultdict(list)
    for hit in find(text, lexicon):
        scores[hit.entry.label] += hit.weight
        words[hit.entry.label].append(_said(text, hit))
    if not scores:
        return Category(OTHER, 0.0, ())
    best = max(scores, key=lambda label: (scores[label], -LABELS.index(label)))
    if scores[best] < 1:
        return Category(OTHER, 0.0, ())
    confidence = scores[best] / (sum(scores.values()) + DOUBT)
    return Category(best, round(confidence, 2), tuple(words[best]))


def _said(text: str, hit: Hit) -> str:
    return text[hit.start : hit.start + len(hit.entry.word)]
