"""What opinions are about."""

from __future__ import annotations

import pytest

from speech.categorize import categorize
from speech.taxonomy import LABELS, OTHER


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("小区东门的路灯坏了三个星期了，晚上老人出门很不方便", "设施维修"),
        ("我不同意一楼分摊加装电梯的钱", "电梯加装"),
        ("楼下广场舞太吵了，孩子没法写作业", "邻里噪音"),
        ("车位不够，晚上回来没地方停车", "停车"),
        ("垃圾站臭得不行，夏天全是苍蝇", "环境卫生"),
        ("长者食堂的饭菜有点咸，能不能送餐上门", "养老助餐"),
        ("物业收了钱不干活", "物业"),
        ("最近有小偷，希望装监控", "治安消防"),
        ("电动车在楼道里充电很危险", "治安消防"),
        ("我觉得很好，我没有意见", OTHER),
        ("", OTHER),
    ],
)
def test_opinions_find_their_label(text: str, label: str) -> None:
    category = categorize(text)
    assert category.label == label
    assert label in LABELS
    assert all(word in text for word in category.because)
    assert (category.confidence > 0.5) == (label != OTHER)


@pytest.mark.parametrize(("misheard", "label"), [("驾装电题我同意", "电梯加装"), ("广长舞太吵", "邻里噪音")])
def test_words_written_by_their_sound_are_still_understood(misheard: str, label: str) -> None:
    assert categorize(misheard).label == label
