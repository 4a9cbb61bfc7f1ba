"""Names after words that introduce them, as both sound; and what is so like one that it needs none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from functools import cache

from speech.name_guesses import expected, guessed
from speech.name_letters import (
    common_surnames,
    double_surnames,
    given_letters,
    given_name_sounds,
    given_names,
    is_common,
    sounds_common,
)
from speech.private_cues import (
    CALLED_SO,
    FRAMES,
    INTRODUCTIONS,
    NAMING,
    NO_SURNAME,
    PEOPLE,
    PLACE_SIGN,
    SOMEBODY,
    WRITTEN,
)
from speech.private_sounds import sound_of, sounding_like

# How much like a name it must look where nothing announces it, after 找, …人是, 老伴, 老伴叫.
UNMISTAKABLE, AFTER_A_VERB, AFTER_SOMEBODY, AFTER_PEOPLE, AFTER_CALLED = 4.5, 4.0, 3.0, 2.5, 2.0
DOES = re.compile("说|反映|家(?![具电长园庭属政])")  # what people do
OTHERWISE = 2.0  # more, where the words that sound so are others: 互助 for 户主


def announced(text: str) -> Iterator[tuple[int, int]]:
    """What looks like a name after words that sound as if they introduced one."""
    sounds = sound_of(text)
    for cue in _naming().finditer(sounds):
        if end := expected(text, cue.end()):
            yield cue.end(), end
    for at, least in _places(text, sounds):
        if end := guessed(text, at, least):
            yield at, end


def by_people(sounds: str) -> set[int]:
    """Where words end that mean a person who may be named, in a text of these sounds."""
    return {cue.end() for cue in _people().finditer(sounds)}


def unannounced(text: str) -> Iterator[tuple[int, int]]:
    """What looks so much like a name that it needs no word before it."""
    sounds = sound_of(text)
    for at in range(len(text) - 2):
        if text[at : at + 2] in double_surnames() and (end := guessed(text, at, AFTER_SOMEBODY)):
            yield at, end
            continue
        is_given = text[at + 1 : at + 3] in given_names()
        if text[at] not in common_surnames() and not (is_given and _may_be_surname(text[at])):
            continue
        known = sum(letter in given_letters() for letter in text[at + 1 : at + 3])
        known = max(known, sounds[at + 1 : at + 3] in given_name_sounds())
        if not known and not DOES.match(text, at + 3):
            continue
        is_other = (at and is_common(text[at - 1 : at + 1])) or PLACE_SIGN.intersection(text[at + 2 : at + 4])
        if not is_other and (end := guessed(text, at, _unmistakable(known, text, at + 3))):
            yield at, end


def _may_be_surname(letter: str) -> bool:
    return sounds_common(letter) and letter not in NO_SURNAME


def _unmistakable(known: int, text: str, end: int) -> float:
    if known == 2:
        return UNMISTAKABLE
    return UNMISTAKABLE - 0.5 if DOES.match(text, end) else UNMISTAKABLE + 0.5


def _places(text: str, sounds: str) -> Iterator[tuple[int, float]]:
    """Where a name may begin, and how much like one it must look."""
    for cue in _people().finditer(sounds):
        least = AFTER_CALLED if cue["called"] else AFTER_PEOPLE
        if (more := _doubt(text, cue.start(), cue.end("person"), _people_words())) is not None:
            yield cue.end(), least + more
    for cue in _nearly().finditer(sounds):
        told = text[max(0, cue.start() - 1) : cue.end()]
        if not any(is_common(told[at : at + 2]) for at in range(len(told) - 1)):
            yield cue.end(), AFTER_SOMEBODY
    for least, words, cues in _introductions():
        for cue in cues.finditer(sounds):
            if (more := _doubt(text, cue.start(), cue.end(), words)) is not None:
                yield cue.end(), least + more
    for verb in WRITTEN.finditer(text):
        yield verb.end(), AFTER_A_VERB
    for somebody in SOMEBODY.finditer(text):
        yield somebody.end(), AFTER_SOMEBODY
    for frame in FRAMES.finditer(text):
        yield frame.start(1), AFTER_PEOPLE


def _doubt(text: str, start: int, end: int, words: Set[str]) -> float | None:
    """How much more is asked where other words stand than were looked for; None where it is none of these."""
    told = text[start:end].rstrip("：:")
    if told in words:
        return 0
    if start and is_common(text[start - 1 : start + 1]):
        return None  # 进行明 for 姓名
    return OTHERWISE if is_common(told) else 0


@cache
def _naming() -> re.Pattern[str]:
    return sounding_like(NAMING, after="[：:]?")


@cache
def _people_words() -> frozenset[str]:
    return frozenset(PEOPLE)


@cache
def _people() -> re.Pattern[str]:
    return sounding_like(PEOPLE, before="(?P<person>", after=f")(?P<called>[{sound_of(CALLED_SO)}])?[：:]?")


@cache
def _nearly() -> re.Pattern[str]:
    """The longer of these words with one syllable misheard."""
    long = [word for word in (*PEOPLE, *NAMING) if len(word) > 2]
    return sounding_like(word[:at] + "○" + word[at + 1 :] for word in long for at in range(len(word)))


@cache
def _introductions() -> tuple[tuple[float, frozenset[str], re.Pattern[str]], ...]:
    return tuple(
        (least, frozenset(words), sounding_like(words, after="[：:]?")) for least, words in INTRODUCTIONS
    )
