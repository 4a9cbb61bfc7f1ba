"""Names of people: a surname and a given name, near words that introduce or address somebody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jieba
from jieba import posseg

Found = tuple[int, int, str]

SURNAMES = Path(__file__).with_name("surnames.txt")
TITLES = (
    "先生|女士|阿姨|大爷|大妈|大娘|大伯|大叔|大姐|大哥|师傅|奶奶|爷爷|叔叔|伯伯|同志|主任|书记|经理|医生|老师|"
    "小姐|太太|总|院长|所长|队长|科长|局长"
)
SURELY = re.compile("(?:我叫做?|名叫|名字叫|名字是|姓名是?|叫做|大名|联系人是?|户主是?)[，,：: ]?$")
PERHAPS = re.compile(
    "(?:我就是|我是|本人|居民|村民|业主|住户|租户|房东|邻居|找一下|找|请回复|转告|老伴|爱人|丈夫|妻子|老公|老婆|儿子|"
    "女儿|孙子|孙女|父亲|母亲|爸爸|妈妈|室的|号的|楼的|单元的|"
    r"(?<=[\d零一二三四五六七八九])的|老人|患者|房主|叫)[，,：: ]?$"
)
CALLED = re.compile(r"(?:我姓|免贵姓|他姓|她姓|本人姓)$")
NEVER_GIVEN = (
    "我你他她它们的地得了着过是在有和跟与及或也都就还又很太不没把被让给向从到去来住说讲问要想能会可请电手身"
    "家，这那哪谁什么怎因为所以但如果希同反支赞无未经"
)
# Surnames that are far more often something else; they need more than a hint.
RARE = frozenset(
    "向何都区来强时和安车楼麻海路全应成单连党支国平计原班门相初盖权花满闻位丰普那解管房司师商边查于"
    "左谷水卫米盘练云容初敬索宣储蓝党"
)
ENDS = "，。、；：！？ ,.!?"
PLAIN_ENOUGH = 60  # words that common in jieba's dictionary are no names
FAMOUS = 800


@cache
def surnames() -> frozenset[str]:
    """The surnames that most people bear, one or two characters long."""
    return frozenset(SURNAMES.read_text(encoding="utf-8").split())


def find_names(text: str) -> Iterator[Found]:
    """Names after a word that introduces them or before a title; a surname said as such (我姓李).

    王阿姨 stays: a surname with a title points to nobody outside of the room.
    """
    jieba.setLogLevel(60)
    for at in range(len(text)):
        surname = _surname_at(text, at)
        if not surname:
            continue
        before = text[max(0, at - 8) : at]
        if CALLED.search(before):
            yield at, at + len(surname), "name"
            continue
        end = _end_of_name(text, at + len(surname))
        if not end:
            continue
        if SURELY.search(before):
            yield at, end, "name"
            continue
        is_hinted = PERHAPS.search(before) or re.match(TITLES, text[end:])
        if is_hinted and surname not in RARE and not _is_plain_word(text[at:], end - at):
            yield at, end, "name"


def _surname_at(text: str, at: int) -> str:
    known = surnames()
    return next((text[at : at + size] for size in (2, 1) if text[at : at + size] in known), "")


def _end_of_name(text: str, start: int) -> int:
    """Where the given name of one or two characters ends; 0 when there is none."""
    if re.match(TITLES, text[start:]):
        return 0
    end = start
    while end < min(len(text), start + 2) and _may_be_given(text[end]) and not re.match(TITLES, text[end:]):
        end += 1
    return end if end > start else 0


def _may_be_given(letter: str) -> bool:
    return "\u4e00" <= letter <= "\u9fff" and letter not in NEVER_GIVEN


def _is_plain_word(rest: str, size: int) -> bool:
    """Whether an everyday word begins here instead of a name: 高兴, 周围, 方便, 车辆."""
    posseg.dt.initialize()
    prefixes = (rest[:length] for length in range(2, 5))
    return any(_is_common(prefix) and not _stands_alone(rest, len(prefix), size) for prefix in prefixes)


def _is_common(word: str) -> bool:
    """Whether a word is frequent; famous people's names are in the dictionary too, but seldom frequent."""
    is_name = posseg.dt.word_tag_tab.get(word) == "nr" and word[0] != word[1]
    return (jieba.get_FREQ(word) or 0) > (FAMOUS if is_name else PLAIN_ENOUGH)


def _stands_alone(rest: str, prefix: int, size: int) -> bool:
    """Whether a longer name, ending at a mark, only happens to begin with a word: 黄金刚，"""
    return prefix < size and rest[size : size + 1] in ENDS
