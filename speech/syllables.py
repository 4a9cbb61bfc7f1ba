"""How characters sound, without tones and with what is often confused made equal; and their twins."""

from __future__ import annotations

import random
import unicodedata
from collections import defaultdict
from functools import cache
from itertools import accumulate

import jieba
import numpy as np
import numpy.typing as npt

BLURRED = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"))
_UMLAUT = str.maketrans("üǖǘǚǜ", "vvvvv")
_PLANE = 0x10000  # characters of the basic plane: all that speech is written with

Codes = npt.NDArray[np.uint16]


def blur(syllable: str) -> str:
    """A syllable of pinyin without tone as a southern ear may hear it: zh as z, ng as n, n as l."""
    for exact, blurred in BLURRED:
        syllable = syllable.replace(exact, blurred)
    return "l" + syllable[1:] if syllable.startswith("n") and len(syllable) > 1 else syllable


def codes(text: str) -> Codes:
    """One number for each character of `text`; a character beyond the basic plane counts as U+FFFD."""
    plain = "".join(letter if ord(letter) < _PLANE else "\ufffd" for letter in text)
    return np.frombuffer(plain.encode("utf-16-le"), np.uint16)


def heard(letters: Codes) -> Codes:
    """One syllable number for each character: equal numbers sound alike. Not Chinese: its own code."""
    return _table()[letters]


def syllable_number(syllable: str) -> int:
    """The number of a blurred syllable; 0 for one that no character has."""
    return _numbers().get(syllable, 0)


def misheard(text: str, share: float, chance: random.Random) -> str:
    """`text` with that share of its Chinese characters written as others of the same toneless sound.

    Common characters come more often, as they do from a recognizer.
    """
    letters = list(text)
    for at, letter in enumerate(letters):
        if "一" <= letter <= "鿿" and chance.random() < share:
            letters[at] = _twin(letter, chance)
    return "".join(letters)


def _twin(letter: str, chance: random.Random) -> str:
    others, bounds = _others(letter)
    return chance.choices(others, cum_weights=bounds)[0] if others else letter


@cache
def _plain_syllable(letter: str) -> str:
    """The toneless, unblurred sound of a character alone; "" where it has none."""
    from pypinyin.constants import PINYIN_DICT

    first = PINYIN_DICT.get(ord(letter), "").partition(",")[0]
    bare = unicodedata.normalize("NFD", first.translate(_UMLAUT))
    return "".join(sign for sign in bare if "a" <= sign <= "z")


@cache
def _numbers() -> dict[str, int]:
    from pypinyin.constants import PINYIN_DICT

    sounds = {blur(_plain_syllable(chr(code))) for code in PINYIN_DICT if code < _PLANE}
    return {sound: number for number, sound in enumerate(sorted(sounds - {""}), start=0xE000)}


@cache
def _table() -> Codes:
    """By character: its syllable's number, taken from the private-use area so that it is no character's."""
    from pypinyin.constants import PINYIN_DICT

    table = np.arange(_PLANE, dtype=np.uint16)
    numbers = _numbers()
    for code in PINYIN_DICT:
        if code < _PLANE:
            table[code] = numbers.get(blur(_plain_syllable(chr(code))), code)
    return table


@cache
def _others(letter: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """The other characters of the same toneless sound, and the running sums of how often they are written."""
    twins = [one for one in _twins().get(_plain_syllable(letter), ()) if one[0] != letter]
    return tuple(one for one, _ in twins), tuple(accumulate(often for _, often in twins))


@cache
def _twins() -> dict[str, list[tuple[str, float]]]:
    """By toneless sound: its characters, and how often jieba's dictionary has them."""
    jieba.setLogLevel(60)
    jieba.initialize()
    often: dict[str, float] = defaultdict(float)
    for word, count in jieba.dt.FREQ.items():
        for letter in word:
            often[letter] += count
    found: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for letter, count in often.items():
        if count and "一" <= letter <= "鿿" and _plain_syllable(letter):
            found[_plain_syllable(letter)].append((letter, count))
    return found
