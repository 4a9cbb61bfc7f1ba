"""What a caller wants: to ask, to be helped, to complain, to report a wrong, to suggest, to praise."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from speech.categorize import Category

PURPOSES = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
"""The six kinds of call that 12345 hotlines sort by."""

DOUBT = 1.5  # weight of the thought that it is something else
LEAST = 1.0
NOT = re.compile(r"(?:不是|不想|不要|没有|并非)(?:来|要|想)?$")  # before a pattern: it is not meant


@dataclass(frozen=True)
class Sign:
    """A pattern that speaks for a purpose, and how strongly."""

    purpose: str
    weight: float
    pattern: re.Pattern[str]


def purpose_of(text: str) -> Category | None:
    """What a caller wants, how sure that is and the words that show it; None where nothing shows it.

    Patterns of one purpose add up, each counted once, the strongest of overlapping ones; of two purposes
    equally strong the earlier in `PURPOSES` stands.
    """
    scores: dict[str, float] = defaultdict(float)
    said: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for sign in _signs():
        found = sign.pattern.search(text)
        if found is None or (sign.weight > 1 and NOT.search(text, max(0, found.start() - 4), found.start())):
            continue
        scores[sign.purpose] += sign.weight
        said[sign.purpose].append((sign.weight, found.group()))
    best = max(scores, key=lambda one: (scores[one], -PURPOSES.index(one)), default=None)
    if best is None or scores[best] < LEAST:
        return None
    confidence = scores[best] / (sum(scores.values()) + DOUBT)
    words = [word for _, word in sorted(said[best], key=lambda one: -one[0])]
    return Category(best, round(confidence, 2), tuple(dict.fromkeys(words))[:4])


@cache
def _signs() -> tuple[Sign, ...]:
    lines = Path(__file__).with_name("purposes.tsv").read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple(
        Sign(purpose, float(weight), re.compile(pattern))
        for purpose, weight, patterns in rows
        for pattern in patterns.split()
    )
