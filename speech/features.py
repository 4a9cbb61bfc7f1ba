"""What a model sees of a text: stretches of its letters, its sounds and its words, each as a number."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import log

import jieba
import numpy as np
import numpy.typing as npt

from speech.lexicon import Lexicon, find
from speech.syllables import codes, heard

LONGEST = 1200  # letters looked at: who speaks longer has said by then what it is about
KINDS = 4  # letters, sounds, words, entries of the word lists
LETTERS, SOUNDS, WORDS, LISTED = range(KINDS)
LENGTHS = (1, 2, 3)  # of runs of letters and of sounds
FIRST, HALF_WAY = 4.0, 30  # what the first letter counts, and the letter that counts half: matters come first
Keys = npt.NDArray[np.uint32]
Kinds = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.float64]
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash: 2^64 divided by the golden ratio
_STEP = np.uint64(0x100000001B3)  # the prime of FNV-1a
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Stretches:
    """The stretches of a text: each one's number and kind, where it begins, its letters, how strong it is.

    All arrays have one row for each stretch.
    """

    keys: Keys
    kinds: Kinds
    starts: Places
    lengths: Places
    strengths: Numbers


def plain(text: str) -> str:
    """The letters alone, for nobody hears what is between them; the first `LONGEST` of them."""
    said = unicodedata.normalize("NFKC", text[: 2 * LONGEST]).lower()
    return "".join(filter(str.isalnum, said))[:LONGEST]


def cut(text: str) -> list[str]:
    """The words of a `plain` text by jieba's dictionary alone: those of `jieba.lcut(text, HMM=False)`.

    Jieba's own way to them took a third of the time of an answer; this takes a seventh.
    """
    jieba.dt.check_initialized()
    often, whole, many = jieba.dt.FREQ, log(jieba.dt.total), len(text)
    chances, ends = [0.0] * (many + 1), [0] * many
    for start in range(many - 1, -1, -1):
        word = text[start]
        best, end, until = log(often.get(word) or 1) - whole + chances[start + 1], start + 1, start + 1
        while word in often and until < many:
            until += 1
            word = text[start:until]
            if (times := often.get(word)) and (chance := log(times) - whole + chances[until]) >= best:
                best, end = chance, until
        chances[start], ends[start] = best, end
    return list(_joined(text, ends))


def _joined(text: str, ends: Sequence[int]) -> Iterator[str]:
    """The words that begin where the last one ends; letters and digits of the west in a row as one."""
    start = begun = 0
    while start < len(text):
        end = ends[start]
        if end > start + 1 or not text[start].isascii():
            if begun < start:
                yield text[begun:start]
            yield text[start:end]
            begun = end
        start = end
    if begun < start:
        yield text[begun:start]


def stretches(text: str, lexicon: Lexicon, words: Sequence[str] | None = None) -> Stretches:
    """All stretches of a text that is `plain` already; `words`: what `cut` made of it, if that is known.

    Runs of letters and of sounds, words alone and two by two, and the entries of the word lists with the
    categories they speak for, misheard ones weaker.
    """
    known = cut(text) if words is None else words
    hits = find(text, lexicon, words=known)
    names = [*known, *(hit.entry.word for hit in hits), *(f"={hit.entry.label}" for hit in hits)]
    numbers = np.array([zlib.crc32(name.encode()) for name in names], np.uint64)
    alone, listed = numbers[: len(known)], numbers[len(known) :]
    run_kinds, run_starts, run_lengths = _places(len(text))
    sizes = np.array([len(word) for word in known], np.int64)
    begins = np.cumsum(sizes) - sizes
    entries = np.array([(hit.start, len(hit.entry.word)) for hit in hits] * 2, np.int64).reshape(-1, 2)
    many = len(run_kinds) + len(sizes) + len(sizes[1:])
    kinds = np.full(many + len(listed), WORDS, np.uint8)
    kinds[: len(run_kinds)], kinds[many:] = run_kinds, LISTED
    starts = np.concatenate((run_starts, begins, begins[:-1], entries[:, 0]))
    strengths = FIRST / (1 + starts / HALF_WAY)
    strengths[many:] = [hit.weight for hit in hits] * 2
    keys = np.concatenate((_runs(text), alone, alone[:-1] * _STEP + alone[1:], listed))
    return Stretches(
        (((keys + kinds) * _SHUFFLE) >> _HALF).astype(np.uint32),  # 32 bits of a hash tell no words
        kinds,
        starts,
        np.concatenate((run_lengths, sizes, sizes[:-1] + sizes[1:], entries[:, 1])),
        strengths,
    )


def _runs(text: str) -> npt.NDArray[np.uint64]:
    """The numbers of runs of letters and of sounds, in the order of `_places`."""
    letters = codes(text)
    rows = np.stack((letters, heard(letters))).astype(np.uint64)
    key, found = rows, []
    for n in LENGTHS:
        if n > 1:
            key = key[:, :-1] * _STEP + rows[:, n - 1 :]
        found.append((key * np.uint64(4) + np.uint64(n)).ravel())
    return np.concatenate(found)


@lru_cache(maxsize=128)
def _places(many: int) -> tuple[Kinds, Places, Places]:
    """Of the runs in so many letters: the kind, where each begins, its length."""
    runs = [(kind, n, max(0, many - n + 1)) for n in LENGTHS for kind in (LETTERS, SOUNDS)]
    kinds = np.repeat(np.array([kind for kind, _, _ in runs], np.uint8), [count for _, _, count in runs])
    lengths = np.repeat([n for _, n, _ in runs], [count for _, _, count in runs])
    return kinds, np.concatenate([np.arange(count) for _, _, count in runs]), lengths
