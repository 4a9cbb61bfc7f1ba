"""What callers want, a community's own categories, and a model that learns them from examples."""

from __future__ import annotations

import io
import random
from pathlib import Path

import jieba
import numpy as np
import pytest

from benchmarks import understand_purpose
from speech.categorize import categorize
from speech.features import LETTERS, cut, plain, stretches
from speech.learned import Model, OtherShapeError
from speech.learner import Example, compare, learn, own_sentences, with_sentences
from speech.purpose import PURPOSES, purpose_of
from speech.syllables import codes, heard, misheard
from speech.taxonomy import LABELS, OTHER, class_of, taxonomy, typed_categories

SEVEN = {"城乡建设", "劳动和社会保障", "教育文体", "商贸旅游", "环境保护", "卫生计生", "交通运输"}


@pytest.mark.parametrize(
    ("text", "purpose"),
    [
        ("请问高龄津贴怎么申请，要带什么材料", "咨询"),
        ("图书馆星期一几点开门", "咨询"),
        ("我一个人住，腿脚不便，能不能派人来修一下水管", "求助"),
        ("我妈妈早上走失了，求你们帮我找找", "求助"),
        ("物业收了钱不干活，打了好几次电话都不管", "投诉"),
        ("楼下的饭店吵得我睡不着，我要投诉", "投诉"),
        ("我举报三号楼有人无证开诊所", "举报"),
        ("有人夜里偷排废水到河里", "举报"),
        ("建议在小区门口装一个红绿灯", "建议"),
        ("希望能多放几把长椅", "建议"),
        ("保安小李态度特别好，我要表扬他", "表扬"),
        ("感谢社区把路灯修好了，方便多了", "表扬"),
    ],
)
def test_what_a_caller_wants_is_understood_and_why(text: str, purpose: str) -> None:
    found = purpose_of(text)
    assert found is not None
    assert found.label == purpose
    assert found.label in PURPOSES
    assert 0.4 <= found.confidence < 1
    assert found.because
    assert all(word in text for word in found.because)


@pytest.mark.parametrize("text", ["", "喂，听得见吧", "我不是来投诉的"])
def test_where_nothing_shows_it_no_purpose_is_made_up(text: str) -> None:
    assert purpose_of(text) is None


@pytest.mark.parametrize(("share", "least"), [(0.0, 0.7), (0.2, 0.5)])
def test_what_callers_want_is_told_in_sentences_that_nothing_learns_from(share: float, least: float) -> None:
    held, known = said("purposes_said_held.tsv"), {one for _, one in said("../speech/purpose_sentences.tsv")}
    right = []
    for purpose, text in held:
        assert text not in known
        found = purpose_of(misheard(text, share, random.Random(text)))
        right.append(found is not None and found.label == purpose)
    assert sum(right) / len(right) > least


def said(name: str) -> list[tuple[str, str]]:
    lines = (Path(understand_purpose.__file__).parent / name).read_text("utf-8").splitlines()
    rows = (line.split("\t") for line in lines if line and not line.startswith("#"))
    return [(label, text) for label, text in rows]


def test_words_are_cut_as_jieba_does_it() -> None:
    for text in [plain(one.text) for one in own_sentences()] + ["", "a", "abc123号B座", "я好的ab"]:
        assert cut(text) == jieba.lcut(text, HMM=False)


def test_the_beginning_counts_most(learnt: Model) -> None:
    birds, boats = "凉亭的羽毛和鸟食", "桥头的船票和船坞"
    for first, then, label in ((birds, boats, "鸽子"), (boats, birds, "租船")):
        text = f"{first}，{'我看见的，' * 4}{then}"
        assert learnt.answer(text, taxonomy().lexicon, ("鸽子", "租船"))[0] == label


def test_every_shipped_category_has_words_sentences_and_a_class_among_the_seven() -> None:
    assert LABELS[-1] == OTHER
    assert {class_of(label) for label in LABELS} == SEVEN
    assert {entry.label for entry in taxonomy().lexicon.entries} == set(LABELS) - {OTHER}
    assert {one.label for one in own_sentences()} == set(LABELS)
    alone = [one for one in own_sentences() if one.label != OTHER]
    right = sum(categorize(one.text).label == one.label for one in alone)
    assert right / len(alone) > 0.85


def test_a_community_switches_categories_off_and_adds_its_own() -> None:
    chosen = typed_categories("电梯加装=off，鸽子=鸽子  喂鸽子, 停车=锁车")
    assert chosen == {"电梯加装": "off", "鸽子": "鸽子 喂鸽子", "停车": "锁车"}
    kinds = taxonomy(chosen)
    assert kinds.labels[-2:] == ("鸽子", OTHER)
    assert "电梯加装" not in kinds.labels
    assert categorize("天天有人喂鸽子", kinds).label == "鸽子"
    assert categorize("天天有人味个子", kinds).label == "鸽子"  # as a bad line has it
    assert categorize("门口老是锁车", kinds).label == "停车"
    assert categorize("什么时候加装电梯", kinds).label != "电梯加装"
    assert class_of("鸽子") is None
    for wrong in ("其他=off", "鸽子=off", "鸽子=", "鸽子=鸽", "一个太长太长的名字=词语", "a,b=ab <i>"):
        with pytest.raises(ValueError, match=r"."):
            typed_categories(wrong)


