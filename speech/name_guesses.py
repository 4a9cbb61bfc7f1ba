"""How much a few letters look like a name that a recognizer wrote down by its sound, and where it ends."""

from __future__ import annotations

import re
from functools import cache
from math import inf

import jieba

from speech.name_letters import (
    FAMOUS,
    GIVEN,
    SELDOM,
    common_surnames,
    double_sounds,
    given_letters,
    given_name_sounds,
    given_names,
    is_common,
    is_han,
    is_mark,
    sounds_common,
    surnames,
)
from speech.private_cues import (
    ENDS,
    NEVER_GIVEN,
    NO_ANSWER,
    NO_PART,
    NO_SURNAME,
    NOBODY,
    PLACES,
    RARE,
    STATES,
)
from speech.private_sounds import sound_of

COMMON_GIVEN = 250  # letters of given names, the most frequent first in their file
FARTHEST = 6  # letters in which 小区 tells that it is no person's name
# What is told of a person after the name.
ABOUT_A_PERSON = re.compile(
    "[，,]?(?:身份证|电话|手机|今年|(?:[0-9]{2,3}|[一二三四五六七八九]?十[一二三四五六七八九]?)岁|[男女][，,]|家住|住在)"
)
OFTEN = 1_000  # how often jieba's corpus has a word that is no name even where one is expected


def guessed(text: str, at: int, least: float) -> int:
    """Where the name ends that seems to begin there; 0 where nothing looks like one as much as `least`."""
    if not may_begin(text, at):
        return 0
    is_double = sound_of(text[at : at + 2]) in double_sounds()
    sizes = (4, 3, 2) if is_double else (3, 2)
    best, end = max(((_likeness(text, at, size), at + size) for size in sizes), default=(-inf, 0))
    return end if best >= least else 0


def expected(text: str, at: int) -> int:
    """Where the name ends that surely stands there, whatever it was taken for: 要知名, 马尾; 0 for none."""
    is_other = NO_ANSWER.match(text, at) or PLACES.search(text, at, at + FARTHEST)
    if is_other or not may_begin(text, at):
        return 0
    size = 2 + (sound_of(text[at : at + 2]) in double_sounds())
    ends = (end for end in (at + size + 1, at + size) if is_mark(text, end) or ENDS.match(text, end))
    end = min(next(ends, at + size + 1), len(text))
    return end if end - at > 1 and all(map(is_han, text[at:end])) else 0


def may_begin(text: str, at: int) -> bool:
    """Whether what stands there is not plainly somebody or something else: 他, 孩子, 救护车, 什么."""
    return at < len(text) and is_han(text[at]) and not NOBODY.match(text, at)


def _likeness(text: str, at: int, size: int) -> float:
    letters = text[at : at + size]
    if len(letters) < size or not all(map(is_han, letters)) or NO_PART.intersection(letters[1:]):
        return -inf
    if sound_of(letters) in _states():
        return -inf
    first = 2 if size == 4 else 1
    return (
        _of_surname(letters[:first])
        + sum(map(_of_given, letters[first:]))
        + _of_given_name(letters[first:])
        - _of_words(letters)
        + _of_end(text, at + size)
        + (0.5 if size > 2 else -0.5)
        - (letters[-1] in NEVER_GIVEN)
    )


def _of_surname(letters: str) -> float:
    if len(letters) == 2:
        return 2.5
    if letters in surnames():
        return 2 if letters in common_surnames() and letters not in RARE else 1.2
    return -1.0 if not sounds_common(letters) else -0.3 if letters in NO_SURNAME else 1


def _of_given(letter: str) -> float:
    if letter in NEVER_GIVEN:
        return -0.2 if sound_of(letter) in _given_sounds() else -1.5  # 得 may have been 德
    return 1 if letter in given_letters() else 0.5 if sound_of(letter) in _given_sounds() else 0


def _of_given_name(letters: str) -> float:
    """How much more two letters tell together: 彩霞, and 踩下, which sounds so."""
    if letters in given_names():
        return 1.5
    is_one = len(letters) == 2 and not NEVER_GIVEN.intersection(letters)
    return 1 if is_one and sound_of(letters) in given_name_sounds() else 0


def _of_words(letters: str) -> float:
    """How much speaks against a name because the letters are everyday words."""
    first = 2 if letters[:2] in surnames() else 1
    given = letters[first:]
    words = {letters, letters[first - 1 : first + 1]}
    return sum(map(_weight, words)) + (_weight_of_given(given) if len(given) > 1 else 0)


def _weight(word: str) -> float:
    often = jieba.get_FREQ(word) or 0
    if often <= FAMOUS and word[0] in common_surnames() and given_letters().issuperset(word[1:]):
        return 0
    return 3 if often > OFTEN else 2 if often > SELDOM else 0.5 if often > 2 else 0


def _weight_of_given(word: str) -> float:
    """国强 and 海燕 are words, too."""
    if word in given_names():
        return 0
    often = jieba.get_FREQ(word) or 0
    return 0.25 * (often > 2) if often <= FAMOUS and given_letters().issuperset(word) else _weight(word)


def _of_end(text: str, end: int) -> float:
    if ABOUT_A_PERSON.match(text, end):
        return 1.5
    if is_mark(text, end):
        return 1
    crossing = text[end - 1 : end + 1]
    return 0.5 * (ENDS.match(text, end) is not None) - (1 if is_common(crossing) else 0)


@cache
def _given_sounds() -> frozenset[str]:
    letters = "".join(GIVEN.read_text(encoding="utf-8").split())
    return frozenset(map(sound_of, letters[:COMMON_GIVEN]))


@cache
def _states() -> frozenset[str]:
    return frozenset(map(sound_of, STATES))
