"""How written figures are said in Mandarin: receipts, telephone numbers, dates, times, money, amounts."""

from __future__ import annotations

import re
from collections.abc import Callable

from speech.figures import (
    amount,
    date,
    degrees,
    halves,
    money,
    plain,
    read_count,
    read_digits,
    read_figures,
    share,
    spelled,
    time_of_day,
)

__all__ = ["normalise", "read_count", "read_digits"]

COUNTED = (
    "个位条次人户票张件只辆间台盏块元名天年家岁点份顿步站包杯碗斤根把座道处句声遍种样瓶本双小分米平趟桌场"
    "周公里亩吨升毛角棵盆朵封幅副套扇页批项款些回轮盒袋箱桶壶筐倍晚头对口针片颗粒"
)
ORDERED = "月日号楼栋幢单层"  # 二月, 二号楼: nobody says 两 here
SERVICE_NUMBERS = r"11[049]|12[0-2]|12\d{3}|9[56]\d{3}|100\d{2}"
WIDE = str.maketrans("０１２３４５６７８９％：．－～—–", "0123456789%:.-~~~")
UNITS = {"㎡": "平方米", "m²": "平方米", "m2": "平方米", "km": "公里", "cm": "厘米", "mm": "毫米",
         "kg": "公斤", "ml": "毫升", "℃": "度", "°C": "度", "°": "度"}  # fmt: skip
SAID_LAST = "点半分日号月年度元块毛"  # what a time, a date, a sum ends on: a dash after it means 到

Rule = tuple[re.Pattern[str], Callable[[re.Match[str]], str]]


def normalise(text: str) -> str:
    """The text with every figure written as it is said; text without figures comes back as it was."""
    text = text.translate(WIDE)
    for pattern, say in RULES:
        text = pattern.sub(say, text)
    return text


def _phone(match: re.Match[str]) -> str:
    return "，".join(read_digits("".join(match.groups())))


def _in_groups(match: re.Match[str]) -> str:
    return "，".join((spelled(match[1]), *read_digits("".join(match.groups()[1:]))))


def _time(match: re.Match[str]) -> str:
    return time_of_day(int(match["hour"]), int(match["minute"] or 0))


def _to(match: re.Match[str]) -> str:
    return read_figures(match[1]) + "到"


RULES: tuple[Rule, ...] = tuple(
    (re.compile(pattern), say)
    for pattern, say in (
        # --- dates and times ---
        (
            r"(?<!\d)(?P<year>\d{4})[-/.年](?P<month>1[0-2]|0?[1-9])[-/.月](?P<day>3[01]|[12]\d|0?[1-9])(?!\d)[日号]?",
            lambda m: date(m["year"], m["month"], m["day"]),
        ),
        (r"(?<!\d)(\d{4})年(1[0-2]|0?[1-9])月", lambda m: date(m[1], m[2], "")),
        (r"(?<!\d)(1[0-2]|0?[1-9])月(3[01]|[12]\d|0?[1-9])(?=[日号])", lambda m: date("", m[1], m[2])[:-1]),
        (r"(?<!\d)(\d{4})(?=年(?!级))", lambda m: plain(m[1])),
        (r"(?<![\d:])(?P<hour>2[0-4]|1\d|0?\d):(?P<minute>[0-5]\d)(?::00)?(?![\d:])", _time),
        (r"(?<!\d)(?P<hour>2[0-4]|1\d|0?\d)[时点](?P<minute>[0-5]?\d)分(?!之|钟)", _time),
        (r"(?<![\d.])(?P<hour>2[0-4]|1\d|\d)时(?P<minute>)(?![间候期代常\d])", _time),
        (r"(\d+):(\d+)", lambda m: f"{amount(m[1])}比{amount(m[2])}"),
        # --- money, shares, measures ---
        (r"[¥￥](\d[\d,]*(?:\.\d+)?)([万亿]?)元?", lambda m: money(m[1], m[2])),
        (r"(?<![\d.])(\d[\d,]*\.\d+)([万亿]?)([元块])", lambda m: money(m[1], m[2], m[3])),
        (r"((?:(?<![\d%])-)?\d[\d,]*(?:\.\d+)?)\s*%", lambda m: share(m[1])),
        (r"(?<!\d)(\d{1,3})/(\d{1,3})(?!\d)", lambda m: f"{amount(m[2])}分之{amount(m[1])}"),
        (r"(?<=\d)\s*(㎡|m²|m2|km|cm|mm|kg|ml|℃|°C|°)(?![A-Za-z])", lambda m: UNITS[m[1]]),
        (r"(?<![\d.])(\d{1,3}\.5)(个?(?:小时|钟头)|个月|天|年|斤|里)", lambda m: halves(m[1], m[2])),
        # --- telephone numbers, rooms, bus lines: digit by digit ---
        (r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)", _phone),
        (r"(?<!\d)([48]00)[- ]?(\d{3,4})[- ]?(\d{3,4})(?!\d)", _in_groups),
        (r"(?<!\d)\(?(010|02\d|0[3-9]\d{2})\)?[- ]?(\d{3,4})[- ]?(\d{4})(?!\d)", _in_groups),
        (r"(?<![\d-])(\d{1,2})-(?:(\d{1,2})-)?([1-9]\d{2,3})(?=室|房间)",
         lambda m: "杠".join([*(amount(part) for part in (m[1], m[2]) if part), spelled(m[3])])),
        (r"(?<!\d)\d{7,}(?![\d万亿元个人户票])", lambda m: "，".join(read_digits(m[0]))),
        (rf"(?<!\d)(?:{SERVICE_NUMBERS})(?![\d.万亿%{COUNTED}{ORDERED}])", lambda m: spelled(m[0])),
        (r"(?<!\d)[1-9]\d{2,3}(?=室|房间|路(?!灯|口|段|上|边|人))", lambda m: spelled(m[0])),
        # --- from … to ---
        (rf"(?<=[{SAID_LAST}])\s*[-~]\s*(?=-?\d|[零幺一二两三四五六七八九十])", lambda m: "到"),
        (r"(?<=[零一二三四五六七八九十百])\s*[-~]\s*(?=百分之)", lambda m: "到"),
        (r"(-?\d+(?:\.\d+)?)\s*[-~]\s*(?=-?\d+(?:\.\d+)?度)", lambda m: degrees(m[1]) + "度到"),
        (rf"(?<![\d.第])(\d+(?:\.\d+)?)\s*[-~]\s*(?=\d+(?:\.\d+)?[万亿]?[{COUNTED}](?!级))", _to),
        (rf"(?<=\d)\s*[-~]\s*(?=\d+(?:\.\d+)?[{ORDERED}]|\d+年级)", lambda m: "到"),
        (r"(?<=第)(\d+)\s*[-~]\s*(?=\d)", lambda m: amount(m[1]) + "到"),
        # --- what is left ---
        (r"(?<![\dA-Za-z])(-?\d+(?:\.\d+)?)(?=度)", lambda m: degrees(m[1])),
        (rf"(?<![\d.第点])2(?=[万亿千百]|[{COUNTED}](?![号级之]))", lambda m: "两"),
        (r"(?<![\dA-Za-z])-(?=\d)", lambda m: "负"),
        (r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?", lambda m: amount(m[0])),
    )
)  # fmt: skip
