"""What a name may be made of: surnames, letters of given names; and what is an everyday word instead."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import jieba

from speech.private_cues import ENDS, NEVER_GIVEN, RARE, TITLE
from speech.private_sounds import sound_of

SURNAMES = Path(__file__).with_name("surnames.txt")
GIVEN = Path(__file__).with_name("given.txt")
NAMES = Path(__file__).with_name("given_names.txt")
COMMON = 100  # surnames, the most frequent first in their file
# How often jieba's corpus has a word.
SELDOM = 20  # hardly a word
PLAIN_ENOUGH = 60  # words that common are no names
FAMOUS = 800  # unless they look like the name of somebody famous


@cache
def surnames() -> frozenset[str]:
    """The surnames that most people bear, one or two characters long."""
    return frozenset(SURNAMES.read_text(encoding="utf-8").split())


@cache
def given_letters() -> frozenset[str]:
    """Characters that given names are often made of."""
    return frozenset("".join(GIVEN.read_text(encoding="utf-8").split()))


@cache
def given_names() -> frozenset[str]:
    """Given names of two characters that many people bear."""
    return frozenset(NAMES.read_text(encoding="utf-8").split())


@cache
def given_name_sounds() -> frozenset[str]:
    """How they sound."""
    return frozenset(map(sound_of, given_names()))


@cache
def first_letters() -> frozenset[str]:
    """Characters that a surname begins with."""
    return frozenset(surname[0] for surname in surnames())


@cache
def double_surnames() -> frozenset[str]:
    """The surnames of two characters that are no everyday words (东方)."""
    return frozenset(surname for surname in surnames() if len(surname) > 1 and not is_common(surname))


@cache
def double_sounds() -> frozenset[str]:
    """How the surnames of two characters sound."""
    return frozenset(sound_of(surname) for surname in surnames() if len(surname) > 1)


@cache
def common_surnames() -> frozenset[str]:
    """The surnames that every second person bears."""
    return frozenset(SURNAMES.read_text(encoding="utf-8").split()[:COMMON])


@cache
def _common_sounds() -> frozenset[str]:
    return frozenset(map(sound_of, common_surnames()))


def sounds_common(surname: str) -> bool:
    """Whether it is a surname or sounds like a common one."""
    return surname in surnames() or sound_of(surname) in _common_sounds()


def surname_at(text: str, at: int) -> str:
    """The longest surname that begins there; "" for none."""
    known = surnames()
    return next((text[at : at + size] for size in (2, 1) if text[at : at + size] in known), "")


def end_of_name(text: str, start: int, *, is_sure: bool) -> int:
    """Where the given name of one or two characters ends; 0 when there is none."""
    if TITLE.match(text, start):
        return 0
    size = 0
    while (
        size < 2
        and may_be_given(text[start + size : start + size + 1])
        and not TITLE.match(text, start + size)
    ):
        size += 1
    usual = 0
    while usual < size and text[start + usual] in given_letters():
        usual += 1
    ended = [n for n in range(size, 0, -1) if ENDS.match(text, start + n)]
    if is_sure:
        return start + (ended[0] if ended else usual or size) if size else 0
    ended = [n for n in ended if n <= usual]
    return start + (ended[0] if ended else usual) if usual else 0


def is_mark(text: str, at: int) -> bool:
    """Whether no word goes on there."""
    return at >= len(text) or not text[at].isalnum()


def is_han(letter: str) -> bool:
    """Whether it is a Chinese character."""
    return "\u4e00" <= letter <= "\u9fff"


def may_be_given(letter: str) -> bool:
    """Whether a given name could hold it at all; "" can't."""
    return is_han(letter) and letter not in NEVER_GIVEN


def is_plain_word(rest: str, size: int) -> bool:
    """Whether an everyday word begins here instead of a name: 高兴, 周围, 方便, 车辆."""
    first = 3 if rest[:2] in surnames() else 2
    prefixes = (rest[:length] for length in range(first, 5))
    return any(is_common(prefix) and not _stands_alone(rest, len(prefix), size) for prefix in prefixes)


def is_common(word: str) -> bool:
    """Whether a word is frequent; famous people's names are in the dictionary too, but seldom frequent."""
    may_be_name = word[0] not in RARE and word[0] != word[1:2] and given_letters().issuperset(word[1:])
    return (jieba.get_FREQ(word) or 0) > (FAMOUS if may_be_name else PLAIN_ENOUGH)


def _stands_alone(rest: str, prefix: int, size: int) -> bool:
    """Whether a longer name, ending at a mark, only happens to begin with a word: 黄金刚，"""
    return prefix < size and is_mark(rest, size)
