"""Number plates, in figures or as they are said, also where the recognizer misheard the province."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from speech.private_digits import figure, sounding
from speech.private_sounds import sound_of, sounding_like

Found = tuple[int, int, str]

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# What is written for a province that was misheard; it counts only with the rest of a plate after it.
SOUND_ALIKE = (
    "经惊精今金护户互湖雨玉预鱼香相想晚万碗路录鹿芦酥书叔输这着折者哲干敢恶额归贵锦近进梦山闪级"
    "明月越乐轻请藏穿传船凝您穷"
)
PLATE = re.compile(
    rf"(?<![A-Z])[{PROVINCES}]\s?[A-Z]\s?[·.\-，]?\s?(?=[A-Z0-9]*[ ，]?[A-Z0-9]*\d)"
    r"(?:[A-Z0-9][ ，]?){4,5}[A-Z0-9](?![A-Z0-9])"
)
MISHEARD = re.compile(
    rf"[{PROVINCES}{SOUND_ALIKE}]\s?[A-Z][·.\-， ]?(?=(?:[A-Z]*\d){{3}})[A-Z0-9]{{5}}(?![A-Z0-9])"
)
PROVINCE_AND_LETTER = re.compile(
    rf"(?<![A-Z])[{PROVINCES}]\s?[A-Z][·.\- ]?(?=(?:[A-Z]*\d){{3}})[A-Z0-9]{{3,6}}"
    r"(?![A-Z0-9]|[国省县][道线]|高速|线)"
)
CUES = ("车牌", "牌照", "号牌")
AFTER_CUE = re.compile("号?码?[是试似]?[，：: ]?")
CARS = (
    re.compile(
        r"[那这有][辆量亮]车?([^，。A-Z0-9]{0,4}(?:[A-Z0-9][-·. ]?){3,7})"
        r"(?![路天号米元块年月多个人次分小名岁])"
    ),
    re.compile(r"[那这有][辆量亮两]车?([^，。A-Z0-9]{0,4}[A-Z]?\d{5})(?!\d)"),
    re.compile(
        rf"车[^。！？\d]{{0,8}}?([{PROVINCES}{SOUND_ALIKE}][^，。A-Z0-9]{{0,2}}[A-Z]?\d{{4,5}})(?![\d元块多万余辆个年号路])"
    ),
    re.compile(r"车[，, ]?([^\W\d_A-Za-z费价钱款约共达][A-Z]?\d{5})(?![\d元块多万余辆个年号路])"),
    re.compile(rf"[那这]([{PROVINCES}{SOUND_ALIKE}][A-Z]?\d{{5}})(?!\d)"),
)
READ_OUT = re.compile("[^，。]{0,5}?[·，. ]?((?:[A-Z0-9][ ，.·]?){3,6}[A-Z0-9])")
# Two figures at least, where everything else was misheard.
NAMED = re.compile("号码?[是试似]?|[是试似]")
LAST_FIGURE = re.compile("[^，。！？0-9]{0,10}[0-9][^，。！？]{0,6}[0-9]")
# How the letter of a city is said, as a recognizer writes it: 鲁西30985, 鲁爱吃79-86.
# fmt: off
SAID_LETTERS = (
    "诶", "必", "西", "弟", "一", "艾弗", "寄", "艾吃", "杰", "开", "艾勒", "艾姆", "恩", "批",
    "可优", "阿", "艾斯", "踢", "优", "威", "大布溜", "艾克斯", "歪", "贼",
)
# fmt: on
BEGINS = re.compile(f"[{PROVINCES}{SOUND_ALIKE}]")
SPELLED = re.compile(r"(?:[-·. ]?[0-9]){4,5}(?![0-9元块万多余年个号路度米人户名])")
LONGEST = 18
LEAST_FIGURES = 4


def find_plates(text: str) -> Iterator[Found]:
    """Plates such as 浙A12345 or 浙A幺二三四五; after 车牌 whatever is read out, also misheard."""
    figures = "".join(figure(letter) or letter.upper()[:1] for letter in text)
    for pattern in (PLATE, MISHEARD, PROVINCE_AND_LETTER):
        for match in pattern.finditer(figures):
            yield match.start(), match.end(), "plate"
    for car in CARS:
        for match in car.finditer(figures):
            yield match.start(1), match.end(1), "plate"
    sounds = sound_of(text)
    for start, end in _with_said_letter(figures, sounds):
        yield start, end, "plate"
    for cue in _cue_by_sound().finditer(sounds):
        start = AFTER_CUE.match(text, cue.end()).end()  # type: ignore[union-attr]  # it matches nothing, too
        told = figures[start : start + LONGEST]
        found = READ_OUT.match("".join(sounding(letter) or letter for letter in told))
        if found and sum(letter.isdigit() for letter in found[1]) >= LEAST_FIGURES:
            yield start, start + found.end(), "plate"
        elif (last := LAST_FIGURE.match(told)) and NAMED.match(text, cue.end()):
            yield start, start + last.end(), "plate"


def _with_said_letter(figures: str, sounds: str) -> Iterator[tuple[int, int]]:
    """A province, its letter as it is said, and what can only be figures after both."""
    for province in BEGINS.finditer(figures):
        at = province.end()
        for size in (3, 2, 1):
            if sounds[at : at + size] not in _letter_sounds():
                continue
            told = figures[at + size : at + size + LONGEST]
            if row := SPELLED.match("".join(sounding(letter) or letter for letter in told)):
                written = sum(letter.isdigit() for letter in told[: row.end()])
                if written >= LEAST_FIGURES - (province[0] in PROVINCES):
                    yield province.start(), at + size + row.end()
                    break


@cache
def _letter_sounds() -> frozenset[str]:
    return frozenset(map(sound_of, SAID_LETTERS))


@cache
def _cue_by_sound() -> re.Pattern[str]:
    return sounding_like(CUES)
