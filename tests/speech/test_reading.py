"""How figures are said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.reading import normalise, read_count, read_digits


def test_a_receipt_is_read_in_fours_with_yao() -> None:
    assert read_digits("12345678") == ("幺二三四", "五六七八")


def test_a_mobile_number_is_read_three_four_four() -> None:
    assert read_digits("138-1234 5678") == ("幺三八", "幺二三四", "五六七八")


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "零"),
        (1, "一"),
        (2, "两"),
        (10, "十"),
        (12, "十二"),
        (22, "二十二"),
        (105, "一百零五"),
        (2000, "两千"),
    ],
)
def test_counts(number: int, said: str) -> None:
    assert read_count(number) == said


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("2026年3月5日", "二零二六年三月五日"),
        ("2026-03-05", "二零二六年三月五日"),
        ("上午9:05", "上午九点零五分"),
        ("14:30", "十四点半"),
        ("2:00", "两点整"),
        ("35.5%", "百分之三十五点五"),
        ("¥12,500.50", "一万两千五百元五角"),
        ("¥3万", "三万元"),
        ("2个人", "两个人"),
        ("第2条", "第二条"),
        ("2号楼2单元201室", "二号楼二单元二零幺室"),
        ("12户", "十二户"),
        ("10000人", "一万人"),
        ("拨打13812345678", "拨打幺三八，幺二三四，五六七八"),
        ("0571-12345678", "零五七幺，幺二三四，五六七八"),
        ("拨打110、12345", "拨打幺幺零、幺二三四五"),
        ("110个人", "一百一十个人"),
        ("3-5天", "三到五天"),
        ("1/3的居民", "三分之一的居民"),
        ("1.5米", "一点五米"),
        ("-3度", "负三度"),
        ("请按1", "请按一"),
        ("没有数字", "没有数字"),
    ],
)
def test_written_figures_are_said_as_people_say_them(written: str, said: str) -> None:
    assert normalise(written) == said


@given(st.text(max_size=60))
def test_no_figure_is_left_and_nothing_breaks(text: str) -> None:
    assert not any(letter in "0123456789" for letter in normalise(text))
