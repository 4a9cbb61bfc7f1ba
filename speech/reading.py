"""How written figures are said in Mandarin: receipts, telephone numbers, dates, times, money, amounts."""

from __future__ import annotations

import re
from collections.abc import Callable

import cn2an

SAID = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
PLAIN = {**SAID, "1": "一"}
COUNTED = (
    "个位条次人户票张件只辆间台盏块元名天年家岁点份顿步站包杯碗斤根把座道处句声遍种样瓶本双小分米平趟桌场"
)
ORDERED = "月日号楼栋幢单层"  # 二月, 二号楼: nobody says 两 here
SERVICE_NUMBERS = r"11[049]|12[0-2]|12\d{3}|9[56]\d{3}|100\d{2}"
WIDE = str.maketrans("０１２３４５６７８９％：．－～", "0123456789%:.-~")

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def read_digits(digits: str) -> tuple[str, ...]:
    """A number read out digit by digit, 幺 for 1, in groups that can be kept in mind; the rest is dropped.

    Eleven digits are grouped 3-4-4 as mobile numbers are, all others in fours from the front.
    """
    said = "".join(SAID[digit] for digit in digits if digit in SAID)
    first = 3 if len(said) == 11 else 4
    groups = [said[:first], *(said[start : start + 4] for start in range(first, len(said), 4))]
    return tuple(group for group in groups if group)


def read_count(number: int) -> str:
    """A quantity as it is said before a measure word: 两, 十二, 一百零五, 两千."""
    if number == 2:
        return "两"
    return _number(str(number))


def normalise(text: str) -> str:
    """The text with every figure written as it is said; text without figures comes back as it was."""
    text = text.translate(WIDE)
    for pattern, say in RULES:
        text = pattern.sub(say, text)
    return text


def _number(figures: str) -> str:
    """An amount: 10000 → 一万, 12.5 → 十二点五, -3 → 负三; 两 where people say it."""
    if figures.startswith("-"):
        return "负" + _number(figures[1:])
    whole, _, rest = figures.replace(",", "").partition(".")
    if len(whole) > 16 or (len(whole) > 1 and whole.startswith("0")):
        return "".join(read_digits(whole))
    said = str(cn2an.an2cn(int(whole or "0"), "low"))
    said = re.sub("^一十", "十", said)
    said = re.sub("(?:^|(?<=[万亿]))二(?=[千万亿])", "两", said)
    return said + ("点" + _plain(rest) if rest else "")


def _plain(figures: str) -> str:
    return "".join(PLAIN.get(figure, "") for figure in figures)


def _spelled(figures: str) -> str:
    return "".join(SAID.get(figure, "") for figure in figures)


def _date(match: re.Match[str]) -> str:
    year, month, day = match.group("year", "month", "day")
    said = _plain(year) + "年" + _number(str(int(month))) + "月"
    return said + (_number(str(int(day))) + "日" if day else "")


def _time(match: re.Match[str]) -> str:
    hour, minute = int(match.group("hour")), int(match.group("minute"))
    said = read_count(hour) + "点"
    if minute == 0:
        return said + "整"
    return said + ("半" if minute == 30 else ("零" if minute < 10 else "") + _number(str(minute)) + "分")


def _money(match: re.Match[str]) -> str:
    whole, cents = match.group("whole").replace(",", ""), match.group("cents") or ""
    said = read_count(int(whole)) + (match.group("scale") or "") + "元"
    if cents and not match.group("scale"):
        tenth, hundredth = cents[0], cents[1:2] or "0"
        said += _plain(tenth) + "角" if tenth != "0" else ("零" if hundredth != "0" else "")
        return said + (_plain(hundredth) + "分" if hundredth != "0" else "")
    if cents:
        return _number(f"{whole}.{cents}") + (match.group("scale") or "") + "元"
    return said


def _phone(match: re.Match[str]) -> str:
    return "，".join(read_digits("".join(match.groups())))


def _landline(match: re.Match[str]) -> str:
    return f"{_spelled(match[1])}，{'，'.join(read_digits(match[2]))}"


RULES: tuple[Rule, ...] = tuple(
    (re.compile(pattern), say)
    for pattern, say in (
        (
            r"(?<!\d)(?P<year>\d{4})[-/.年](?P<month>1[0-2]|0?[1-9])[-/.月](?P<day>3[01]|[12]\d|0?[1-9])(?!\d)[日号]?",
            _date,
        ),
        (r"(?<!\d)(?P<year>\d{4})年(?P<month>1[0-2]|0?[1-9])月(?P<day>)", _date),
        (r"(?<!\d)(\d{4})(?=年(?!级))", lambda m: _plain(m[1])),
        (r"(?<!\d)(?P<hour>2[0-4]|1\d|0?\d):(?P<minute>[0-5]\d)(?::00)?(?![\d:])", _time),
        (r"(?<=[点时])0(\d)(?=分)", lambda m: "零" + PLAIN[m[1]]),
        (r"[¥￥](?P<whole>\d[\d,]*)(?:\.(?P<cents>\d{1,2}))?(?P<scale>[万亿])?元?", _money),
        (r"(?<!\d)(?P<whole>\d[\d,]*)\.(?P<cents>\d{1,2})(?P<scale>)元", _money),
        (r"(-?\d[\d,]*(?:\.\d+)?)\s*%", lambda m: "百分之" + _number(m[1])),
        (r"(?<!\d)(\d{1,3})/(\d{1,3})(?!\d)", lambda m: f"{_number(m[2])}分之{_number(m[1])}"),
        (r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)", _phone),
        (r"(?<!\d)(0\d{2,3})[- ]?(\d{7,8})(?!\d)", _landline),
        (rf"(?<=\d)\s*[-~]\s*(?=\d+(?:\.\d+)?[{COUNTED}{ORDERED}%])", lambda m: "到"),
        (r"(?<!\d)\d{7,}(?![\d万亿元个人户票])", lambda m: "，".join(read_digits(m[0]))),
        (rf"(?<!\d)(?:{SERVICE_NUMBERS})(?![\d.万亿%{COUNTED}{ORDERED}])", lambda m: _spelled(m[0])),
        (r"(?<!\d)[1-9]\d{2,3}(?=室|房间)", lambda m: _spelled(m[0])),
        (rf"(?<![\d.第])2(?=[{COUNTED}](?!号))", lambda m: "两"),
        (r"(?<![\dA-Za-z])-(?=\d)", lambda m: "负"),
        (r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", lambda m: _number(m[0])),
    )
)
