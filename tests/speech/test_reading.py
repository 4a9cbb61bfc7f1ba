"""How figures are said: tables for what people wrote, properties for everything they may write."""

from __future__ import annotations

from datetime import date, timedelta

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.reading import normalise, read_count, read_digits

DIGITS = "零幺二三四五六七八九"


def number(said: str) -> float:
    """What was said, as a number."""
    return float(cn2an.cn2an(said.replace("两", "二"), "smart"))


def test_a_receipt_is_read_in_fours_with_yao() -> None:
    assert read_digits("12345678") == ("幺二三四", "五六七八")


def test_a_mobile_number_is_read_three_four_four() -> None:
    assert read_digits("138-1234 5678") == ("幺三八", "幺二三四", "五六七八")


TABLE = {
    "counts: 两 before what is counted and at the head of hundreds, 二 where things are numbered": (
        ("2个人", "两个人"),
        ("2周", "两周"),
        ("2公里", "两公里"),
        ("12户", "十二户"),
        ("22户", "二十二户"),
        ("200户", "两百户"),
        ("220户", "两百二十户"),
        ("2200户", "两千二百户"),
        ("10000人", "一万人"),
        ("22000人", "两万两千人"),
        ("2倍", "两倍"),
        ("第2条", "第二条"),
        ("2楼", "二楼"),
        ("2年级", "二年级"),
        ("2月2号", "二月二号"),
        ("2号楼2单元201室", "二号楼二单元二零幺室"),
        ("3-2-201室", "三杠二杠二零幺室"),
        ("101路公交", "幺零幺路公交"),
        ("110个人", "一百一十个人"),
        ("2-3天", "两到三天"),
        ("3~5天", "三到五天"),
        ("第2-3条", "第二到三条"),
        ("007", "零零七"),
    ),
    "dates": (
        ("2026年3月5日", "二零二六年三月五日"),
        ("2026-03-05", "二零二六年三月五日"),
        ("2026/3/5", "二零二六年三月五日"),
        ("2026年12月", "二零二六年十二月"),
        ("2026年", "二零二六年"),
        ("10月1日-7日", "十月一日到七日"),
        ("3月5号~4月2号", "三月五号到四月二号"),
    ),
    "times": (
        ("上午9:05", "上午九点零五分"),
        ("14:30", "十四点半"),
        ("2:00", "两点"),
        ("12:00", "十二点"),
        ("0:00", "零点"),
        ("2点", "两点"),
        ("14时30分", "十四点半"),
        ("下午2时", "下午两点"),
        ("2小时", "两小时"),
        ("9:00-11:30", "九点到十一点半"),
        ("下午2点-4点", "下午两点到四点"),
        ("0.5小时", "半小时"),
        ("1.5小时", "一个半小时"),
        ("2.5天", "两天半"),
        ("1.5个月", "一个半月"),
    ),
    "money: whole sums as written, small change as at the market": (
        ("12元", "十二元"),
        ("2元", "两元"),
        ("200元", "两百元"),
        ("2.00元", "两元"),
        ("0.5元", "五毛"),
        ("0.2元", "两毛"),
        ("0.05元", "五分"),
        ("12.5元", "十二块五毛"),
        ("12.05元", "十二块零五分"),
        ("¥12,500.50", "一万两千五百块五毛"),
        ("¥3万", "三万元"),
        ("2万元", "两万元"),
        ("1.5万元", "一万五千元"),
    ),
    "shares, fractions, measures": (
        ("100%", "百分之百"),
        ("35.5%", "百分之三十五点五"),
        ("5%-10%", "百分之五到百分之十"),
        ("1/3的居民", "三分之一的居民"),
        ("3:2", "三比二"),
        ("1.5米", "一点五米"),
        ("80㎡", "八十平方米"),
        ("-3度", "零下三度"),
        ("-3~5℃", "零下三度到五度"),
    ),
    "telephone numbers": (
        ("拨打13812345678", "拨打幺三八，幺二三四，五六七八"),
        ("+86 138 1234 5678", "幺三八，幺二三四，五六七八"),
        ("0571-12345678", "零五七幺，幺二三四，五六七八"),
        ("400-123-4567", "四零零，幺二三四，五六七"),
        ("拨打110、12345", "拨打幺幺零、幺二三四五"),
    ),
    "the rest": (("请按1", "请按一"), ("没有数字", "没有数字")),
}


@pytest.mark.parametrize("kind", TABLE)
def test_written_figures_are_said_as_people_say_them(kind: str) -> None:
    assert [(written, normalise(written)) for written, _ in TABLE[kind]] == list(TABLE[kind])


@given(st.text(max_size=60))
def test_no_figure_is_left_and_nothing_breaks(text: str) -> None:
    assert not any(letter in "0123456789" for letter in normalise(text))


@given(st.integers(0, 99_999_999))
def test_a_count_keeps_its_value_and_a_lone_two_is_liang(count: int) -> None:
    assert number(read_count(count)) == count
    said = normalise(f"{count}个")
    assert said == read_count(count) + "个"
    assert not said.startswith(("二百", "二千", "二万", "二个", "一十"))


@given(st.integers(0, 99_999))
def test_no_penny_is_lost(pence: int) -> None:
    rest = normalise(f"{pence / 100:.2f}元").replace("元", "块")
    worth = 0.0
    for unit, pennies in (("块", 100), ("毛", 10), ("分", 1)):
        if unit in rest:
            said, rest = rest.split(unit)
            worth += number(said.removeprefix("零") or "零") * pennies
    assert (rest, worth) == ("", pence)


def test_every_day_and_every_minute_is_said_and_never_with_liang_in_a_date() -> None:
    days = [date(2026, 1, 1) + timedelta(days=number_of) for number_of in range(365)]
    said = [normalise(f"{day:%Y-%m-%d}") for day in days]
    assert len(set(said)) == 365
    assert not any("两" in one or "幺" in one for one in said)
    assert said == [normalise(f"{day.year}年{day.month}月{day.day}日") for day in days]
    times = [normalise(f"{minute // 60}:{minute % 60:02}") for minute in range(24 * 60)]
    assert len(set(times)) == 24 * 60
    assert not any("二点" in one and "十二点" not in one for one in times)


@given(st.from_regex(r"1[3-9][0-9]{9}|(010|02[0-9]|0[3-9][0-9]{2})-?[0-9]{8}|[2-8][0-9]{7}", fullmatch=True))
def test_a_number_to_call_is_read_digit_by_digit_with_yao(written: str) -> None:
    said = normalise(f"请打{written}").removeprefix("请打")
    figures = "".join(letter for letter in written if letter.isascii() and letter.isdigit())
    assert said.replace("，", "") == "".join(DIGITS[int(figure)] for figure in figures)
    assert all(2 < len(group) < 5 for group in said.split("，"))
