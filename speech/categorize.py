"""What an opinion is about; every answer with the words that led to it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from speech.lexicon import Entry, Hit, find, read_lexicon

LABELS = ("物业", "停车", "环境卫生", "邻里噪音", "养老助餐", "设施维修", "电梯加装", "治安消防", "其他")
OTHER = "其他"
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
    scores: dict[str, float] = defaultdict(float)
    words: dict[str, list[str]] = defaultdict(list)
    for hit in find(text, (*read_lexicon("lexicon.tsv"), *taught)):
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
