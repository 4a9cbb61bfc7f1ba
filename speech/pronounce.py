"""How Chinese words sound: pinyin by word, with a list for the ones that dictionaries get wrong."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import jieba
from pypinyin import Style, lazy_pinyin

from speech.tables import rows

LIST = Path(__file__).with_name("pronunciations.tsv")
HAN = "\u4e00-\u9fff"
LETTERS = {
    "A": "ei1", "B": "bi4", "C": "xi1", "D": "di4", "E": "yi4", "F": "ai2 fu5", "G": "ji4", "H": "ei1 chi5",
    "I": "ai4", "J": "zhei4", "K": "kei4", "L": "ai2 er5", "M": "ai2 mu5", "N": "en1", "O": "ou1", "P": "pi4",
    "Q": "qiu1", "R": "a4", "S": "ai2 si5", "T": "ti4", "U": "you1", "V": "wei1", "W": "da2 bu5 liu5",
    "X": "ai2 ke5 si5", "Y": "wai4", "Z": "zi4",
}  # fmt: skip
MARKS = str.maketrans("，、。．！？：；《》「」（）·\n", ",,..!?:;“”“”() .")

Pronunciations = Mapping[str, str]


@cache
def usual_pronunciations() -> Pronunciations:
    """The list that comes with the program: a word and its pinyin with tone numbers, one a syllable."""
    return dict(rows(LIST))


class Speller:
    """Splits Chinese text into words and gives each its pinyin; `own` goes before the usual list."""

    def __init__(self, own: Pronunciations | None = None) -> None:
        jieba.setLogLevel(logging.WARNING)
        self._known = {**usual_pronunciations(), **(own or {})}
        self._cutter = jieba.Tokenizer()
        for word in self._known:
            self._cutter.add_word(word, freq=1_000_000)

    def spell(self, text: str) -> Iterator[tuple[str, ...] | str]:
        """The text as words, each a tuple of syllables like `ting1`, and the marks between them (ASCII)."""
        for part in re.findall(rf"[{HAN}]+|[A-Za-z]+|[^{HAN}A-Za-z]+", text):
            if re.match(f"[{HAN}]", part):
                for word in self._cutter.cut(part, HMM=False):
                    yield self._syllables(word)
            elif part[0].isalpha() and part.isascii():
                for letter in part.upper():
                    yield tuple(LETTERS[letter].split())
            else:
                yield part.translate(MARKS)

    def _syllables(self, word: str) -> tuple[str, ...]:
        if word in self._known:
            return tuple(self._known[word].split())
        return tuple(lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True))
