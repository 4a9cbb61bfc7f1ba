"""Comparing what was heard with what was said."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.error_rate import average_over_speakers, character_error_rate, character_errors, normalised
from speech.reading import normalise as read_out

SAME = (
    ("二零一九年", "2019年"),
    ("一百零五户", "105户"),
    ("三点五元", "3.5元"),
    ("百分之十二", "12%"),
    ("八点半", "8:30"),
    ("上午九点零五分", "上午9:05"),
    ("打幺幺零", "打110"),
    ("两个人", "2个人"),
    ("一千二百五十元", "¥1,250"),
    ("一点五万", "1.5万"),
    ("三分之二", "2/3"),
    ("請打電話,快!", "请打电话，快"),
    ("ＷｉＦｉ密码", "wifi 密码"),
    ("一百二", "120"),
    ("幺三八零零一三八零零零", "138 0013 8000"),
    ("受理号七幺三五零九六二，再说一遍", "受理号7-1-3-5-0-9-6-2再说一遍"),
    ("受理号七幺三五零九六二，再说一遍", "受理号七、一、三、五、零、九、六、二，再说一遍"),
    ("三到五天，二零二六年", "三到五天，2026年"),
)


@pytest.mark.parametrize(("spoken", "written"), SAME)
def test_one_thing_written_two_ways_is_no_error(spoken: str, written: str) -> None:
    assert normalised(spoken) == normalised(written)
    assert character_errors(spoken, written) == 0


def test_words_that_are_no_numbers_stay_themselves() -> None:
    assert normalised("万达广场，二三十人，千万别去。") == "万达广场二三十人千万别去"
    assert normalised("一些老人") == "一些老人"


def test_errors_are_counted_and_capped() -> None:
    assert character_errors("小区东门的路灯", "小区洞门路灯吧") == 3
    assert character_error_rate("小区东门的路灯", "小区洞门路灯吧") == pytest.approx(3 / 7)
    assert character_error_rate("灯", "灯等等等等等") == 2.0
    assert character_error_rate("灯", "灯等等等等等", cap=9) == 5.0
    assert character_error_rate("", "") == 0
    assert character_error_rate("。", "灯") == 2.0


def test_everybody_counts_once() -> None:
    assert average_over_speakers([("a", 0.0), ("a", 0.2), ("b", 0.5)]) == pytest.approx(0.3)
    assert math.isnan(average_over_speakers([]))


@given(st.integers(0, 10**9))
def test_an_amount_read_out_is_the_amount(amount: int) -> None:
    assert normalised(read_out(f"{amount}元")) == normalised(f"{amount}元")


@given(st.text("零〇一幺二两三九十百千万亿0129.:,/%¥点分半整年", max_size=12))
def test_whatever_a_recognizer_writes_is_compared(text: str) -> None:
    assert character_errors(text, text + "。") == 0
