"""What a model sees of a text: stretches of its letters, its sounds and its words, each as a number."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import jieba
import numpy as np
import numpy.typing as npt

from speech.lexicon import Lexicon, find
from speech.syllables import codes, heard

LONGEST = 300  # letters looked at: who speaks longer has said by then what it is about
BLOCKS = 4  # letters, sounds, words, entries of the word lists
LETTERS, SOUNDS, WORDS, LISTED = range(BLOCKS)
Keys = npt.NDArray[np.uint32]
Places = npt.NDArray[np.int64]
_SHUFFLE = np.uint64(0x9E3779B97F4A7C15)  # Knuth's multiplicative hash: 2^64 divided by the golden ratio
_STEP = np.uint64(0x100000001B3)  # the prime of FNV-1a
_HALF = np.uint64(32)


@dataclass(frozen=True)
class Stretches:
    """Stretches of one kind: each one's number, where it begins, how many letters it has, how strong it is.

    All four arrays have one row for each stretch; `strengths` is None where each counts once.
    """

    block: int
    keys: Keys
    starts: Places
    lengths: Places
    strengths: npt.NDArray[np.float64] | None = None


def plain(text: str) -> str:
    """The letters alone, for nobody hears what is between them; the first `LONGEST` of them."""
    said = unicodedata.normalize("NFKC", text[: 2 * LONGEST]).lower()
    return "".join(letter for letter in said if letter.isalnum())[:LONGEST]


def cut(text: str) -> list[str]:
    """The words of a text by jieba's dictionary alone."""
    return list(jieba.lcut(text, HMM=False))


def stretches(text: str, lexicon: Lexicon, words: Sequence[str] | None = None) -> Iterator[Stretches]:
    """All stretches of a text that is `plain` already; `words`: what `cut` made of it, if that is known."""
    letters = codes(text)
    yield _runs(LETTERS, letters.astype(np.uint64))
    yield _runs(SOUNDS, heard(letters).astype(np.uint64))
    known = cut(text) if words is None else words
    yield _words(known)
    yield _listed(text, lexicon, known)


def _runs(block: int, row: npt.NDArray[np.uint64]) -> Stretches:
    """Runs of one, two and three."""
    keys, starts, lengths = [], [], []
    key = np.zeros(len(row), np.uint64)
    for n in range(1, min(3, len(row)) + 1):
        key = key[: len(row) - n + 1] * _STEP + row[n - 1 :]
        keys.append(key * np.uint64(4) + np.uint64(n))
        starts.append(np.arange(len(key)))
        lengths.append(np.full(len(key), n))
    if not keys:
        return _of(block, np.zeros(0, np.uint64), np.zeros(0, np.int64), np.zeros(0, np.int64))
    return _of(block, np.concatenate(keys), np.concatenate(starts), np.concatenate(lengths))


def _words(words: Sequence[str]) -> Stretches:
    """Words alone and two by two."""
    lengths = np.array([len(word) for word in words], np.int64)
    starts = np.cumsum(lengths) - lengths
    alone = np.array([_number(word) for word in words], np.uint64)
    return _of(
        WORDS,
        np.concatenate((alone, alone[:-1] * _STEP + alone[1:])),
        np.concatenate((starts, starts[:-1])),
        np.concatenate((lengths, lengths[:-1] + lengths[1:])),
    )


def _listed(text: str, lexicon: Lexicon, words: Sequence[str]) -> Stretches:
    """Entries of the word lists, and the categories they speak for; misheard ones too, and weaker."""
    hits = find(text, lexicon, words=words)
    names = [hit.entry.word for hit in hits] + [f"={hit.entry.label}" for hit in hits]
    return _of(
        LISTED,
        np.array([_number(name) for name in names], np.uint64),
        np.array([hit.start for hit in hits] * 2, np.int64),
        np.array([len(hit.entry.word) for hit in hits] * 2, np.int64),
        np.array([hit.weight for hit in hits] * 2, np.float64),
    )


def _number(word: str) -> int:
    return zlib.crc32(word.encode())


def _of(
    block: int,
    keys: npt.NDArray[np.uint64],
    starts: Places,
    lengths: Places,
    strengths: npt.NDArray[np.float64] | None = None,
) -> Stretches:
    """With 32 bits of a hash for each number, which tells no words."""
    hashed = (((keys + np.uint64(block)) * _SHUFFLE) >> _HALF).astype(np.uint32)
    return Stretches(block, hashed, starts, lengths, strengths)
