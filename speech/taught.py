"""Words that people taught: those that led them, time and again, to one category and to no other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

import jieba

from speech.lexicon import Entry, read_lexicon, sounds
from speech.terms import terms

TAUGHT_BY = 2
"""Opinions that people put into a category before a word of theirs speaks for it: one may be a slip."""
WEIGHT = 2.0
EVERYDAY = 3_000
"""Words counted more often than this in jieba's dictionary say nothing of a matter: 我们, 希望, 晚上."""


def taught(moved: Iterable[tuple[str, str]], left: Iterable[tuple[str, str]]) -> tuple[Entry, ...]:
    """Entries learnt from (text, category): of opinions `moved` there by a person, and of those `left` alone.

    A word is learnt where at least TAUGHT_BY moved opinions of one category hold it and no opinion of
    another does, moved or left. Words the lexicon has already stay as they are.
    """
    taught_in: Mapping[str, dict[str, int]] = _counted(moved)
    seen_in = _counted(left)
    known = {entry.word for entry in read_lexicon("lexicon.tsv").entries}
    return tuple(
        Entry(label, word, WEIGHT, sounds(word))
        for word, labels in sorted(taught_in.items())
        for label, times in labels.items()
        if times >= TAUGHT_BY
        and {*labels, *seen_in.get(word, ())} == {label}
        and word not in known
        and _tells_something(word)
    )


def _counted(texts: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counted: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for text, label in texts:
        for word in terms(text):
            counted[word][label] += 1
    return counted


def _tells_something(word: str) -> bool:
    return len(word) > 1 and word.isalpha() and not jieba.dt.FREQ.get(word, 0) > EVERYDAY
