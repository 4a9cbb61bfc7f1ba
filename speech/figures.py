"""Numbers as they are said in Mandarin: amounts, rows of digits, sums of money, times of day."""

from __future__ import annotations

import re
from decimal import Decimal

import cn2an

SAID = dict(zip("0123456789", "零幺二三四五六七八九", strict=True))
PLAIN = {**SAID, "1": "一"}


def read_digits(digits: str) -> tuple[str, ...]:
    """A number read out digit by digit, 幺 for 1, in groups that can be kept in mind; the rest is dropped.

    Eleven digits are grouped 3-4-4 as mobile numbers are, six 3-3, all others in fours from the front.
    """
    said = spelled(digits)
    first = 3 if len(said) in {6, 11} else 4
    groups = [said[:first], *(said[start : start + 4] for start in range(first, len(said), 4))]
    return tuple(group for group in groups if group)


def read_count(number: int) -> str:
    """A quantity as it is said before a measure word: 两, 十二, 一百零五, 两千."""
    return "两" if number == 2 else amount(str(number))


def amount(figures: str) -> str:
    """10000 → 一万, 12.5 → 十二点五, -3 → 负三. A row of digits (007, or more than 16) is read as one.

    两 leads hundreds, thousands and more (两百, 两千, 两万两千). 二百 is said, too; of the two, 两百 is what
    most people say, and over a telephone a lone 二 is easily lost.
    """
    if figures.startswith("-"):
        return "负" + amount(figures[1:])
    whole, _, rest = figures.replace(",", "").partition(".")
    if len(whole) > 16 or (len(whole) > 1 and whole.startswith("0")):
        return "".join(read_digits(whole))
    said = str(cn2an.an2cn(int(whole or "0"), "low"))
    said = re.sub("^一十", "十", said)
    said = re.sub("(?:^|(?<=[万亿]))二(?=[百千万亿])", "两", said)
    return said + ("点" + plain(rest) if rest else "")


def plain(figures: str) -> str:
    """Digit by digit with 一 for 1: years, what follows a decimal point."""
    return "".join(PLAIN.get(figure, "") for figure in figures)


def spelled(figures: str) -> str:
    """Digit by digit with 幺 for 1: rooms, area codes, service numbers."""
    return "".join(SAID.get(figure, "") for figure in figures)


def share(figures: str) -> str:
    """Percent: 35.5 → 百分之三十五点五, 100 → 百分之百."""
    return "百分之" + ("百" if figures == "100" else amount(figures))


def degrees(figures: str) -> str:
    """A temperature before its 度: -3 → 零下三."""
    return "零下" + amount(figures[1:]) if figures.startswith("-") else read_figures(figures)


def read_figures(figures: str) -> str:
    """An amount before a measure word: 2 → 两, 2.5 → 二点五."""
    return "两" if figures == "2" else amount(figures)


def money(figures: str, scale: str = "", unit: str = "元") -> str:
    """A sum: 12 → 十二元, 12.5 → 十二块五毛, 0.5 → 五毛, 1.5 of 万 → 一万五千元.

    Whole sums keep the word they were written with (`unit`); small change is said as at the market.
    """
    figures = figures.replace(",", "")
    if scale == "万" and "." in figures:
        exact = Decimal(figures) * 10_000
        if exact == int(exact):
            figures, scale = str(int(exact)), ""
    whole, _, rest = figures.partition(".")
    if scale or not rest.strip("0"):
        return read_figures(figures if scale else whole) + scale + unit
    if len(rest) > 2:
        return amount(figures) + unit
    return _change(int(whole or "0"), *map(int, rest.ljust(2, "0")))


def _change(yuan: int, tenths: int, hundredths: int) -> str:
    said = read_count(yuan) + "块" if yuan else ""
    if tenths:
        said += (read_count(tenths) if not yuan else PLAIN[str(tenths)]) + "毛"
    elif yuan and hundredths:
        said += "零"
    if hundredths:
        said += (read_count(hundredths) if not said else PLAIN[str(hundredths)]) + "分"
    return said


def time_of_day(hour: int, minute: int) -> str:
    """2:00 → 两点, 12:05 → 十二点零五分, 14:30 → 十四点半, 0:00 → 零点."""
    said = read_count(hour) + "点"
    if minute == 0:
        return said
    return said + ("半" if minute == 30 else ("零" if minute < 10 else "") + amount(str(minute)) + "分")


def date(year: str, month: str, day: str) -> str:
    """二零二六年三月五日; any part may be ''."""
    said = plain(year) + "年" if year else ""
    said += amount(str(int(month))) + "月" if month else ""
    return said + (amount(str(int(day))) + "日" if day else "")


def halves(figures: str, unit: str) -> str:
    """0.5 小时 → 半小时, 1.5 小时 → 一个半小时, 2.5 天 → 两天半."""
    whole = int(figures.partition(".")[0])
    if not whole:
        return "半" + unit
    if unit in HALVED_WITH_GE:
        return read_count(whole) + "个半" + unit.removeprefix("个")
    return read_count(whole) + unit + "半"


HALVED_WITH_GE = ("小时", "钟头", "月", "个小时", "个钟头", "个月")
