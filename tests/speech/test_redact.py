"""What is private is taken out; what is not stays."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.redact import STANDS_FOR, redact


@pytest.mark.parametrize(
    ("text", "kind", "private"),
    [
        ("我的电话是13812345678，随时打", "phone", "13812345678"),
        ("电话一三八一二三四五六七八打不通", "phone", "一三八一二三四五六七八"),
        ("打幺三八，幺二三四，五六七八找我", "phone", "幺三八，幺二三四，五六七八"),
        ("手机是138 1234 5678", "phone", "138 1234 5678"),
        ("电话是一三八要二三四五六七八", "phone", "一三八要二三四五六七八"),
        ("座机零五七幺八八七七六六五五", "phone", "零五七幺八八七七六六五五"),
        ("身份证33010619500101123X给你", "id", "33010619500101123X"),
        ("银行卡6222021234567890123没到账", "card", "6222021234567890123"),
        ("车牌浙A12345挡住了门", "plate", "浙A12345"),
        ("浙A幺二三四五堵门", "plate", "浙A幺二三四五"),
        ("我住在幸福小区3号楼2单元501室", "address", "幸福小区3号楼2单元501室"),
        ("丽景花园四号楼四单元一零四漏水", "address", "丽景花园四号楼四单元一零四"),
        ("家住文一路138号", "address", "文一路138号"),
        ("我叫王建国，我同意", "name", "王建国"),
        ("我是居民欧阳小红", "name", "欧阳小红"),
        ("请联系李娜女士", "name", "李娜"),
        ("我姓郑，楼上漏水", "name", "郑"),
    ],
)
def test_private_words_are_found_and_replaced(text: str, kind: str, private: str) -> None:
    found = redact(text)
    assert [(text[span.start : span.end], span.kind) for span in found.spans] == [(private, kind)]
    assert found.text == text.replace(private, STANDS_FOR[kind])


@pytest.mark.parametrize(
    "text",
    [
        "二零二四年就说要装电梯",
        "打了12345也没用，110也不管",
        "每个月交两百块物业费，一年两千四",
        "我今年七十三岁了，住了三十年了",
        "议题编号2024031500012我投赞成票",
        "公交车一三八路老是不来",
        "王阿姨她们都说好",
        "请找李主任反映",
        "3号楼的电梯什么时候装",
        "这个小区有一千二百户，六百多个老人",
        "高兴坏了，我们小区周围很方便",
        "我是小区的业主，我同意",
        "希望在2026-03-05之前修好",
        "叫车叫不到，我找了居委会马上来人",
        "幸福路那边的路灯坏了",
        "谢谢大家，于是我们都同意了",
    ],
)
def test_sentences_about_everybody_stay_as_they_are(text: str) -> None:
    assert redact(text).text == text


def test_a_whole_introduction() -> None:
    found = redact("我叫张伟，住在和平里7号楼4单元801室，我的电话是14252298438，希望把路灯修一下")
    assert found.text == "我叫某某，住在某处，我的电话是某电话号码，希望把路灯修一下"


@settings(deadline=None)  # the first one loads the dictionary
@given(st.text(alphabet="我叫王伟住在三号楼12345678幺零单元路，。电话是浙A的", max_size=50))
def test_spans_never_overlap_and_lie_inside(text: str) -> None:
    spans = redact(text).spans
    assert list(spans) == sorted(spans)
    for before, after in pairwise(spans):
        assert before.end <= after.start
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
