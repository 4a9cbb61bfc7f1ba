"""Names of people: a surname and a given name, by the words that introduce them and by what may be a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import jieba

from speech.name_guesses import guessed
from speech.name_letters import (
    common_surnames,
    double_sounds,
    end_of_name,
    first_letters,
    is_common,
    is_han,
    is_mark,
    is_plain_word,
    may_be_given,
    sounds_common,
    surname_at,
)
from speech.names_by_sound import announced, by_people, unannounced
from speech.private_cues import (
    CALLED,
    ELDER,
    ENDS,
    FOLLOWS,
    FOREIGN,
    MYSELF,
    NEVER_GIVEN,
    PERHAPS,
    PLACE_SIGN,
    PLACES,
    RARE,
    START,
    STRANGE,
    STRANGER,
    SURELY,
    TITLE,
)
from speech.private_sounds import sound_of, sounding_like

Found = tuple[int, int, str]

NEARBY = 12
EXPECTED = 1.0  # how much like a name that must look which stands where one surely is
MOSTLY_FOREIGN = 0.7  # of the letters of a long name
LONGEST = 8  # letters of a name that a recognizer misheard


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
    hints |= by_people(sound_of(text)) - starts
    for start, end in (*_of_strangers(text, sure | hints), *_of_strange_parts(text), *_of_myself(text)):
        yield start, end, "name"
    found = [(at, _introduced(text, at)) for at in sorted(sure)]
    first = (at for at, letter in enumerate(text) if letter in first_letters())
    found += [(at, _recognised(text, at, at in hints, at in starts)) for at in first]
    for start, end in (*found, *announced(text), *unannounced(text)):
        if end and not is_of_title(text, start, end) and not _is_complement(text, start):
            yield start, end, "name"


def _is_complement(text: str, start: int) -> bool:
    """女儿嫁得远, 媳妇管得严: a verb with what 得 tells of it, where only 王得胜 and the like are names."""
    return text[start + 1 : start + 2] == "得" and text[start] not in common_surnames()


def is_of_title(text: str, start: int, end: int) -> bool:
    """Whether it is a surname with a title (何叔叔), what such a one does (李师傅修水管), or in a title."""
    before = TITLE.match(text, start - 1) if start else None
    if before and before.end() > start:
        return True
    own = surname_at(text, start)
    title = TITLE.match(text, start + len(own)) if own else None
    if title and title.end() >= end:
        return True
    return _after_title().search(text[max(0, start - NEARBY) : start]) is not None


@cache
def _after_title() -> re.Pattern[str]:
    return re.compile(f"(?:{'|'.join(common_surnames())})(?:{TITLE.pattern})$")


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


def _of_strange_parts(text: str) -> Iterator[tuple[int, int]]:
    """扎西顿竹, 阿姨鼓励买买提: parts of such names side by side, as they are written or sound."""
    for match in _strange().finditer(sound_of(text)):
        letters, sounds = text[match.start() : match.end()], match[0]
        if any(part in letters or (len(part) > 2 and sound_of(part) in sounds) for part in STRANGE):
            yield match.span()


def _of_myself(text: str) -> Iterator[tuple[int, int]]:
    """我姓李, 我是老李, 我是三号楼的李阿姨: who speaks is hidden even by half a name."""
    yield from _of_surnames(text)
    for match in MYSELF.finditer(text):
        at = match.end() + (text[match.end() : match.end() + 1] in {"老", "小"})
        surname = surname_at(text, at)
        if not surname or surname in RARE:
            continue
        end = at + len(surname)
        if at > match.end() and is_mark(text, end):
            yield match.end(), end
        elif title := ELDER.match(text, end):
            yield match.end(), title.end()


def _of_surnames(text: str) -> Iterator[tuple[int, int]]:
    """我姓李, also where 姓 or the surname was misheard (我性足革)."""
    sounds = sound_of(text)
    told = {match.end() for match in CALLED.finditer(text)}
    heard = {match.end() for match in _called_by_sound().finditer(sounds)}
    for at in told | heard:
        if sounds[at : at + 2] in double_sounds():
            yield at, at + 2
            continue
        if at >= len(text) or not is_han(text[at]) or text[at] in NO_SURNAME_AT_ALL:
            continue
        is_surname = sounds_common(text[at]) and not is_common(text[at - 1 : at + 1])
        is_clear = ENDS.match(text, at + 1) is not None and not is_common(text[at - 2 : at])  # 人心
        if at in told or (is_clear and is_surname):
            yield at, at + 1


NO_SURNAME_AT_ALL = frozenset("什啥名氏甚的")
_NAMED = re.compile("(?:叫做?|名字?[叫是]|姓名[是为]?)[，,：: ]?$")


def _introduced(text: str, at: int) -> int:
    """Where the name ends that surely stands here; 0 where it is none (我叫他来), even if it was misheard."""
    surname = surname_at(text, at)
    end = end_of_name(text, at + len(surname), is_sure=True) if surname else 0
    if end and (
        not is_plain_word(text[at : at + NEARBY], end - at) or (is_mark(text, end) and surname not in RARE)
    ):
        return end
    end = at
    while end < len(text) and end - at < LONGEST and is_han(text[end]) and text[end] not in NEVER_GIVEN:
        end += 1
    is_name = _NAMED.search(text, max(0, at - 8), at) and 2 <= end - at <= LONGEST and is_mark(text, end)
    if is_name and (
        _is_strange(text[at:end]) or not any(is_common(text[at : at + size]) for size in (2, 3, 4))
    ):
        return end
    return guessed(text, at, EXPECTED)


def _is_strange(letters: str) -> bool:
    """Whether it sounds like a long name from another tongue: 阿姨鼓励买买期."""
    alike = sum(sound in _foreign_sounds() for sound in sound_of(letters))
    return len(letters) > 4 and alike >= MOSTLY_FOREIGN * len(letters)


@cache
def _foreign_sounds() -> frozenset[str]:
    return frozenset(map(sound_of, FOREIGN))


def _recognised(text: str, at: int, is_hinted: bool, is_start: bool) -> int:
    """Where a name ends that may stand here; 0 where there is none."""
    if not (surname := surname_at(text, at)):
        return 0
    end = end_of_name(text, at + len(surname), is_sure=False)
    if not end:
        return 0
    is_place = any(PLACES.match(text, place) for place in (end, end - 1, end - 2))
    if is_place or text[end : end + 1] in PLACE_SIGN:
        return 0
    if not is_hinted and at and is_common(text[at - 1 : at + 1]):  # 过程中, 中南大学
        return 0
    title = TITLE.match(text, end) is not None
    is_followed = is_start and FOLLOWS.match(text, end) is not None
    if not (is_hinted or title or is_followed):
        return 0
    is_whole = ENDS.match(text, end) is not None if end - at > 2 else is_hinted and is_mark(text, end)
    if surname in RARE and not (is_whole and (is_hinted or is_followed)):
        return 0
    if is_hinted and end - at == len(surname) + 1 and not ENDS.match(text, end) and may_be_given(text[end]):
        end += not jieba.get_FREQ(text[end : end + 2])  # an unusual letter, with which no word begins
    return 0 if is_plain_word(text[at : at + NEARBY], end - at) else end


@cache
def _strange() -> re.Pattern[str]:
    return re.compile(f"(?:{sounding_like(STRANGE).pattern}){{2,}}")


@cache
def _called_by_sound() -> re.Pattern[str]:
    return sounding_like(("我姓", "人姓", "贵姓", "他姓"))
