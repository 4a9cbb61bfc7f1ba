"""How easily a sentence is understood by ear: its length, its officialese, its rare characters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from speech.pacing import characters
from speech.tables import rows

LONGEST_SENTENCE = 24  # characters: what an old listener keeps in mind until the stop
_EASY, _HARD = 16.0, 24.0
_STOPS = re.compile(r"[。！？!?；;…\n]+")
_PLAINER = Path(__file__).with_name("plainer.tsv")


@dataclass(frozen=True)
class Reading:
    """How a text reads aloud. `level`: easy · middling · hard. `plainer`: what to say for stiff words."""

    level: str
    characters: int
    longest: int
    average: float
    plainer: Mapping[str, str]


@cache
def plainer_words() -> Mapping[str, str]:
    """The list that comes with the program: a word of offices, and how people say it."""
    return dict(rows(_PLAINER))


def reading(text: str) -> Reading:
    """Judge a Chinese text by its sentences; of other languages only the lengths mean something."""
    lengths = [characters(one) for one in _STOPS.split(text) if characters(one)] or [0]
    stiff = {word: plain for word, plain in plainer_words().items() if word in text}
    average, longest = sum(lengths) / len(lengths), max(lengths)
    score = average + 3 * len(stiff) + max(0, longest - LONGEST_SENTENCE) / 4
    level = "easy" if score <= _EASY else "middling" if score <= _HARD else "hard"
    return Reading(level, sum(lengths), longest, round(average, 1), stiff)
