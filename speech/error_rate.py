"""How far a transcript is from what was said: the character error rate, averaged fairly over speakers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from functools import cache
from statistics import fmean

from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

from speech.reading import normalise

CAP = 2.0  # a clip in which a recognizer runs wild counts no more than so many errors a character
SAME = str.maketrans("幺两〇", "一二零")
_FIGURES_APART = re.compile(r"(?<=\d) (?=\d)")


def letters(text: str) -> str:
    """What counts of a text: simplified, figures as they are said, 幺 and 两 plain, no marks, no spaces."""
    plain = _FIGURES_APART.sub("", unicodedata.normalize("NFKC", text))
    said = normalise(_simplify()(plain)).translate(SAME)
    return "".join(letter for letter in said.lower() if letter.isalnum())


def error_rate(said: str, heard: str, cap: float = CAP) -> float:
    """Edits by character over the characters said, both as `letters`; at most `cap`.

    Where nothing was said every word heard is wrong: 0 or the cap.
    """
    expected, found = letters(said), letters(heard)
    if not expected:
        return cap if found else 0.0
    return min(cap, Levenshtein.distance(expected, found) / len(expected))


def mean_by_speaker(rates: Iterable[tuple[str, float]]) -> float:
    """The mean over speakers of each speaker's mean: who said much weighs no more than who said little."""
    clips: dict[str, list[float]] = {}
    for speaker, rate in rates:
        clips.setdefault(speaker, []).append(rate)
    return fmean(fmean(own) for own in clips.values()) if clips else 0.0


@cache
def _simplify() -> Callable[[str], str]:
    convert: Callable[[str], str] = OpenCC("t2s").convert
    return convert
