"""What counts in an address (幢, 单元, a room), put right where a recognizer wrote what sounds like it."""

from __future__ import annotations

import re
from functools import cache

from speech.private_digits import figure, letter_shapes, sounding
from speech.private_sounds import sound_of, sounding_like

# Words of the sounds that are taken for a unit of as many characters, where figures stand around them.
MISHEARD = (
    (("床", "装", "场"), "幢"),
    (("洞", "通", "顿"), "栋"),
    (("龙",), "弄"),
    (tuple(first + second for first in "号后高靠" for second in "楼路流落"), "号楼"),
    (("单○", "谈○", "段○", "○元", "○言"), "单元"),
    (("楼", "路", "流"), "楼"),
    (("组", "走"), "组"),
    (("号", "后"), "号"),
)
# A digit that stands alone between two units, whatever the recognizer wrote for it.
LONE = re.compile(
    r"(?<=[栋幢座楼])[^\d零一二三四五六七八九，。](?=单元)|(?<=[组队])[^\d零一二三四五六七八九，。](?=号)"
)
# The first figure of a room, misheard: 一单原因203.
BEFORE_FIGURES = re.compile(
    r"(?:(?<=单元)|(?<=号楼)|(?<=[栋幢弄]))[^\d零〇一幺二两三四五六七八九十百，。、的](?=\d{3}(?!\d))"
)
BEFORE_A_ROOM = re.compile("[栋幢座楼元弄号门]")
ROOM = re.compile("(?!ddd)[dhq]{3,4}(?![dk])")
LEAST_FIGURES = 2
# No figure of the room before it: …号楼103一楼没有灯, …1102一个人.
ONE = re.compile("一(?=[个直样起点下家])|(?<=[0-9])[一二三四五六七八九](?=[楼层个点天户家年月人])")
# Letters that are no misheard unit: figures, money, time.
NEVER = frozenset("零一二三四五六七八九十百千万两几多余0123456789年月日块，。、；：！？ ")


def restored(text: str) -> str:
    """The text, as long as before, with units and figures of addresses as they were meant."""
    text = ONE.sub("某", text)
    letters, sounds = list(text), sound_of(text)
    for pattern, right in _misheard():
        for match in pattern.finditer(sounds):
            start, end = match.span()
            if text[start:end] != "路" and _is_among_figures(text, start, end):
                letters[start:end] = right
                letters[start - 1] = (
                    letters[start - 1] if text[start - 1] in "十百" else _said(text[start - 1])
                )
    plain = BEFORE_FIGURES.sub("0", LONE.sub("三", "".join(letters)))
    return _with_rooms(plain)


def _is_among_figures(text: str, start: int, end: int) -> bool:
    if NEVER.intersection(text[start:end]):
        return False
    before = text[start - 1] if start else "，"
    if all(map(figure, text[max(0, start - 4) : start])) and start > 3:
        return False  # no building has a number of four figures
    is_number = bool(figure(before) or sounding(before)) or before in "十百"
    after = text[end : end + 2]
    if not (figure(before) or before in "十百" or any(map(figure, after))):
        return False  # one of both must be a figure as it was written
    return is_number and (any(map(figure, after)) or bool(after and sounding(after[0])))


def _said(letter: str) -> str:
    return letter if letter in "十百" else figure(letter) or sounding(letter)


def _with_rooms(text: str) -> str:
    """Rooms of three or four figures after a unit, misheard ones among them: 三栋幺六零妖."""
    letters, shape = list(text), letter_shapes(text)
    for unit in BEFORE_A_ROOM.finditer(text):
        room = ROOM.match(shape, unit.end())
        if room and room[0].count("d") >= LEAST_FIGURES:
            for place in range(room.start(), room.end()):
                letters[place] = figure(text[place]) or sounding(text[place]) or "0"
    return "".join(letters)


@cache
def _misheard() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((sounding_like(wrong), right) for wrong, right in MISHEARD)
