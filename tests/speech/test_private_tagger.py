"""What no rule finds is found by how it stands in a sentence; the model is what its examples make it."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import numpy as np
import pycrfsuite
import pytest

from speech.channel import phone
from speech.private_examples import EXAMPLES, Marked, examples, marked, with_marks
from speech.private_learner import (
    MADE_OF,
    confusions_of,
    fingerprint,
    garbled,
    in_figures,
    labels,
    learn,
    shown,
)
from speech.private_signs import signs
from speech.private_tagger import KINDS, find_likely, likelihoods
from speech.recognize import Recognizer
from speech.redact import redact
from speech.synthesize import Synthesizer
from speech.tables import rows

PLAIN = (
    "楼道里的灯坏了好几天了",
    "我老伴腿脚不好，想装扶手",
    "那个师傅修得又快又好",
    "垃圾桶太远了，走不动",
    "三号楼的电梯又停了",
)


def test_the_models_were_made_of_the_examples_that_lie_beside_them() -> None:
    made_of = MADE_OF.read_text("utf-8").strip()
    assert made_of == fingerprint(), "run `python -m speech.private_learner`"


def test_every_example_reads_back_as_it_is_written() -> None:
    written = [text for row in rows(EXAMPLES) for text in row]
    assert [with_marks(marked(text)) for text in written] == written
    assert len(written) > 3_000


def test_marks_tell_where_something_private_stands() -> None:
    one = marked("我是[张瑞生]，住{东里3号楼201}，灯坏了")
    assert one.text == "我是张瑞生，住东里3号楼201，灯坏了"
    assert [(one.text[start:end], kind) for start, end, kind in one.private] == [
        ("张瑞生", "name"),
        ("东里3号楼201", "address"),
    ]
    assert labels(marked("是[张三]的")) == ["O", "B-name", "I-name", "O"]


def test_numbers_are_written_in_figures_and_marks_stay_where_they_were() -> None:
    said = marked("我住{幸福小区三号楼二单元幺零二}，[王一]说两个月没水")
    assert with_marks(in_figures(said)) == "我住{幸福小区3号楼2单元102}，[王一]说2个月没水"


def test_what_is_garbled_keeps_its_marks_and_some_of_it_changes() -> None:
    told = list(islice((one for one in examples() if one.heard and one.said.private), 300))
    dice = random.Random(1)
    confusions = confusions_of(told)
    made = [garbled(one.said, confusions, dice) for one in told]
    kept = [(a, b) for a, b in zip(told, made, strict=True) if len(b.private) == len(a.said.private)]
    assert len(kept) > 290  # now and then nothing of a name is heard
    for _, new in kept:
        assert all(0 <= start < end <= len(new.text) for start, end, _ in new.private)
    changed = sum(
        one.said.text[start:end] != new.text[new.private[n][0] : new.private[n][1]]
        for one, new in kept
        for n, (start, end, kind) in enumerate(one.said.private)
        if kind == "name"
    )
    names = sum(kind == "name" for one, _ in kept for *_, kind in one.said.private)
    assert 0.6 < changed / names < 1.0


def test_who_learns_from_sentences_finds_names_in_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = examples()
    model = tmp_path / "small.crf"
    learn(islice(shown(told[:400], seed=1), 2_000), model)
    monkeypatch.setattr("speech.private_tagger._taggers", _opened(model))
    unseen = [one.said for one in told[400:] if one.said.private][:150]
    found = sum(
        any(a < end and start < b for a, b, _ in find_likely(one.text, likelihoods(one.text)))
        for one in unseen
        for start, end, _ in one.private
    )
    there = sum(len(one.private) for one in unseen)
    assert found > 0.5 * there


def _opened(model: Path) -> Callable[[], tuple[pycrfsuite.Tagger]]:
    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    return lambda: (tagger,)


def test_a_name_without_a_cue_is_found() -> None:
    for text, name in (
        ("今早章日生没去成练，我心里发黄", "章日生"),
        ("这轮椅是借周秀兰的，得还人家", "周秀兰"),
    ):
        assert name not in redact(text).text


def test_what_another_reading_shows_is_hidden_in_this_one() -> None:
    text, other = "楼上期望又在吵架", "楼上齐旺又在吵架"
    assert redact(text).text == text
    assert redact(text, (other,)).text == "楼上某某又在吵架"


@pytest.mark.parametrize("text", ["我老半年一熟，不需要怎么办手续。", "尤其说养老街二十号才能起。"])
def test_what_only_a_rule_takes_for_somebody_stays_where_it_was_heard(text: str) -> None:
    assert redact(text).text != text
    assert redact(text, (text,)).text == text


def test_a_verb_with_what_is_told_of_it_is_no_name() -> None:
    for text in ("女儿离得远，一年才回来一趟", "媳妇管得严，烟酒都给我断了"):
        assert redact(text).text == text
    assert redact("孙子王得胜回来了").text == "孙子某某回来了"


def test_what_rules_found_stays_as_it_is_and_the_rest_is_added() -> None:
    found = redact("楼下张伟又在敲门，他住幸福小区3号楼2单元501，电话13812345678")
    assert found.text == "楼下某某又在敲门，他住某处，电话某电话号码"


def test_a_surname_with_a_title_and_plain_buildings_stay() -> None:
    for text in ("何叔叔帮我搬的煤气罐", "李师傅修水管修得好", "9号楼和10号楼中间老有人烧纸"):
        assert redact(text).text == text
    assert redact("我们老总王建国来看过了").text == "我们老总某某来看过了"


def test_plain_sentences_stay_as_they_are() -> None:
    assert [redact(text).text for text in PLAIN] == list(PLAIN)


def test_each_letter_has_its_signs_and_nothing_is_needed_for_an_empty_text() -> None:
    assert len(signs("我是张三，3号楼")) == len("我是张三，3号楼")
    assert likelihoods("").shape == (len(KINDS), 0)
    assert list(find_likely("", likelihoods("", ("他说",)))) == []


def test_threads_do_not_read_each_others_texts() -> None:
    texts = [one.said.text for one in examples()[:40]]
    alone = [likelihoods(text) for text in texts]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(likelihoods, texts * 4))
    assert all(np.array_equal(one, other) for one, other in zip(alone * 4, together, strict=True))


@pytest.mark.slow
def test_the_recognizer_tells_what_else_it_may_have_heard(whisper: Recognizer, kokoro: Synthesizer) -> None:
    heard = whisper.transcribe(phone(kokoro.say("药店是翟莎忠开的，他说医保刷不了")))
    bare = ["".join(filter(str.isalnum, text)) for text in (heard.text, *heard.others)]
    assert 1 < len(bare) == len(set(bare)) <= 10
    assert whisper.transcribe(phone(kokoro.say("我是"))).others is not None


def test_a_text_of_marks_alone_has_nothing_to_hide() -> None:
    assert list(find_likely("，。！", likelihoods("，。！"))) == []
    assert with_marks(Marked("，。")) == "，。"
