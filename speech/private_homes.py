"""Addresses by the words before them (家住…, 寄到…), whatever a recognizer made of the place's name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from speech.private_sounds import sound_of, sounding_like

HOME_WORDS = (
    *("家住", "住在", "住址", "住址是", "地址", "地址是", "家在", "就住", "我住", "他住", "家住在", "住的是"),
    *(
        "门牌",
        "门牌号",
        "门牌是",
        "门牌号是",
        "寄到",
        "送到",
        "搬到",
        "搬来",
        "搬进",
        "送来",
        "寄来",
        "上门到",
    ),
)
FARTHEST = 26  # letters from such a word to the end of the address
PAST = re.compile("[。！？!?；;]")
# A room, or the number of a house, as the shape of a text (speech/private_digits.py).
ROOM = re.compile("(?<![dk])[dh]?d[dhk]{1,3}(?![dk])|d[dh]{2,4}(?![dk])")
NUMBERED = re.compile(r"[0-9零〇一幺二两三四五六七八九十](?:号楼?|栋|幢|座|弄|单元|组|队|层|楼|门(?!口)|室)")
COUNTED = re.compile("[年月岁块元点个户人天次多平度分级路]|公里|号线|周年")
OTHER = re.compile("电话|手机|号码|联系|身份|证件|收件|卡号|车牌|我叫|姓名")
# A room whose building was misheard: three figures and more in a row, and nothing that they could count.
ALONE = re.compile("(?<![dhks])(?=h?d)[dh]{3,5}$")
AFTER = re.compile("[，。的室房号]|$")
ROOM_SIGN = re.compile("[室房号]|[是市事式试](?=[，。]|$)")
LEAST_ROOM = 3
APART = 4  # letters between two numbers of one address


def homes(text: str, plain: str, shape: str, estate: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """From such a word up to the room, where figures and what they count follow: 住在河塘颜色26东104.

    `plain` is the text with its units restored, `shape` the shape of that; `estate` finds by its sound what
    names of places end in.
    """
    sounds = sound_of(plain)
    for cue in _cues().finditer(sounds):
        start = cue.end() + (plain[cue.end() : cue.end() + 1] in {"，", "：", ":", "是", "在"})
        past = PAST.search(plain, start, start + FARTHEST)
        limit = past.start() if past else min(len(plain), start + FARTHEST)
        end = _end(plain, shape, start, limit)
        if not end:
            continue
        is_place = NUMBERED.search(plain, start, end) or estate.search(sounds, start, end)
        if is_place or (ALONE.search(shape, start, end) and AFTER.match(plain, end)):
            sign = ROOM_SIGN.match(text, end)
            yield start, sign.end() if sign else end


def _end(plain: str, shape: str, start: int, limit: int) -> int:
    """Where the last room ends before `limit`; 0 without any."""
    end = 0
    for room in ROOM.finditer(shape, start):
        if room.end() > limit or OTHER.search(plain, start, room.start()):
            break
        if end and (room.start() - end > APART or "，" in plain[end : room.start()]):
            break
        if len(room[0]) >= LEAST_ROOM and not COUNTED.match(plain, room.end()):
            end = room.end()
    return end


@cache
def _cues() -> re.Pattern[str]:
    return sounding_like(HOME_WORDS)
