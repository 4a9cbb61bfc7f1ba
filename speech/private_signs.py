"""What the letters around a letter tell of whether it is private: how they sound, and what words they make.

Letters are seen by their sound first (`speech/syllables.py`), because a recognizer that has misheard a name
writes others that sound like it: 章日生 for 张瑞生.
"""

from __future__ import annotations

import math
from functools import lru_cache

import jieba

from speech.name_letters import common_surnames, given_letters, is_han, sounds_common, surnames
from speech.private_sounds import sound_of

FARTHEST = 4  # letters on either side
_NONE = "#"
ALWAYS = "always"
LETTERS = 8_192  # remembered
_SOUNDS = tuple(f"s{at}" for at in range(-FARTHEST, FARTHEST + 1))
_PAIRS = tuple(f"p{at}" for at in range(-FARTHEST, FARTHEST))
_LETTERS = tuple((at, f"c{at}") for at in range(-3, 4))
_NAMES = tuple((at, f"n{at}") for at in (-1, 0, 1))
_WORDS = tuple((at, f"w{at}") for at in range(-2, 3))

Signs = list[str]


def signs(text: str) -> list[Signs]:
    """For each letter its signs: the sounds up to four letters away, alone and in pairs; the letters; whether
    they are surnames or stand in given names; their place in a word, and how usual it is.
    """
    jieba.setLogLevel(60)
    margin = [_NONE] * FARTHEST
    sounds = [*margin, *map(_sound, text), *margin]
    names, words = [*map(_as_name, text)], _words(text)
    found = []
    for at in range(len(text)):
        near = sounds[at : at + 2 * FARTHEST + 1]
        one = [ALWAYS, *(sign + sound for sign, sound in zip(_SOUNDS, near, strict=True))]
        one += [sign + near[n] + near[n + 1] for n, sign in enumerate(_PAIRS)]
        one += [sign + text[at + n] for n, sign in _LETTERS if 0 <= at + n < len(text)]
        one += [sign + names[at + n] for n, sign in _NAMES if 0 <= at + n < len(text)]
        one += [sign + words[at + n] for n, sign in _WORDS if 0 <= at + n < len(text)]
        found.append(one)
    return found


@lru_cache(LETTERS)
def _sound(letter: str) -> str:
    """Its syllable; of what has none only what it is."""
    if is_han(letter):
        return sound_of(letter)
    return "9" if letter.isdigit() else "L" if letter.isalnum() else "M"


@lru_cache(LETTERS)
def _as_name(letter: str) -> str:
    """A common surname, another one, what sounds so, or none; and whether given names hold it."""
    if not is_han(letter):
        return "-"
    if letter in surnames():
        surname = "c" if letter in common_surnames() else "s"
    else:
        surname = "h" if sounds_common(letter) else "-"
    return surname + ("g" if letter in given_letters() else "-")


def _words(text: str) -> list[str]:
    """For each letter its place in its word (single, first, within, last), and how usual the word is."""
    found: list[str] = []
    for word in jieba.cut(text, HMM=False):
        usual = _usual(jieba.get_FREQ(word) or 0)
        places = "S" if len(word) == 1 else "B" + "I" * (len(word) - 2) + "E"
        found += [place + usual for place in places]
    return found


@lru_cache(LETTERS)
def _usual(often: int) -> str:
    return str(1 + min(5, int(math.log10(often)))) if often else "0"
