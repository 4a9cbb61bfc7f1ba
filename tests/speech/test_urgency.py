"""Who is in danger just now, and who only speaks of danger."""

from __future__ import annotations

import pytest

from speech.urgency import urgency


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("我家闻到一股煤气味", "燃气"),
        ("煤气谢漏了快来", "燃气"),
        ("楼下着火了快来人", "火情"),
        ("我摔倒了起不来了", "摔倒"),
        ("隔壁男的打老婆，拿刀了", "暴力"),
        ("我不想活了", "自伤"),
    ],
)
def test_danger_is_heard(text: str, label: str) -> None:
    found = urgency(text)
    assert found is not None
    assert found.label == label
    assert found.because
    assert found.confidence >= 0.6


@pytest.mark.parametrize(
    "text",
    [
        "预防火灾的宣传要多做",
        "老人容易摔倒，希望装扶手",
        "希望通天然气",
        "去年着火的那栋楼",
        "我同意装电梯",
        "",
    ],
)
def test_talk_about_danger_is_no_danger(text: str) -> None:
    assert urgency(text) is None
