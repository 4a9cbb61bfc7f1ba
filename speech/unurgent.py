"""What makes talk of danger no danger: denied, feared, prevented, over, hearsay; and what cries for help."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import jieba

from speech.lexicon import is_everyday
from speech.private_sounds import sound_of, sounding_like

ALWAYS = 3
"""The weight of a sign that stays one where it goes on and on: who is beaten every day is beaten."""

_DENIED = re.compile(
    r"(?<![有是会])(没有|没|不是|并没|未|不会|不能|别|不要|不许|不准|无|免得|省得)"
    r"(再|真|真的|发生|出现|闻到|闻着|看到|见到|听到|什么|任何|人|有人|被|过|太|是|有)?$"
)
_FEARED = re.compile(
    "如果|要是|万一|假如|一旦|真要|要真|倘若|(?<![害可])怕(?!是)|担心|容易|恐怕|可能会|会不会|早晚|迟早|以防|防|避免|以免|"
    "建议|希望|盼|应该|最好|小心|注意|谨防|杜绝|当心|要不然|不然|否则|听说|据说|新闻|电视|网上|抖音|报纸|传说|"
    "能不能[装安组办搞派弄加给]|想装|要装|装个|请问|咨询|是否|什么时候"
)
_TAUGHT = re.compile(
    "预防|防止|防范|防火|演练|演习|宣传|培训|讲座|知识|意识|隐患|风险|保险|预案|灭火器|消防通道|消防栓|消防设施|"
    "消防改造|安全检查|排查|整治|规划|条例|规定|通知|举措|措施|管理办法|急救课|项目|电影|电视剧|小说|游戏"
)
_PAST = re.compile(
    "去年|前年|以前|之前|从前|上次|上回|上个月|上周|上星期|前几年|前几天|前些|前段|前阵|那年|那次|小时候|年前|月前|天前|"
    "曾经|曾|当年|早年|[一二三四五六七八九十两几0-9]年|[0-9一二三四五六七八九十]月份?|[0-9一二三四五六七八九十]+[日号](?!楼)"
)
_OVER = re.compile(
    "扑灭|灭了|修好|处理好|解决了|出院|没事了|好了|谢谢|感谢|幸亏|幸好|多亏|还好|赔了|抢救过来|送医院了|送去的医院|已经关|"
    "结案|调查|是真的吗|真的假的"
)
_OFTEN = re.compile(
    "经常|总是|老是|天天|每天|每次|每到|动不动|常年|长期|多次|"
    "好几[次回个]|[两几三]回|一到|屡次|频繁|时常|有时"
)
_NOW = re.compile("现在(?!的)|正在|这会儿|刚刚|刚才|此刻|还在|还躺|一直在|马上就|今天")
_CRY = re.compile(
    "救命|快来|来人|快点来|赶紧来|赶快来|马上来|快叫|快打|快救|快派|赶紧叫|赶快叫|不得了|救救|怎么办呀|怎么办啊|怎么办怎么办|我害怕|"
    "打一一零|打110|打119|打120|叫救护车|叫不应|叫也叫不|敲门没人应|来看看|帮帮我"
)
_OTHER_MATTER = {
    "燃气": re.compile(
        "下水道|地漏|化粪池|马桶|厕所味|暖气|自行车|车胎|轮胎|油漆|装修味|油烟|表坏|气费|开通|通气|通上|接通"
    ),
    "火情": re.compile("烧烤|烟囱|油烟|饭店|餐馆|排烟|抽烟|烧纸|鞭炮|烧香|焚烧秸秆|工厂|企业|排放"),
    "摔倒": re.compile(
        "住院|手术|患者|医保|报销|治疗费|支架|赔偿|治愈|压力|贷款|房贷|负担|气愤|气得|价格|噪音|音响|吵得"
    ),
    "暴力": re.compile("反家暴|虐待狗|虐待动物|足球|篮球|比赛"),
    "自伤": re.compile("物价|生意|开店|小店"),
}
"""What the sentence is about then, by kind."""
_OTHER_WORD = {
    "暴力": re.compile("打[我他她](们)?(家)?(的)?(电话|手机|座机)|打人的那个"),
    "自伤": re.compile(
        "生不如死|想死(你|我)|跳楼(价|机|甩卖|大)|不想活动|不想活跃|(热|冷|累|吵|气|烦|急|笑|臭|冻|渴)死"
    ),
}
"""What the sign is part of then, by kind."""
_STOPS = "。！？；!?;\n"
_AROUND = 12  # characters beside a sign in which it may be said to be over


def is_pressing(text: str) -> bool:
    """Whether somebody cries for help in this text."""
    return _says(text, _CRY)


def is_dismissed(text: str, start: int, last: int, end: int, kind: str, weight: int) -> bool:
    """Whether a sign of danger from `start` to `end` is none, for how it is spoken of.

    `last`: where the last of its words begins.
    """
    begin, stop = _sentence(text, start, end)
    before, after, whole = text[begin:last], text[end:stop], text[begin:stop]
    if _DENIED.search(before) or _is_other(text, start, end, kind, whole):
        return True
    is_now = _says(whole, _NOW) or is_pressing(text)
    if _says(before, _FEARED) and not is_pressing(text):
        return weight < ALWAYS or not re.search("我", whole)
    if is_now:
        return False
    if _says(whole, _TAUGHT) or _says(before, _PAST) or after.startswith("过"):
        return True
    if _says(after[:_AROUND], _OVER) or _says(before[-_AROUND:], _OVER):
        return True
    return weight < ALWAYS and _says(whole, _OFTEN)


def _is_other(text: str, start: int, end: int, kind: str, whole: str) -> bool:
    """Whether the sentence is of another matter, or the sign is part of another word."""
    if kind in _OTHER_MATTER and _says(whole, _OTHER_MATTER[kind]):
        return True
    if kind not in _OTHER_WORD:
        return False
    found = (*_OTHER_WORD[kind].finditer(text), *_misheard(text, _OTHER_WORD[kind]))
    return any(one.start() < end and start < one.end() for one in found)


def _says(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether a text says it, or something that sounds like one of its words: it may have been misheard."""
    return bool(pattern.search(text)) or any(_misheard(text, pattern))


def _misheard(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Where it sounds like a word of the pattern; a common word of two letters is what it is."""
    jieba.dt.check_initialized()
    for found in _sounding(pattern).finditer(sound_of(text)):
        word = text[found.start() : found.end()]
        if len(word) > 2 or not is_everyday(word):
            yield found


@cache
def _sounding(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """The plain words of a pattern by their sound; those of one syllable sound like too much."""
    return sounding_like(re.findall("(?<![^|(])[一-鿿]{2,}(?![^|)])", pattern.pattern))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """From where to where the sentence goes that holds these places."""
    begin = max(text.rfind(mark, 0, start) for mark in _STOPS) + 1
    ends = [place for mark in _STOPS if (place := text.find(mark, end)) >= 0]
    return begin, min(ends, default=len(text))
