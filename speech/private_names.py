"""Names of people: a surname and a given name, by the words that introduce them and by what may be a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jieba

from speech.private_cues import (
    CALLED,
    ELDER,
    ENDS,
    FOLLOWS,
    FOREIGN,
    KIN_WORDS,
    MYSELF,
    NEVER_GIVEN,
    NO_PART,
    NO_SURNAME,
    PERHAPS,
    PLACE_SIGN,
    PLACES,
    RARE,
    START,
    STRANGER,
    SURELY,
    TITLE,
)
from speech.private_sounds import sound_of, sounding_like

Found = tuple[int, int, str]

SURNAMES = Path(__file__).with_name("surnames.txt")
GIVEN = Path(__file__).with_name("given.txt")
COMMON = 100
SELDOM = 20  # in jieba's dictionary: hardly a word
NEARBY = 12
LONGEST = 8  # letters of a name that a recognizer misheard
PLAIN_ENOUGH = 60  # words that common in jieba's dictionary are no names
FAMOUS = 800


@cache
def surnames() -> frozenset[str]:
    """The surnames that most people bear, one or two characters long."""
    return frozenset(SURNAMES.read_text(encoding="utf-8").split())


@cache
def given_letters() -> frozenset[str]:
    """Characters that given names are often made of."""
    return frozenset("".join(GIVEN.read_text(encoding="utf-8").split()))


def find_names(text: str) -> Iterator[Found]:
    """Names after a word that introduces them, before a title or before what only a person does.

    王阿姨 and 李主任 stay: a surname with a title points to nobody outside of the room; but who says of
    themselves 我姓王 or 我是老王 is hidden.
    """
    jieba.setLogLevel(60)
    jieba.initialize()  # reads the dictionary once; without it no word is known
    sure = {match.end() for match in SURELY.finditer(text)}
    hints = {match.end() for match in PERHAPS.finditer(text)}
    starts = {match.end() for match in START.finditer(text)}
    kin = {match.end() for match in _kin_by_sound().finditer(sound_of(text))}
    hints |= kin - starts
    for start, end in (*_of_strangers(text, sure | hints), *_of_myself(text)):
        yield start, end, "name"
    for at in sorted(sure):
        if end := _introduced(text, at):
            yield at, end, "name"
    for at, letter in enumerate(text):
        end = _recognised(text, at, at in hints, at in starts) if letter in _first_letters() else 0
        if not end and at in kin:
            end = _misheard(text, at, 2) or (_misheard(text, at, 1) if _is_mark(text, at + 2) else 0)
        if end:
            yield at, end, "name"


@cache
def _first_letters() -> frozenset[str]:
    return frozenset(surname[0] for surname in surnames())


def _of_strangers(text: str, cues: set[int]) -> Iterator[tuple[int, int]]:
    """买买提·吐尔逊: from the last cue before the point up to where a name ends."""
    for match in STRANGER.finditer(text):
        point = next(at for at in range(match.start(), match.end()) if text[at] in "·•・‧")
        start = max((at for at in cues if match.start() <= at < point), default=match.start())
        while start < point - 1 and start not in cues and text[start] not in FOREIGN:
            start += 1
        end = point + 2
        while end < match.end() and not (ENDS.match(text, end) and text[end] not in FOREIGN):
            end += 1
        letters = text[start:point] + text[point + 1 : end]
        if sum(letter in FOREIGN for letter in letters) * 2 >= len(letters):
            yield start, end


def _of_myself(text: str) -> Iterator[tuple[int, int]]:
    """我姓李, 我是老李, 我是三号楼的李阿姨: who speaks is hidden even by half a name."""
    for match in CALLED.finditer(text):
        is_double = sound_of(text[match.end() : match.end() + 2]) in _double_sounds()
        end = match.end() + (2 if is_double else 1)
        if is_double or text[match.end() : end] in surnames() or (end <= len(text) and _is_mark(text, end)):
            yield match.end(), end
    sounds = sound_of(text)
    for match in _called_by_sound().finditer(sounds):
        if sounds[match.end() : match.end() + 2] in _double_sounds():
            yield match.end(), match.end() + 2
    for match in MYSELF.finditer(text):
        at = match.end() + (text[match.end() : match.end() + 1] in {"老", "小"})
        surname = _surname_at(text, at)
        if not surname or surname in RARE:
            continue
        end = at + len(surname)
        if at > match.end() and _is_mark(text, end):
            yield match.end(), end
        elif title := ELDER.match(text, end):
            yield match.end(), title.end()


_NAMED = re.compile("(?:叫做?|名字?[叫是]|姓名[是为]?)[，,：: ]?$")


def _is_mark(text: str, at: int) -> bool:
    return at >= len(text) or not text[at].isalnum()


def _introduced(text: str, at: int) -> int:
    """Where the name ends that surely stands here; 0 where it is none (我叫他来), even if it was misheard."""
    surname = _surname_at(text, at)
    end = _end_of_name(text, at + len(surname), is_sure=True) if surname else 0
    if end and (
        not _is_plain_word(text[at : at + NEARBY], end - at) or (_is_mark(text, end) and surname not in RARE)
    ):
        return end
    end = at
    while end < len(text) and end - at < LONGEST and _is_han(text[end]) and text[end] not in NEVER_GIVEN:
        end += 1
    is_name = _NAMED.search(text, max(0, at - 8), at) and 2 <= end - at <= LONGEST and _is_mark(text, end)
    if is_name and not any(_is_common(text[at : at + size]) for size in (2, 3, 4)):
        return end
    return _misheard(text, at, 2) or _misheard(text, at, 1)


def _recognised(text: str, at: int, is_hinted: bool, is_start: bool) -> int:
    """Where a name ends that may stand here; 0 where there is none."""
    if not (surname := _surname_at(text, at)):
        return 0
    end = _end_of_name(text, at + len(surname), is_sure=False)
    if not end:
        return 0
    is_place = any(PLACES.match(text, place) for place in (end, end - 1, end - 2))
    if is_place or text[end : end + 1] in PLACE_SIGN:
        return 0
    if not is_hinted and at and _is_common(text[at - 1 : at + 1]):  # 过程中, 中南大学
        return 0
    title = TITLE.match(text, end) is not None
    is_followed = is_start and FOLLOWS.match(text, end) is not None
    if not (is_hinted or title or is_followed):
        return 0
    is_whole = ENDS.match(text, end) is not None if end - at > 2 else is_hinted and _is_mark(text, end)
    if surname in RARE and not (is_whole and (is_hinted or is_followed)):
        return 0
    if is_hinted and end - at == len(surname) + 1 and not ENDS.match(text, end) and _may_be_given(text[end]):
        end += not jieba.get_FREQ(text[end : end + 2])  # an unusual letter, with which no word begins
    return 0 if _is_plain_word(text[at : at + NEARBY], end - at) else end


def _misheard(text: str, at: int, size: int) -> int:
    """Where a name ends that is sure to stand here, whose surname only sounds like a common one."""
    end = at + 1 + size
    letters = text[at:end]
    if len(letters) != 1 + size or not all(map(_is_han, letters)) or letters[0] in NO_SURNAME:
        return 0
    if NO_PART.intersection(letters):
        return 0
    sounds_common = sound_of(letters[0]) in _common_sounds()
    if size == 1 and (NEVER_GIVEN.intersection(letters[1:]) or not sounds_common):
        return 0
    if not sounds_common and not given_letters().intersection(letters[1:]):
        return 0
    if not ENDS.match(text, end):
        return 0
    return (
        0
        if any((jieba.get_FREQ(word) or 0) > SELDOM for word in {letters, letters[:2], letters[-2:]})
        else end
    )


@cache
def _common_sounds() -> frozenset[str]:
    return frozenset(sound_of(surname) for surname in SURNAMES.read_text(encoding="utf-8").split()[:COMMON])


@cache
def _called_by_sound() -> re.Pattern[str]:
    return sounding_like(("我姓", "人姓", "贵姓", "他姓"))


@cache
def _double_sounds() -> frozenset[str]:
    return frozenset(sound_of(surname) for surname in surnames() if len(surname) > 1)


@cache
def _kin_by_sound() -> re.Pattern[str]:
    return sounding_like(KIN_WORDS, after="[，：: ]?")


def _surname_at(text: str, at: int) -> str:
    known = surnames()
    return next((text[at : at + size] for size in (2, 1) if text[at : at + size] in known), "")


def _end_of_name(text: str, start: int, *, is_sure: bool) -> int:
    """Where the given name of one or two characters ends; 0 when there is none."""
    if TITLE.match(text, start):
        return 0
    size = 0
    while (
        size < 2
        and _may_be_given(text[start + size : start + size + 1])
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


def _is_han(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff"


def _may_be_given(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff" and letter not in NEVER_GIVEN


def _is_plain_word(rest: str, size: int) -> bool:
    """Whether an everyday word begins here instead of a name: 高兴, 周围, 方便, 车辆."""
    first = 3 if rest[:2] in surnames() else 2
    prefixes = (rest[:length] for length in range(first, 5))
    return any(_is_common(prefix) and not _stands_alone(rest, len(prefix), size) for prefix in prefixes)


def _is_common(word: str) -> bool:
    """Whether a word is frequent; famous people's names are in the dictionary too, but seldom frequent."""
    may_be_name = word[0] not in RARE and word[0] != word[1:2] and given_letters().issuperset(word[1:])
    return (jieba.get_FREQ(word) or 0) > (FAMOUS if may_be_name else PLAIN_ENOUGH)


def _stands_alone(rest: str, prefix: int, size: int) -> bool:
    """Whether a longer name, ending at a mark, only happens to begin with a word: 黄金刚，"""
    return prefix < size and _is_mark(rest, size)
