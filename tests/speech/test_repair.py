"""Repairing what was misheard with the words that a community is known to say."""

from __future__ import annotations

from itertools import pairwise

import pytest

from speech.recognize import Transcript, Word
from speech.repair import repair


def heard(text: str, doubtful: str = "", sure: float = 0.95, unsure: float = 0.3) -> Transcript:
    """A transcript of one word a character; the stretch `doubtful` is not sure."""
    at = text.find(doubtful) if doubtful else -1
    doubted = range(at, at + len(doubtful)) if doubtful else range(0)
    words = tuple(
        Word(letter, place * 0.2, place * 0.2 + 0.2, unsure if place in doubted else sure)
        for place, letter in enumerate(text)
    )
    return Transcript(text + "。", words, "zh", "test", 0.8, len(text) * 0.2)


@pytest.mark.parametrize(
    ("said", "doubtful", "vocabulary", "right"),
    [
        ("凤凰小趣的车太多", "凤凰小趣", ("凤凰小区",), "凤凰小区的车太多。"),
        ("长着食堂的饭太贵", "长着食堂", ("长者食堂",), "长者食堂的饭太贵。"),  # 长 is read in two ways
        ("东门的录登坏了", "录登", ("路灯",), "东门的路灯坏了。"),
        ("请给我们加庄电踢", "加庄电踢", ("要不要给三号楼加装电梯",), "请给我们加装电梯。"),  # a title
        ("他住在兰山苑", "兰山苑", ("南山院",), "他住在南山院。"),  # n and l are one sound to many
    ],
)
def test_a_doubtful_stretch_becomes_the_word_that_sounds_like_it(
    said: str, doubtful: str, vocabulary: tuple[str, ...], right: str
) -> None:
    assert repair(heard(said, doubtful), vocabulary).text == right


@pytest.mark.parametrize(
    ("said", "doubtful", "vocabulary"),
    [
        ("凤凰小趣的车太多", "", ("凤凰小区",)),  # sure of itself
        ("我们五夜去找他", "我们", ("物业",)),  # the doubt is elsewhere
        ("半夜里很吵", "半夜", ("物业",)),  # another sound
        ("事情已经办好了", "已经", ("意境",)),  # a word everybody knows, not doubtful enough
        ("凤凰小区的车太多", "凤凰小区", ("凤凰小区",)),  # right already
        ("call me maybe", "maybe", ("美必",)),
        ("", "", ("凤凰小区",)),
        ("凤凰小趣的车", "凤凰小趣", ()),
        ("各位观众晚上好", "上好", ("要不要给三号楼加装电梯",)),  # numbers of a title are none of its words
    ],
)
def test_all_else_is_left_alone(said: str, doubtful: str, vocabulary: tuple[str, ...]) -> None:
    transcript = heard(said, doubtful, unsure=0.5)
    assert repair(transcript, vocabulary) is transcript


def test_times_and_doubt_stay_where_they_were() -> None:
    words = (
        Word("住在凤凰", 0.0, 0.8, 0.5),
        Word("小趣里", 0.8, 1.4, 0.5),
        Word("很好", 2.0, 2.4, 0.9),
    )
    put_right = repair(Transcript("x", words, "zh", "test", 0.6, 2.4), ("凤凰小区",))
    assert put_right.text == "住在凤凰小区里，很好。"
    place = [word for word in put_right.words if word.text == "凤凰小区"]
    assert [(word.start_seconds, word.end_seconds, word.confidence) for word in place] == [(0.4, 1.2, 0.5)]
    assert put_right.words[-1] == words[-1]
    assert all(before.end_seconds <= word.start_seconds for before, word in pairwise(put_right.words))
    assert put_right.confidence == 0.6


def test_a_longer_word_goes_before_a_shorter_one() -> None:
    said = heard("北大街到了", "北大街")
    assert repair(heard("北大姐到了", "北大姐"), ("大街", "北大街")).text == "北大街到了。"
    assert repair(said, ("北大街",)) is said
