"""Word lists with labels, found in a text by their characters or, where it was misheard, by their sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import jieba
from pypinyin import Style, lazy_pinyin, pinyin

SOUND_WEIGHT = {2: 0.35, 3: 0.75}  # by number of syllables; two-syllable words have too many homophones
BLURRED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))


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


@cache
def read_lexicon(name: str) -> tuple[Entry, ...]:
    """A list that comes with the program: lines of label, weight and words."""
    lines = Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return tuple(
        Entry(label, word, float(weight), sounds(word))
        for label, weight, words in rows
        for word in words.split()
    )


def sounds(text: str) -> tuple[str, ...]:
    """One syllable for each character, without tones, sounds that are often confused made equal."""
    jieba.setLogLevel(60)
    heard: list[str] = []
    for word in jieba.lcut(text):
        syllables = lazy_pinyin(word, style=Style.NORMAL)
        heard += syllables if len(syllables) == len(word) else list(word)
    return tuple(_blur(syllable) for syllable in heard)


@cache
def readings(letter: str) -> frozenset[str]:
    """Every way one character may be read, as `sounds` writes syllables: 长 is both cang and zang."""
    return frozenset(_blur(one) for one in pinyin(letter, style=Style.NORMAL, heteronym=True)[0])


def _blur(syllable: str) -> str:
    for exact, blurred in BLURRED:
        syllable = syllable.replace(exact, blurred)
    return "l" + syllable[1:] if syllable.startswith("n") and len(syllable) > 1 else syllable


def find(text: str, lexicon: tuple[Entry, ...], least_syllables: int = 2) -> tuple[Hit, ...]:
    """The entries in a text, longest first where they overlap, each word once."""
    found = sorted(_hits(text, sounds(text), lexicon, least_syllables), key=_rank)
    taken: set[int] = set()
    kept: dict[str, Hit] = {}
    for hit in found:
        place = set(range(hit.start, hit.start + len(hit.entry.word)))
        if hit.entry.word not in kept and not place & taken:
            kept[hit.entry.word] = hit
            taken |= place
    return tuple(kept.values())


def _rank(hit: Hit) -> tuple[int, float]:
    return -len(hit.entry.word), -hit.weight


def _hits(text: str, heard: tuple[str, ...], lexicon: tuple[Entry, ...], least: int) -> Iterator[Hit]:
    spots: dict[str, list[int]] = {}
    for at, syllable in enumerate(heard):
        spots.setdefault(syllable, []).append(at)
    for entry in lexicon:
        if (at := text.find(entry.word)) >= 0:
            yield Hit(entry, at, entry.weight)
        elif len(entry.sound) >= least:
            for spot in spots.get(entry.sound[0], ()):
                if heard[spot : spot + len(entry.sound)] == entry.sound:
                    yield Hit(entry, spot, entry.weight * SOUND_WEIGHT[min(3, len(entry.sound))])
                    break
