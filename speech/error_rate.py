"""How far what was heard is from what was said, in characters."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from statistics import fmean

import cn2an
from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

DIGITS = {**dict(zip("零一二三四五六七八九", "0123456789", strict=True)), "〇": "0", "幺": "1", "两": "2"}
NUMERAL = re.compile("[0-9零〇一幺二两三四五六七八九十百千万亿]+")
DIGIT = "[0-9零〇一幺二两三四五六七八九]"
SINGLY = re.compile(rf"(?<![0-9.十百千万亿]){DIGIT}(?:[-、,，\s]+{DIGIT}){{2,}}(?![0-9.十百千万亿%])")
LONGEST_NUMBER = 16  # digits; a longer row of them is an id and is read digit by digit
_simplified = OpenCC("t2s").convert


def normalised(text: str) -> str:
    """The text as it is compared: simplified, lower case, letters and digits alone, numbers written one way.

    Spoken and written numbers become equal (二零一九年 = 2019年, 三点五 = 3.5, 八点半 = 8:30), 幺 is 一 and
    两 is 二; digits written one by one (7、1、3、5 or 7-1-3-5) are a row. Each number takes the shorter of
    its two spellings (三亿, 2019), so that one misheard number weighs no more than it takes to say.
    """
    text = _simplified(unicodedata.normalize("NFKC", text)).lower()
    for pattern, spoken in WRITTEN:
        text = pattern.sub(spoken, text)
    text = SINGLY.sub(lambda match: "".join(filter(str.isalnum, match[0])), text)
    text = NUMERAL.sub(lambda match: _one_spelling(match[0]), text)
    for pattern, short in TIMES:
        text = pattern.sub(short, text)
    return "".join(letter for letter in text if letter.isalnum())


def character_errors(reference: str, heard: str) -> int:
    """How many characters must be changed, added or taken away (Levenshtein) once both are normalised."""
    return int(Levenshtein.distance(normalised(reference), normalised(heard)))


def character_error_rate(reference: str, heard: str, cap: float = 2.0) -> float:
    """The errors over the characters of the reference, at most `cap`; words out of nothing cost `cap`."""
    expected = len(normalised(reference))
    errors = character_errors(reference, heard)
    if not expected:
        return cap if errors else 0.0
    return min(cap, errors / expected)


def average_over_speakers(rates: Iterable[tuple[str, float]]) -> float:
    """The mean of the speakers' own means, from pairs of speaker and rate; nan without any.

    Everybody counts once, however much they said.
    """
    told: defaultdict[str, list[float]] = defaultdict(list)
    for speaker, rate in rates:
        told[speaker].append(rate)
    return fmean(fmean(own) for own in told.values()) if told else float("nan")


def _one_spelling(numeral: str) -> str:
    figures = figures_of(numeral)
    if figures is None:
        return "".join("二" if letter == "两" else "零" if letter == "〇" else letter for letter in numeral)
    if len(figures) > LONGEST_NUMBER or (len(figures) > 1 and figures.startswith("0")):
        return figures
    said = re.sub("^一十", "十", str(cn2an.an2cn(int(figures), "low")))
    return said if len(said) <= len(figures) else figures


def figures_of(numeral: str) -> str | None:
    """The number in digits; None where it is none (百, 二三十)."""
    digits = "".join(DIGITS.get(letter, letter) for letter in numeral)
    if digits.isdecimal():
        return digits
    try:
        value = cn2an.cn2an(numeral.replace("幺", "一"), "smart")
    except (ValueError, KeyError):  # its own error for no number is ValueError; 1十 has been KeyError
        return None
    return str(int(value)) if value == int(value) else None


def _clock(match: re.Match[str]) -> str:
    hour, minute = int(match[1]), int(match[2])
    return f"{hour}点" + (f"{match[2]}分" if minute else "")


WRITTEN = (  # what is written otherwise than it is said
    (re.compile(r"(?<=\d),(?=\d{3}(?!\d))"), ""),
    (re.compile(r"(?<=\d)\s+(?=\d)"), ""),  # a recognizer's 138 0013 8000
    (re.compile(r"(?<![\d.:])(2[0-4]|1\d|0?\d):([0-5]\d)(?![\d:])"), _clock),
    (re.compile(r"(\d+)/(\d+)"), r"\2分之\1"),
    (re.compile(r"(\d+(?:\.\d+)?)\s*%"), r"百分之\1"),
    (re.compile(r"[¥$](\d+(?:\.\d+)?)"), r"\1元"),
    (re.compile(r"(?<=\d)\.(?=\d)"), "点"),
)
TIMES = (
    (re.compile("点整"), "点"),
    (re.compile("点三十分?"), "点半"),
    (re.compile(r"(点(?:\d+|[一二三四五六七八九十]+))分"), r"\1"),
)
