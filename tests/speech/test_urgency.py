"""Who is in danger just now, and who only speaks of it: clearly said, misheard, denied, past, prevented."""

from __future__ import annotations

import random

import pytest

from benchmarks.understand_urgent import sentences
from speech.syllables import misheard
from speech.urgency import CERTAIN, URGENT_LABELS, urgency


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("我家闻到一股煤气味", "燃气"),
        ("煤气谢漏了快来", "燃气"),
        ("没气泄漏了", "燃气"),
        ("家里有股怪味是不是漏煤气了", "燃气"),
        ("不是着火，是煤气漏了", "燃气"),
        ("楼下着火了快来人", "火情"),
        ("楼下招火了快来人", "火情"),
        ("去年就着过火，现在楼道里又着火了", "火情"),
        ("我摔倒了起不来了", "摔倒"),
        ("我昨天摔了一跤，现在还躺在地上", "摔倒"),
        ("我爸没有呼吸了", "摔倒"),
        ("胸扣疼喘不上气", "摔倒"),
        ("隔壁男的打老婆，拿刀了", "暴力"),
        ("他经常喝了酒打我，我害怕", "暴力"),
        ("我不想活了", "自伤"),
        ("我布想活了", "自伤"),
    ],
)
def test_danger_is_heard(text: str, label: str) -> None:
    found = urgency(text)
    assert found is not None
    assert found.label == label in URGENT_LABELS
    assert found.because
    assert all(word in text for word in found.because)
    assert 0.5 < found.confidence <= CERTAIN


@pytest.mark.parametrize(
    "text",
    [
        "预防火灾的宣传要多做",
        "老人容易摔倒，希望装扶手",
        "希望通天然气",
        "去年着火的那栋楼",
        "没有着火，是邻居烧香",
        "万一着火了消防车进不来",
        "火已经扑灭了，谢谢消防员",
        "听说别的小区煤气爆炸了",
        "楼下天天吵，我都快被吵死了",
        "老人不想活动室改成棋牌室",
        "超市跳楼价甩卖太吵",
        "打我电话打了三次",
        "我同意装电梯",
        "",
    ],
)
def test_talk_about_danger_is_no_danger(text: str) -> None:
    assert urgency(text) is None


def test_words_heard_alone_are_less_sure_than_words_read() -> None:
    read, misread = urgency("煤气泄漏了"), urgency("没七谢漏了")
    assert read is not None
    assert misread is not None
    assert misread.confidence < read.confidence == CERTAIN


@pytest.mark.parametrize(("share", "recall", "false"), [(0.0, 0.85, 0.05), (0.2, 0.7, 0.08)])
def test_most_dangers_are_heard_and_little_else_also_where_much_is_misheard(
    share: float, recall: float, false: float
) -> None:
    chance, said = random.Random(5), sentences("urgent_said_last.tsv")
    heard = [(kind, urgency(misheard(text, share, chance) if share else text)) for kind, text in said]
    dangers = [found is not None for kind, found in heard if kind != "-"]
    others = [found is not None for kind, found in heard if kind == "-"]
    assert sum(dangers) / len(dangers) >= recall
    assert sum(others) / len(others) <= false
