"""Signs of what a caller wants: patterns of our own, found by their characters."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from speech.tables import rows

PURPOSES = ("咨询", "求助", "投诉", "举报", "建议", "表扬")
"""The six kinds of call that 12345 hotlines sort by."""

DOUBT = 1.5  # weight of the thought that it is something else
NOT = re.compile(r"(?:不是|不想|不要|没有|并非)(?:来|要|想)?$")  # before a pattern: it is not meant
Row = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sign:
    """A pattern that speaks for a purpose, and how strongly."""

    purpose: str
    weight: float
    pattern: re.Pattern[str]


@dataclass(frozen=True)
class Signs:
    """What was found in a text: by purpose the words, the strongest first; and the share of each purpose."""

    said: dict[str, tuple[str, ...]]
    shares: Row


def signs_in(text: str) -> Signs:
    """The signs in a text, each pattern counted once. `shares`: (6), in the order of `PURPOSES`, below 1."""
    scores: dict[str, float] = defaultdict(float)
    said: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for sign in _signs():
        found = sign.pattern.search(text)
        if found is None or (sign.weight > 1 and NOT.search(text, max(0, found.start() - 4), found.start())):
            continue
        scores[sign.purpose] += sign.weight
        said[sign.purpose].append((sign.weight, found.group()))
    words = {purpose: sorted(found, key=lambda one: -one[0]) for purpose, found in said.items()}
    weights = np.array([scores[purpose] for purpose in PURPOSES])
    told = {purpose: tuple(dict.fromkeys(word for _, word in found)) for purpose, found in words.items()}
    return Signs(told, weights / (weights.sum() + DOUBT))


@cache
def _signs() -> tuple[Sign, ...]:
    return tuple(
        Sign(purpose, float(weight), re.compile(pattern))
        for purpose, weight, patterns in rows(Path(__file__).with_name("purposes.tsv"))
        for pattern in patterns.split()
    )
