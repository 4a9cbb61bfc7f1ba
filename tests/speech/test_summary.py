"""What many say is said in a sentence of theirs, with how many say it; noises and stuttering fall away."""

from __future__ import annotations

import pytest

from speech.summary import SHORTEST, Said, fluent, key_phrases, sentences, summary

LAMPS = [
    "小区东门的路灯坏了三个星期了，没人修。",
    "东门的路灯坏了三个星期也没人来修。",
    "嗯，那个，东门路灯坏了三个星期没人修。",
    "喂，您好，东门的路灯坏了好几个星期，没有人修。",
]
DOGS = ["遛狗不牵绳，孩子都吓哭了。", "有人遛狗不牵绳，吓着孩子了。"]
ALONE = ["食堂的菜有点咸了，少放盐。"]


def test_what_most_people_say_comes_first_with_how_many_say_it() -> None:
    found = summary([*LAMPS, *DOGS, *ALONE])
    assert [one.voices for one in found.sentences[:2]] == [4, 2]
    assert "路灯坏了" in found.sentences[0].sentence
    assert "不牵绳" in found.sentences[1].sentence
    assert any("路灯" in phrase for phrase in found.phrases)
    assert any("牵绳" in phrase or "遛狗" in phrase for phrase in found.phrases)


def test_every_sentence_is_one_that_somebody_said() -> None:
    texts = [*LAMPS, *DOGS, *ALONE]
    for one in summary(texts).sentences:
        assert any(one.sentence in fluent(text) for text in texts)
        assert len(one.sentence) >= SHORTEST


def test_who_says_it_twice_is_one_voice_and_one_alone_is_summed_up_too() -> None:
    assert summary(["路灯坏了没人修。路灯坏了没人来修。路灯坏了，没人修。"]).sentences[0].voices == 1
    assert summary([]).sentences == summary(["。。。"]).sentences == ()
    assert summary([""]).phrases == ()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("嗯，那个，我想说路灯坏了", "我想说路灯坏了"),
        ("路灯，路灯，路灯坏了", "路灯坏了"),
        ("我，我想说一下", "我想说一下"),
        ("然后呢，电梯又停了", "电梯又停了"),
        ("那个路灯坏了", "那个路灯坏了"),
        ("天天吵天天吵", "天天吵天天吵"),
    ],
)
def test_noises_and_stuttering_fall_away_and_words_stay(said: str, left: str) -> None:
    assert fluent(said) == left


def test_a_greeting_and_what_is_hidden_are_not_repeated() -> None:
    assert sentences("喂，您好，路灯坏了。请来修！") == ["路灯坏了", "请来修"]
    hidden = [f"我是***，住在东门的路灯旁边{n}" for n in range(3)]
    assert summary(hidden).sentences == ()


def test_phrases_are_shared_and_do_not_repeat_each_other() -> None:
    phrases = key_phrases([*LAMPS, *DOGS, *ALONE])
    assert not any(one in other for one in phrases for other in phrases if one != other)
    assert not any("咸" in phrase for phrase in phrases)
    assert key_phrases(ALONE)


def test_the_same_texts_give_the_same_summary() -> None:
    texts = [*LAMPS, *DOGS, *ALONE]
    assert summary(texts) == summary(list(texts))
    assert isinstance(summary(texts).sentences[0], Said)
