"""Telephone, identity, card and account numbers, in figures or as they are said (幺三八…); mail addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

from speech.private_digits import Run, bridged, figure, read, runs, shape_of, sounding
from speech.private_sounds import sound_of, sounding_like

Found = tuple[int, int, str]

LEAST_DIGITS = 7
LEAST_AFTER_CUE = 4
MOST_SAID = 21  # figures of an identity number, of which some are no figures: ，是
LEAST_OF_LIST = 10  # 一，二，三… counts something, unless it is as long as a number that is read out
MOST_MISHEARD, MOST_AFTER_CUE = 0.4, 0.5  # of the digits
CUES = re.compile(
    r"(电话|手机|号码|联系方式|微信|身份证|证件|银行卡|社保卡|医保卡|存折|卡号|账号|账户|帐号|户头|座机|固话|来电|"
    r"打给[我他她]|打到|[QＱq][QＱq]|扣扣)[^，。；！？]{0,6}[，：: ]?$|[打拨][通了个]?[，：: ]?$"
)
CUE_WORDS = (
    *("电话", "手机", "号码", "身份证", "证件号", "银行卡", "社保卡", "医保卡"),
    *("存折", "卡号", "账号", "座机", "固话", "联系方式"),
)
PUBLIC = re.compile(
    r"(编号|单号|文号|议题|受理号|受理|热线|回执|第|案号|工单)[^，。；！？\d]{0,4}$|(?:19|20)\d\d[〕\]】)）］]第?$"
)
AMOUNT = re.compile(
    r"^\s*(?:[多余元块角毛万亿户人个票平米吨度年月栋幢楼层路点分天岁斤盏条次家名届套间=×÷*]|号楼|单元|公里)"
)
LAST_GROUP = re.compile("[，,、 ][0-9零〇一幺二两三四五六七八九]{1,3}$")
DATE = re.compile(r"(?:19|20)\d\d[-./]\d{1,2}[-./]\d{1,2}")  # 2026-03-05
UNIT = re.compile("[号楼栋幢座室弄层组村月日点年岁个户块元门天人次周家名条辆只位]|单元|小时|分钟")
MONEY = re.compile(r"^\s*多?[元块角毛万亿%％]")
SERVICE = re.compile(r"11[049]|12[0-2]|12\d{3}|9[56]\d{3,4}|100\d{2}|400\d{3}")
_HOTLINE = re.compile(rf"(?<!\d)(?:{SERVICE.pattern})(?!\d)")  # 我打12345打了三遍
MOBILE = re.compile(r"1[3-9]\d{9}")
IDENTITY = re.compile(r"\d{17}[\dX]|\d{15}")
TELEPHONE = re.compile(r"(?:86)?1[3-9]\d{9}|0\d{9,11}|[2-8]\d{6,7}|400\d{7}")
MISHEARD_BEFORE = re.compile("(?:h[hqfs]*x?)+$")  # in the shape of a text (speech/private_digits.py)
WITH_A_CODE = re.compile(r"0\d{9,11}")
UNCUED = re.compile(r"[01]\d{8,17}")  # where figures are missing and no word like 电话 was understood
AFTER_ONE = frozenset("直共样定些点下起般旦切向边")  # 一直 is no digit
JUST_WORDS = frozenset("是就要我吧把去起期一有时事市以已又")  # that stand before a number anyway
LAST_SIGN = re.compile("[，, ]?(?:[xXＸ]|叉|艾克斯|爱克斯|诶克斯|埃克斯|艾克丝)")
MAIL = re.compile(
    r"[A-Za-z0-9][\w.+-]{0,63}\s?(?:[@＠]|艾特|圈[aA])\s?[A-Za-z0-9][A-Za-z0-9-]{0,62}"
    r"(?:\s?[.．点]\s?[A-Za-z]{2,8}){1,3}",
    re.ASCII,
)
CHAT = re.compile(
    r"(?:微信|[QＱq][QＱq]|扣扣|[VvＶ]信|[Ww][Xx]|支付宝|抖音|淘宝|账号|用户名)(?:号码?|群|账号|名|[iI][dD])?"
    r"(?:是|为|叫)?[：:，,]?\s?([A-Za-z][\w-]{3,24}|\d{5,12})",
    re.ASCII,
)


def find_numbers(text: str) -> Iterator[Found]:
    """Runs of digits that are long enough, or shorter ones after a word like 电话; names in messengers."""
    for match in MAIL.finditer(text):
        yield match.start(), match.end(), "mail"
    for match in CHAT.finditer(text):
        yield match.start(1), match.end(1), "number"
    shape = shape_of(text)
    found = list(_private_runs(text, shape))
    loose = bridged(text, shape)
    if loose != shape:
        found = [*_wider(text, found, list(_private_runs(text, loose)))]
    for run in found:
        yield run.start, run.end, _kind(run.digits, _before(text, run))


def is_public(text: str, start: int, end: int) -> bool:
    """Whether what stands there is no private number: a hotline, an amount, a date, a document's, hardly a
    figure.
    """
    figures = "".join(figure(letter) or sounding(letter) or " " for letter in text[start:end]).split()
    is_hotline = all(SERVICE.fullmatch(group) for group in figures)
    is_counted = any(AMOUNT.match(text[at : at + 4]) for at in (end - 1, end))
    is_told = DATE.fullmatch(text, start, end) or PUBLIC.search(text[max(0, start - 24) : start])
    return is_hotline or is_counted or bool(is_told) or sum(map(len, figures)) < LEAST_AFTER_CUE


def _private_runs(text: str, shape: str) -> Iterator[Run]:
    for run in runs(text, shape):
        for part in _parts(text, shape, run):
            whole = _without_count(text, shape, _widened(text, shape, part))
            if _is_private(whole, _before(text, whole), text[whole.end : whole.end + 4]):
                yield replace(whole, start=_reached(text, shape, whole))


def _without_count(text: str, shape: str, run: Run) -> Run:
    """Without figures at its end that count something of the next words: 电话87654321，3号楼."""
    last = LAST_GROUP.search(text, run.start, run.end)
    if not last or not UNIT.match(text, run.end):
        return run
    rest = read(text, shape, run.start, last.start())
    is_known = any(kind.fullmatch(rest.digits) for kind in (TELEPHONE, SERVICE))
    return rest if is_known or _is_whole(rest) else run


def _reached(text: str, shape: str, run: Run) -> int:
    """Where the figures begin that stand before a run, all of them misheard: 电话是铃鸟铃啊335…"""
    if MOBILE.fullmatch(run.digits) or IDENTITY.fullmatch(run.digits):
        return run.start
    misheard = MISHEARD_BEFORE.search(shape, max(0, run.start - 6), run.start)
    if not misheard or JUST_WORDS.intersection(text[misheard.start() : run.start]):
        return run.start
    return misheard.start() if _is_cued(text[max(0, run.start - 24) : misheard.start()]) else run.start


def _before(text: str, run: Run) -> str:
    return text[max(0, run.start - 24) : run.start]


def _wider(text: str, found: Sequence[Run], loose: Sequence[Run]) -> Iterator[Run]:
    """A number that is whole stands; another may go on behind a gap, and after a cue it may have gaps."""
    for run in loose:
        own = [one for one in found if run.start < one.end and one.start < run.end]
        is_likely = own or _is_cued(_before(text, run)) or UNCUED.fullmatch(run.digits)
        if any(map(_is_whole, own)) or not is_likely or _HOTLINE.match(text, run.start):
            yield from own
        else:
            yield run
    yield from (one for one in found if not any(one.start < run.end and run.start < one.end for run in loose))


def _is_whole(run: Run) -> bool:
    kinds = (MOBILE, IDENTITY, WITH_A_CODE)
    return any(kind.fullmatch(run.digits) for kind in kinds) or 16 <= len(run.digits) <= 19


def _parts(text: str, shape: str, run: Run) -> Iterator[Run]:
    """A run with 、 in it is a list of numbers, unless all of it together is one that people read out."""
    if not run.is_list or MOBILE.fullmatch(run.digits) or IDENTITY.fullmatch(run.digits):
        yield run
        return
    at = run.start
    for piece in text[run.start : run.end].split("、"):
        if "d" in shape[at : at + len(piece)]:
            yield read(text, shape, at, at + len(piece))
        at += len(piece) + 1


def _widened(text: str, shape: str, run: Run) -> Run:
    """With an X at the end of an identity number, a + or a bracket before, and misheard digits at the ends.

    The last only where a mobile number lacks just these.
    """
    start, end, digits = run.start, run.end, run.digits
    if text[end - 1] == "一" and text[end : end + 1] in AFTER_ONE:
        end, digits = end - 1, digits[:-1]
    if 15 <= len(digits) <= MOST_SAID and (last := LAST_SIGN.match(text, end)):
        end, digits = last.end(), (digits + "X")
    if len(digits) == 10 and digits[0] in "3456789" and sounding(text[start - 1 : start] or "x") == "1":
        start, digits = start - 1, "1" + digits
    while (
        start
        and shape[start - 1] == "h"
        and len(digits) in {6, 7, 9, 10}
        and text[start - 1] not in JUST_WORDS
    ):
        start, digits = start - 1, sounding(text[start - 1]) + digits
    while re.match("1[3-9]", digits) and len(digits) in {9, 10} and shape[end : end + 1] == "h":
        digits, end = digits + sounding(text[end]), end + 1
    if text[start - 1 : start] in {"(", "（", "+", "＋"} and start:
        start -= 1
    return replace(run, start=start, end=end, digits=digits)


def _is_private(run: Run, before: str, after: str) -> bool:
    digits = run.digits
    is_read_out = MOBILE.fullmatch(digits) is not None or IDENTITY.fullmatch(digits) is not None
    if is_read_out and not run.misheard:
        return True
    if PUBLIC.search(before):
        return False
    if MONEY.match(after) or all(SERVICE.fullmatch(group) for group in _groups(run)):
        return False
    is_cued = _is_cued(before)
    if run.misheard > run.letters * (MOST_AFTER_CUE if is_cued else MOST_MISHEARD):
        return False
    if is_cued:
        return len(digits) >= (LEAST_DIGITS if run.has_scales else LEAST_AFTER_CUE)
    if AMOUNT.match(after) or run.has_scales:
        return False
    return len(digits) >= (LEAST_DIGITS if max(run.groups) > 2 else LEAST_OF_LIST)


def _is_cued(before: str) -> bool:
    return CUES.search(before) is not None or _cues_by_sound().search(sound_of(before[-12:])) is not None


@cache
def _cues_by_sound() -> re.Pattern[str]:
    return sounding_like(CUE_WORDS, after="[^，。；！？]{0,4}[，：: ]?$")


def _groups(run: Run) -> Iterator[str]:
    at = 0
    for size in run.groups:
        yield run.digits[at : at + size]
        at += size


def _kind(digits: str, before: str) -> str:
    near = before[-10:]
    if re.search("身份证|证件", near) or IDENTITY.fullmatch(digits):
        return "id"
    if re.search("卡|存折|账号|账户", near) or 16 <= len(digits) <= 19:
        return "card"
    if re.search("微信|[QＱq][QＱq]|扣扣", near):
        return "number"
    if TELEPHONE.fullmatch(digits) or re.search("电话|手机|座机", near):
        return "phone"
    return "number"
