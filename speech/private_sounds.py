"""Looking for words by their sound, because a recognizer writes others that sound the same (户主: 互助)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from speech.syllables import codes, heard


class _Sounds(dict[int, str]):
    """By code point: the letter of a character's syllable; each is looked up once."""

    def __missing__(self, code: int) -> str:
        self[code] = chr(int(heard(codes(chr(code)))[0]))
        return self[code]


_sounds = _Sounds()


def sound_of(text: str) -> str:
    """A text of the same length with one letter for each syllable: equal letters sound alike."""
    return text.translate(_sounds)


def sounding_like(words: Iterable[str], before: str = "", after: str = "") -> re.Pattern[str]:
    """A pattern for `sound_of` texts that finds any of the words, between two more patterns.

    ○ in a word stands for any one character.
    """
    sounds = {re.escape(sound_of(word)).replace("○", ".") for word in words}
    known = "|".join(sorted(sounds, key=len, reverse=True))
    return re.compile(f"{before}(?:{known}){after}")