def test_misheard_words_sound_the_same_and_are_common_ones() -> None:
    text = "小区门口的路灯坏了，晚上老人出门很不方便。" * 5
    noisy = misheard(text, 0.2, random.Random(3))
    changed = [(a, b) for a, b in zip(text, noisy, strict=True) if a != b]
    assert 0.1 < len(changed) / len(text) < 0.25
    assert (heard(codes(noisy)) == heard(codes(text))).all()
    assert misheard(text, 0.2, random.Random(3)) == noisy


def examples(seed: int, many: int) -> list[Example]:
    """Made-up opinions of two kinds that no word list knows, and of one that it does."""
    chance = random.Random(seed)
    places, ends = (
        ["东门", "西门", "三号楼", "花坛边", "凉亭", "桥头"],
        ["怎么办", "管一管吧", "好几天了", "大家都说", "我看见的"],
    )
    matters = {
        "鸽子": ["鸽子", "鸽粪", "鸟食", "羽毛", "鸟窝"],
        "租船": ["小船", "船票", "划桨", "船坞", "救生衣"],
        "停车": ["车位", "停车", "地锁", "车库", "挪车"],
    }
    one = chance.choice
    return [
        Example(f"{one(places)}的{one(words)}{one(words)}，{one(ends)}", label)
        for _ in range(many)
        for label, words in matters.items()
    ]


@pytest.fixture(scope="module")
def learnt() -> Model:
    return learn(with_sentences(examples(1, 25), (*LABELS, "鸽子", "租船")), taxonomy().lexicon)


def test_a_model_learns_what_the_lists_do_not_know_misheard_too(learnt: Model) -> None:
    kinds = taxonomy({"鸽子": "鸽舍", "租船": "租船"})
    unseen = [one for one in examples(2, 20) if one not in examples(1, 25)]
    noisy = [misheard(one.text, 0.2, random.Random(at)) for at, one in enumerate(unseen)]
    truth = [one.label for one in unseen]
    ours = [categorize(text, kinds, learnt) for text in noisy]
    lists = [categorize(text, kinds).label for text in noisy]
    compared = compare([one.label for one in ours], lists, truth)
    assert compared.better > 3 * compared.worse
    assert compared.chance < 0.01
    right = [one.label == label for one, label in zip(ours, truth, strict=True)]
    sure = [one.confidence for one in ours]
    assert abs(sum(sure) / len(sure) - sum(right) / len(right)) < 0.2  # what it says of itself is about true
    assert categorize("路灯坏了，楼道漏水", kinds, learnt).label == "设施维修"  # from our own sentences
    [reason] = [one for one in categorize("凉亭的羽毛，怎么办", kinds, learnt).because if one == "羽毛"]
    assert reason


def of_another_shape(packed: bytes) -> bytes:
    """The same as an earlier version of the program has kept it."""
    with np.load(io.BytesIO(packed)) as arrays:
        others = {name: arrays[name] for name in arrays.files if name != "shape"}
    kept = io.BytesIO()
    np.savez_compressed(kept, **others)
    return kept.getvalue()


def test_a_model_is_the_same_again_holds_no_words_and_survives_packing(learnt: Model) -> None:
    packed, own = learnt.pack(), with_sentences(examples(1, 25), (*LABELS, "鸽子", "租船"))
    assert packed == learn(own, taxonomy().lexicon).pack()
    again = Model.unpack(packed)
    text = "桥头的船票船坞，管一管吧"
    assert again.answer(text, taxonomy().lexicon, again.labels)[0] == "租船"
    assert again.answer(text, taxonomy().lexicon, ("停车", OTHER))[0] in (
        "停车",
        OTHER,
    )  # only what is in use
    named = learn([*examples(1, 25), Example("王桂兰阿婆家的鸽子", "鸽子")], taxonomy().lexicon)
    said = stretches("王桂兰", taxonomy().lexicon)
    name = set(said.keys[(said.lengths > 1) & (said.kinds == LETTERS)].tolist())
    assert len(name) == 3
    assert not name & set(named.known.keys.tolist())  # what one alone said is not kept
    with pytest.raises(OtherShapeError):
        Model.unpack(of_another_shape(packed))


def test_two_ways_of_sorting_are_compared_exactly() -> None:
    truth = ["甲"] * 10
    compared = compare(["甲"] * 8 + ["乙"] * 2, ["甲"] * 2 + ["乙"] * 6 + ["甲"] * 2, truth)
    assert (compared.better, compared.worse) == (6, 2)
    assert compared.chance == pytest.approx(37 / 256)  # 28 + 8 + 1 of 256 ways
    assert compare(truth, truth, truth).chance == 1
