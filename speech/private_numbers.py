"""Telephone, identity and card numbers and number plates, in figures or as they are said (幺三八…)."""

from __future__ import annotations

import re
from collections.abc import Iterator

Found = tuple[int, int, str]

SPOKEN = dict(zip("零〇洞一幺二两三四五六七拐八九勾", "0001122345677899", strict=True))
WIDE = dict(zip("０１２３４５６７８９", "0123456789", strict=True))
# Characters that a recogniser writes for a digit it misheard; they count only between true digits.
MISHEARD = {
    letter: digit
    for digit, letters in {
        "1": "妖腰要邀药衣依医易义议意",
        "2": "耳而尔儿",
        "3": "散伞山",
        "4": "司思似丝",
        "5": "吴无舞物武",
        "6": "流留陆",
        "7": "奇期其起气妻欺",
        "8": "吧爸扒把",
        "9": "酒就久救",
        "0": "林领铃灵另邻",
    }.items()
    for letter in letters
}
SEPARATORS = " -－—,，、.·"
LEAST_DIGITS = 7
LEAST_AFTER_CUE = 4
CUES = re.compile(
    r"(电话|手机|号码|联系方式|微信|身份证|证件|银行卡|社保卡|医保卡|存折|卡号|账号|打给我|打到)[^，。；！？]{0,6}$"
)
PUBLIC = re.compile(r"(编号|单号|文号|议题|受理号|受理|热线|回执|第)[^，。；！？]{0,3}$")
AMOUNT = re.compile(r"^\s*(元|块|万|亿|户|人|票|平|米|吨|度)")
PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
DATE = re.compile(r"(19|20)\d\d[-./—](?:(19|20)\d\d|(0?[1-9]|1[0-2])[-./](0?[1-9]|[12]\d|3[01]))")
PLATE = re.compile(rf"(?<![A-Z])[{PROVINCES}]\s?[A-Z]\s?[·.\-]?\s?(?=[A-Z0-9]*\d)[A-Z0-9]{{5,6}}(?![A-Z0-9])")


def find_numbers(text: str) -> Iterator[Found]:
    """Runs of digits that are long enough, or shorter ones after a word like 电话."""
    for start, end, digits in _runs(text):
        before, after = text[:start], text[end:]
        is_cued = CUES.search(before) is not None
        if AMOUNT.match(after) and not is_cued:
            continue
        if PUBLIC.search(before) and not re.fullmatch(r"1[3-9]\d{9}", digits):
            continue
        if len(digits) >= (LEAST_AFTER_CUE if is_cued else LEAST_DIGITS) and not _is_date(text[start:end]):
            yield start, end, _kind(digits, before)


def find_plates(text: str) -> Iterator[Found]:
    """Number plates such as 浙A12345 or 浙A幺二三四五."""
    figures = "".join(_digit(letter) or letter.upper() for letter in text)
    for match in PLATE.finditer(figures):
        yield match.start(), match.end(), "plate"


def _digit(letter: str) -> str:
    if letter.isascii():
        return letter if letter.isdigit() else ""
    return SPOKEN.get(letter) or WIDE.get(letter) or ""


def _runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Runs of digits, single separators and a few misheard characters inside: where, and their figures."""
    at = 0
    while at < len(text):
        if not _digit(text[at]):
            at += 1
            continue
        end, digits = _run(text, at)
        yield at, end, digits
        at = end


def _run(text: str, start: int) -> tuple[int, str]:
    digits, pending, at, end, misheard = "", "", start, start, 0
    while at < len(text):
        letter = text[at]
        if digit := _digit(letter):
            digits, pending, end = digits + pending + digit, "", at + 1
        elif letter in "xXＸ" and len(digits) == 17:
            digits, end = digits + "X", at + 1
            break
        elif letter in MISHEARD and not pending and misheard * 4 < len(digits):
            pending, misheard = MISHEARD[letter], misheard + 1
        elif not (letter in SEPARATORS and text[at - 1] not in SEPARATORS):
            break
        at += 1
    return end, digits


def _kind(digits: str, before: str) -> str:
    if re.search("身份证|证件", before[-10:]) or re.fullmatch(r"\d{17}[\dX]|\d{15}", digits):
        return "id"
    if re.search("卡|存折|账号", before[-10:]) or 16 <= len(digits) <= 19:
        return "card"
    if re.fullmatch(r"1[3-9]\d{9}|0\d{9,11}|\d{7,8}|400\d{7}", digits) or re.search(
        "电话|手机", before[-10:]
    ):
        return "phone"
    return "number"


def _is_date(text: str) -> bool:
    return DATE.fullmatch(text) is not None
