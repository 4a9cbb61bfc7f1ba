"""What is hidden in the text can't be heard in the sound; the rest can."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speech.audio import Audio
from speech.bleep import TONE_HERTZ, Interval, bleep, hidden_intervals, hidden_letters
from speech.errors import SpeechError
from speech.recognize import Word
from speech.redact import redact

RATE = 8_000
LETTER, PAUSE = 0.2, 0.05  # seconds
RAW = "我是张建国，电话13912345678，门口的路灯坏了"


def spoken(text: str, at: float = 0.0) -> list[Word]:
    """Every letter a word of its own, at an even pace."""
    letters = [letter for letter in text if letter.isalnum()]
    starts = [at + n * (LETTER + PAUSE) for n in range(len(letters))]
    return [Word(one, start, start + LETTER, 0.9) for one, start in zip(letters, starts, strict=True)]


def length(words: Sequence[Word]) -> float:
    return words[-1].end_seconds + 0.5


def covered(intervals: Sequence[Interval], word: Word) -> bool:
    """Whether nothing of a word is left."""
    return any(
        one.start_seconds <= word.start_seconds and word.end_seconds <= one.end_seconds for one in intervals
    )


def heard(intervals: Sequence[Interval], word: Word) -> bool:
    return not any(
        one.start_seconds < word.end_seconds and word.start_seconds < one.end_seconds for one in intervals
    )


def test_the_tone_replaces_the_sound_and_nothing_else() -> None:
    times = np.arange(RATE * 3) / RATE
    voice = Audio((0.5 * np.sin(2 * np.pi * 1_000 * times)).astype(np.float32), RATE)
    hidden = bleep(voice, [Interval(1.0, 1.5), Interval(2.8, 9.0)])
    assert (len(hidden.samples), hidden.rate) == (len(voice.samples), RATE)
    assert strength(hidden, 1.0, 1.5, 1_000) < 0.001
    assert strength(hidden, 1.0, 1.5, TONE_HERTZ) > 0.02
    assert strength(hidden, 2.8, 3.0, 1_000) < 0.001
    for start, end in ((0.0, 0.95), (1.55, 2.75)):
        first, last = int(start * RATE), int(end * RATE)
        assert np.array_equal(hidden.samples[first:last], voice.samples[first:last])
    assert np.abs(np.diff(hidden.samples)).max() < 0.8  # the voice itself steps by 0.37: no click anywhere
    assert np.abs(hidden.samples[int(1.0 * RATE) : int(1.5 * RATE)]).max() < 0.1  # soft


def strength(sound: Audio, start: float, end: float, hertz: float) -> float:
    """How much of one pitch is in a stretch of sound."""
    part = sound.samples[int(start * sound.rate) : int(end * sound.rate)].astype(np.float64)
    times = np.arange(len(part)) / sound.rate
    return float(abs(np.mean(part * np.exp(-2j * np.pi * hertz * times))))


def test_redacted_spans_are_found_in_time() -> None:
    words = spoken(RAW)
    intervals = hidden_intervals(RAW, hidden_letters(RAW, redact(RAW).text), words, length(words))
    by_text = {word.text: word for word in words}
    assert all(covered(intervals, by_text[letter]) for letter in "张建国139")
    assert all(heard(intervals, by_text[letter]) for letter in "的路灯坏了我")


@pytest.mark.parametrize(
    ("machine", "private", "plain"),
    [
        ("收件人写要知名寄到那里就好了谢谢", "要知名", "收件就好谢"),
        (
            "路灯坏了身份证号470680197亿不对是197亿01250090请查查看",
            "470680197亿不对是197亿01250090",
            "路灯查看",
        ),
        ("我妈妈住在解放录63弄4号1120一个人住请来看看", "解放录63弄4号1120", "我妈请来看"),
        ("堵门的车牌号是晚安服务机爱吃七七天天乱停在门口", "晚安服务机爱吃七七", "堵门乱停在口"),
    ],
)
def test_what_is_hidden_though_misheard_is_bleeped_where_it_was_heard(
    machine: str, private: str, plain: str
) -> None:
    words = spoken(machine)
    intervals = hidden_intervals(machine, hidden_letters(machine, redact(machine).text), words, length(words))
    first = machine.index(private)
    assert all(covered(intervals, word) for word in words[first : first + len(private)])
    others = [*words[: first - 2], *words[first + len(private) + 2 :]]
    assert {word.text for word in others if heard(intervals, word)} >= set(plain)


def test_nothing_hidden_nothing_bleeped() -> None:
    words = spoken("门口的路灯坏了")
    assert hidden_intervals("门口的路灯坏了。", frozenset(), words, length(words)) == ()


def test_what_a_person_cut_out_of_the_public_text_is_cut_out_of_the_sound() -> None:
    text = "我家老头子住院了，门口的路灯坏了没人修"
    words = spoken(text)
    hidden = hidden_letters(text, "门口的路灯坏了没人修")
    intervals = hidden_intervals(text, hidden, words, length(words))
    assert all(covered(intervals, word) for word in words[:8])
    assert all(heard(intervals, word) for word in words[10:])


def test_a_name_the_machine_did_not_hear_is_hidden_between_its_neighbours() -> None:
    words = spoken("我叫张建国路灯坏了很久了")
    machine = words[:2] + words[5:]  # the name is missing, its time is there
    text = "我叫张建国，路灯坏了很久了"
    intervals = hidden_intervals(text, hidden_letters(text, redact(text).text), machine, length(words))
    assert all(covered(intervals, word) for word in words[2:5])
    assert heard(intervals, words[8])


def test_where_the_machine_left_no_time_for_the_name_its_neighbours_go_too() -> None:
    text = "请找张建国修路灯好不好"
    machine = spoken("请找修路灯好不好")
    intervals = hidden_intervals(text, hidden_letters(text, redact(text).text), machine, length(machine))
    assert covered(intervals, machine[1])
    assert covered(intervals, machine[2])
    assert heard(intervals, machine[-1])


def test_what_the_machine_misheard_and_a_person_corrected_is_placed() -> None:
    text = "我叫张建国，门口的路灯坏了很久"
    words = spoken("我叫章见过门口的路等坏了很久")
    intervals = hidden_intervals(text, hidden_letters(text, redact(text).text), words, length(words))
    assert all(covered(intervals, word) for word in words[2:5])
    assert heard(intervals, words[9])  # 等 for 灯: corrected, and nothing private


def test_what_was_heard_and_stands_nowhere_is_hidden() -> None:
    words = spoken("路灯坏了三号楼的老王知道很久没人修")
    intervals = hidden_intervals("路灯坏了，很久没人修", frozenset(), words, length(words))
    assert all(covered(intervals, word) for word in words[4:12])
    assert heard(intervals, words[1])
    assert heard(intervals, words[-1])


def test_a_word_that_is_partly_hidden_is_hidden_whole() -> None:
    words = [Word("路灯", 0.0, 0.5, 0.9), Word("找张建国", 2.0, 3.0, 0.9), Word("来修吧好吗", 5.0, 6.0, 0.9)]
    text = "路灯找张建国来修吧好吗"
    hidden = frozenset(range(3, 6))
    assert covered(hidden_intervals(text, hidden, words, 7.0), words[1])


@pytest.mark.parametrize("machine", ["", "今天天气很好我们去公园散步"])
def test_what_cannot_be_laid_side_by_side_is_refused(machine: str) -> None:
    with pytest.raises(SpeechError) as refused:
        hidden_intervals(RAW, frozenset({2, 3, 4}), spoken(machine) if machine else [], 10.0)
    assert refused.value.permanent


LETTERS = "".join(chr(0x4E00 + 7 * n) for n in range(120)) + "三五"


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(alphabet=LETTERS, min_size=6, max_size=40),
    span=st.tuples(st.integers(0, 39), st.integers(1, 8)),
    faults=st.lists(st.sampled_from(["right"] * 12 + ["other", "missing"]), min_size=40, max_size=40),
    others=st.text(alphabet=LETTERS, min_size=40, max_size=40),
)
def test_however_the_machine_errs_a_hidden_word_is_covered_or_all_is_refused(
    text: str, span: tuple[int, int], faults: list[str], others: str
) -> None:
    first = span[0] % len(text)
    hidden = frozenset(range(first, min(len(text), first + span[1])))
    truth = spoken(text)
    machine = [
        Word(others[n], word.start_seconds, word.end_seconds, 0.5) if faults[n] == "other" else word
        for n, word in enumerate(truth)
        if faults[n] != "missing"
    ]
    try:
        intervals = hidden_intervals(text, hidden, machine, length(truth))
    except SpeechError:
        return
    missed = [n for n in sorted(hidden) if not covered(intervals, truth[n])]
    assert not missed, (text, [word.text for word in machine], intervals)
