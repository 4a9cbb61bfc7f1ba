"""What is of one matter is alike, also misheard; what is not is not; in whatever order texts come."""

from __future__ import annotations

import numpy as np
import pytest

from speech.likeness import SAME, Likeness, groups, probability

LAMPS = (
    "小区东门的路灯坏了三个星期了，晚上很黑",
    "东门路灯不亮，老人晚上不敢出门",
    "东门那边的路灯一直没人修，太黑了",
)
LIFT = ("我不同意一楼分摊加装电梯的钱", "加装电梯一楼为什么也要出钱", "装电梯的钱一楼不该分摊")
OTHERS = (
    "楼下广场舞太吵了", "垃圾站臭得不行", "长者食堂的菜有点咸", "物业收了钱不干活", "车位不够没地方停车",
    "最近有小偷，希望装监控", "公交车早点发车", "想报名学跳舞", "水费怎么又涨了", "孩子放学没人接",
)  # fmt: skip
TEXTS = (*LAMPS, *LIFT, *OTHERS)


def test_texts_of_one_matter_find_each_other() -> None:
    found = groups(Likeness.of(TEXTS), 0.15)
    assert [0, 1, 2] in found
    assert [3, 4, 5] in found
    assert sum(len(group) == 1 for group in found) == len(OTHERS)


def test_a_misheard_text_is_still_nearest_to_its_matter() -> None:
    likeness = Likeness.of((*TEXTS, "冬门的路登坏了没人休"))
    cosines = likeness.to(len(TEXTS))
    assert set(np.argsort(-cosines)[1:4]) == {0, 1, 2}


def test_the_same_words_are_alike_whatever_stands_between_them() -> None:
    likeness = Likeness.of(("路灯坏了，请来修。", "路灯坏了请来修", "", "！？", "别的事情"))
    assert likeness.to(0)[1] == pytest.approx(1.0, abs=1e-5)
    assert likeness.to(2).tolist() == [0.0] * 5
    assert likeness.to(0)[4] < 0.02
    assert Likeness.of(()).count == 0
    assert groups(Likeness.of(()), 0.1) == []
    assert groups(Likeness.of(("一个人说",)), 0.1) == [[0]]


def test_likeness_is_mutual_and_does_not_hang_on_the_order() -> None:
    forth, back = Likeness.of(TEXTS), Likeness.of(TEXTS[::-1])
    table = np.stack([forth.to(place) for place in range(len(TEXTS))])
    assert np.allclose(table, table.T, atol=1e-5)
    turned = np.stack([back.to(place) for place in range(len(TEXTS))])[::-1, ::-1]
    assert np.allclose(table, turned, atol=1e-5)
    assert 0 <= table.min() <= table.max() <= 1


def test_how_sure_we_are_grows_with_likeness() -> None:
    sure = [probability(cosine / 100) for cosine in range(101)]
    assert sure == sorted(sure)
    assert sure[0] < 0.05
    assert sure[30] > 0.95
    assert min(range(101), key=lambda at: abs(sure[at] - SAME)) == 12


def test_what_texts_pull_together_is_likeness_times_weight() -> None:
    likeness = Likeness.of(["路灯坏了", "广场舞太吵", "电梯什么时候装"])
    weights = np.array([[1.0, -1.0], [0.5, 0.0], [-2.0, 3.0]])
    for text in ("路灯又坏了", "广场上的舞太吵了", "这里没有一样的", ""):
        pulled = likeness.pulled(text, likeness.pulls(weights))
        assert pulled == pytest.approx(likeness.cosines(text) @ weights, abs=1e-5)
