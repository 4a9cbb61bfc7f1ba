"""Word lists with labels, found in a text by their characters or, where it was misheard, by their sound."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import jieba
from pypinyin import Style, lazy_pinyin

from speech.syllables import blur, codes, heard, syllable_number
from speech.tables import rows

SOUND_WEIGHT = {2: 0.35, 3: 0.75}  # by number of syllables; two-syllable words have too many homophones

EVERYDAY = 100
"""How often jieba's dictionary has counted a word of two characters that one may trust to be meant."""


@dataclass(frozen=True)
class Entry:
    """A word, what it speaks for and how strongly, and its syllables without tones."""

    label: str
    word: str
    weight: float
    sound: tuple[str, ...]


@dataclass(frozen=True)
class Hit:
    """An entry found in a text: where, and how much it counts (less when only its sound was found)."""

    entry: Entry
    start: int
    weight: float


class Lexicon:
    """Entries, found by their characters and by their sound however many they are."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(entries)
        self.by_word: dict[str, list[Entry]] = defaultdict(list)
        self.by_sound: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self.by_word[entry.word].append(entry)
            numbers = [syllable_number(syllable) for syllable in entry.sound]
            if len(numbers) > 1 and all(numbers):
                self.by_sound["".join(map(chr, numbers))].append(entry)
        self.word_lengths = _lengths(self.by_word)
        self.sound_lengths = _lengths(self.by_sound)


def _lengths(keys: Iterable[str]) -> dict[str, tuple[int, ...]]:
    """By the first two letters of keys: how long they are, so that most of a text is passed over at once."""
    found: dict[str, set[int]] = defaultdict(set)
    for key in keys:
        found[key[:2]].add(len(key))
    return {begins: tuple(sorted(lengths)) for begins, lengths in found.items()}


@cache
def read_lexicon(name: str) -> Lexicon:
    """A list that comes with the program: lines of label, weight and words."""
    return Lexicon(
        Entry(label, word, float(weight), sounds(word))
        for label, weight, words in rows(Path(__file__).with_name(name))
        for word in words.split()
    )


def sounds(word: str) -> tuple[str, ...]:
    """One toneless syllable for each character of a listed word, what is often confused made equal."""
    jieba.setLogLevel(60)
    found: list[str] = []
    for part in jieba.lcut(word):
        syllables = lazy_pinyin(part, style=Style.NORMAL)
        found += syllables if len(syllables) == len(part) else list(part)
    return tuple(blur(syllable) for syllable in found)


def find(
    text: str, lexicon: Lexicon, least_syllables: int = 2, words: Sequence[str] | None = None
) -> tuple[Hit, ...]:
    """The entries in a text, longest first where they overlap, each word once.

    `words`: what jieba cuts the text into, where that is known.
    """
    if least_syllables < 3 and words is None:
        words = jieba.lcut(text, HMM=False)
    ends = frozenset(accumulate(map(len, words or ()), initial=0))
    found = sorted(_hits(text, lexicon, least_syllables, ends), key=_rank)
    taken: set[int] = set()
    kept: dict[str, Hit] = {}
    for hit in found:
        place = range(hit.start, hit.start + len(hit.entry.word))
        if hit.entry.word not in kept and taken.isdisjoint(place):
            kept[hit.entry.word] = hit
            taken.update(place)
    return tuple(kept.values())


def stands_alone(word: str, start: int, ends: frozenset[int]) -> bool:
    """Whether two characters may be another word misheard: no known word, nor halves of the words around.

    `ends`: where words of the text end and begin.
    """
    return {start, start + 2} <= ends and not is_everyday(word)


def is_everyday(word: str) -> bool:
    """Whether a word of two characters is so common that it is meant where it is written."""
    return int(jieba.dt.FREQ.get(word) or 0) >= EVERYDAY


def _rank(hit: Hit) -> tuple[int, float, int]:
    return -len(hit.entry.word), -hit.weight, hit.start


def _hits(text: str, lexicon: Lexicon, least: int, ends: frozenset[int]) -> Iterator[Hit]:
    said = heard(codes(text)).tobytes().decode("utf-16-le")
    for start in range(len(text)):
        for begins in (text[start], text[start : start + 2]):
            for length in lexicon.word_lengths.get(begins, ()):
                for entry in lexicon.by_word.get(text[start : start + length], ()):
                    yield Hit(entry, start, entry.weight)
        for length in lexicon.sound_lengths.get(said[start : start + 2], ()):
            word = text[start : start + length]
            if length >= least and (length > 2 or stands_alone(word, start, ends)):
                for entry in lexicon.by_sound.get(said[start : start + length], ()):
                    if entry.word != word:
                        yield Hit(entry, start, entry.weight * SOUND_WEIGHT[min(3, length)])
