"""Words that a community is known to say, put right where the recognizer wrote others that sound the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

import jieba
from pypinyin import Style, pinyin

from speech.lexicon import sounds
from speech.punctuate import punctuate
from speech.recognize import Transcript, Word
from speech.syllables import blur

SHORTEST, LONGEST = 2, 12  # characters of a word that is looked for
TITLE = 7  # something so long is a sentence
NUMERALS = frozenset("零一二两三四五六七八九十百千万0123456789")
MOST_WORDS = 400
# A stretch as sure as this is left alone. Two syllables have many homophones: they must be in greater doubt,
# and a word that everybody knows in greater still. Measured: benchmarks/speech_vocabulary.py.
SURE = 0.7
SURE_OF_TWO = 0.55
SURE_OF_KNOWN = 0.4
KNOWN = 300  # how often jieba's corpus has a word that everybody knows


@dataclass(frozen=True)
class _Letter:
    text: str
    start_seconds: float
    end_seconds: float
    confidence: float
    word: int


def repair(heard: Transcript, vocabulary: Sequence[str]) -> Transcript:
    """The transcript with misheard stretches replaced by the word of `vocabulary` that sounds like them.

    Only where each syllable is the same but for its tone and for sounds that are often confused (zh/z, n/l,
    ng/n), and only where the recognizer doubted what it wrote. A topic's title counts word by word.
    """
    letters = list(_letters(heard.words))
    found = _find(letters, _terms(vocabulary))
    if not found:
        return heard
    words = tuple(_rebuilt(heard.words, letters, found))
    return replace(heard, words=words, text=punctuate(words))


def _terms(vocabulary: Sequence[str]) -> list[str]:
    """What to look for, longest first: the words themselves, and those in a sentence such as a title.

    Its numbers are none: 三号 alone may be anything that sounds so.
    """
    jieba.setLogLevel(60)
    terms: dict[str, None] = {}
    for given in vocabulary[:MOST_WORDS]:
        inside = jieba.cut(given, HMM=False) if len(given) >= TITLE else ()
        terms.update(dict.fromkeys([given, *(word for word in inside if NUMERALS.isdisjoint(word))]))
    fitting = (term for term in terms if SHORTEST <= len(term) <= LONGEST and all(map(_is_han, term)))
    return sorted(fitting, key=len, reverse=True)


def _letters(words: Sequence[Word]) -> Iterator[_Letter]:
    """Each character with its share of its word's time."""
    for at, word in enumerate(words):
        each = (word.end_seconds - word.start_seconds) / max(1, len(word.text))
        for place, letter in enumerate(word.text):
            start = word.start_seconds + place * each
            yield _Letter(letter, start, start + each, word.confidence, at)


def _find(letters: Sequence[_Letter], terms: Sequence[str]) -> dict[int, str]:
    """Where which term belongs, by the index of its first character; nothing overlaps."""
    text = "".join(letter.text for letter in letters)
    known = [(start, end) for _, start, end in jieba.tokenize(text, HMM=False) if end - start > 1]
    taken: set[int] = set()
    found: dict[int, str] = {}
    for term in terms:
        taken.update(_places(text, term))
        syllables = sounds(term)
        for start in range(len(text) - len(term) + 1):
            stretch = range(start, start + len(term))
            if taken.isdisjoint(stretch) and _is_misheard(letters, stretch, syllables, known):
                found[start] = term
                taken.update(stretch)
    return found


def _places(text: str, term: str) -> Iterator[int]:
    """All places where a term is written as it should be."""
    at = text.find(term)
    while at >= 0:
        yield from range(at, at + len(term))
        at = text.find(term, at + 1)


def _is_misheard(
    letters: Sequence[_Letter], stretch: range, syllables: tuple[str, ...], known: Sequence[tuple[int, int]]
) -> bool:
    pairs = zip(stretch, syllables, strict=True)
    if not all(_is_han(letters[at].text) and said in _readings(letters[at].text) for at, said in pairs):
        return False
    sure = _sure_of("".join(letters[at].text for at in stretch))
    if fmean(letters[at].confidence for at in stretch) >= sure:
        return False
    return not any(_cuts(letters, stretch, word, sure) for word in known)


@cache
def _readings(letter: str) -> frozenset[str]:
    """Every way a character may be read: 长 is both cang and zang."""
    return frozenset(blur(one) for one in pinyin(letter, style=Style.NORMAL, heteronym=True)[0])


def _sure_of(written: str) -> float:
    if (jieba.dt.FREQ.get(written) or 0) >= KNOWN:
        return SURE_OF_KNOWN
    return SURE_OF_TWO if len(written) == SHORTEST else SURE


def _cuts(letters: Sequence[_Letter], stretch: range, word: tuple[int, int], sure: float) -> bool:
    """Whether the stretch would tear a word apart that is not in doubt itself."""
    inside = [at for at in range(*word) if at in stretch]
    outside = [at for at in range(*word) if at not in stretch]
    return bool(inside and outside) and fmean(letters[at].confidence for at in outside) >= sure


def _rebuilt(words: Sequence[Word], letters: Sequence[_Letter], found: dict[int, str]) -> Iterator[Word]:
    """The words again; those that a term was put into fall apart around it."""
    touched = {letters[at].word for start, term in found.items() for at in range(start, start + len(term))}
    at = 0
    while at < len(letters):
        letter = letters[at]
        if term := found.get(at):
            ends = letters[at + len(term) - 1].end_seconds
            sure = fmean(one.confidence for one in letters[at : at + len(term)])
            yield Word(term, round(letter.start_seconds, 2), round(ends, 2), round(sure, 3))
            at += len(term)
        elif letter.word in touched:
            yield Word(
                letter.text, round(letter.start_seconds, 2), round(letter.end_seconds, 2), letter.confidence
            )
            at += 1
        else:
            word = words[letter.word]
            yield word
            at += len(word.text)


def _is_han(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff"
