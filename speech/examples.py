"""Sentences of our own that something is learnt from by likeness: misheard ones too, and words that tell."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import jieba

from speech.syllables import misheard

_MISHEARD = 0.15  # the share of characters of which a poor line lets others be heard


def heard_too(said: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Each (label, sentence), and each as a poor line lets it be heard."""
    chance = random.Random(1)
    return [*said, *((label, misheard(text, _MISHEARD, chance)) for label, text in said)]


def telling(text: str, score: float, without: Callable[[str], float]) -> tuple[str, ...]:
    """The words without which a text would score less, the most telling first.

    `score`: of all of it; `without`: gives that of what is left.
    """
    jieba.setLogLevel(60)
    words = {word for word in jieba.cut(text) if len(word) > 1}
    drops = {word: score - without(text.replace(word, "")) for word in words}
    return tuple(sorted((word for word in words if drops[word] > 0), key=lambda word: (-drops[word], word)))
