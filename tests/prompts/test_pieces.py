from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.dialogue.turns import Count, Line, Recall, Sound, Text
from ivr.prompts.book import Book, PromptError
from ivr.prompts.pieces import Spoken, count_words, counted_texts, digit_pieces, digit_words, pieces
from ivr.prompts.wanted import digit_clips

BOOK = Book(
    "zh",
    {
        "hello": "您好。",
        "greeting": "您好，这里是{community}。",
        "receipt.twice": "您的受理号是{receipt}，再说一遍，{receipt}。",
        "topics": "现在有{number}个话题。",
        "voice": "{voice}",
        "two": "{first}，{second}",
        "result": "选{option}的人，一共有{count}位。",
    },
)


def test_a_sentence_without_values_is_one_clip() -> None:
    assert pieces(Line("hello"), BOOK, {}) == (Spoken("您好。"),)
    assert pieces(Line("hello", is_slow=True), BOOK, {}) == (Spoken("您好。", is_slow=True),)


def test_a_text_is_a_clip_of_its_own_so_that_a_new_title_renders_only_itself() -> None:
    line = Line("greeting", {"community": Text(" 桃源社区 ")})
    assert pieces(line, BOOK, {}) == (Spoken("您好，这里是"), Spoken("桃源社区"))


def test_a_receipt_is_read_twice_digit_by_digit_in_two_groups() -> None:
    said = pieces(Line("receipt.twice", {"receipt": Recall("receipt")}), BOOK, {"receipt": "35170028"})
    number = tuple(
        Spoken(digit, is_slow=True) for digit in ("三", "五", "幺", "七；", "零", "零", "二", "八")
    )
    assert said == (Spoken("您的受理号是"), *number, Spoken("再说一遍，"), *number)


def test_a_number_that_was_typed_with_spaces_is_read_the_same() -> None:
    assert tuple(digit_pieces("571-12 3", "zh")) == tuple(digit_pieces("571123", "zh"))
    assert [piece.text for piece in digit_pieces("110", "zh")] == ["幺", "幺", "零"]
    assert [piece.text for piece in digit_pieces("394058", "en")] == ["3", "9", "4;", "0", "5", "8"]


def test_a_quantity_is_a_clip_by_rule() -> None:
    assert pieces(Line("topics", {"number": Count(2)}), BOOK, {})[1] == Spoken("两")
    result = Line("result", {"option": Text("老粮站"), "count": Count(2)})
    said = ("选", "老粮站", "的人，", "一共有两位。")  # no clip for every number and every other sentence
    assert pieces(result, BOOK, {}) == tuple(map(Spoken, said))
    counted = set(counted_texts("result", BOOK, (0, 12)))
    assert counted == {"选", "的人，", "一共有零位。", "一共有十二位。"}
    english = Book("en", {"result": "In favour: {count}."})
    assert pieces(Line("result", {"count": Count(2)}), english, {}) == (Spoken("In favour: 2"),)
    assert count_words(12, "zh") == "十二"
    assert count_words(2, "en") == "2"


def test_a_neighbours_own_voice_is_played() -> None:
    assert pieces(Line("voice", {"voice": Sound("rc_1")}), BOOK, {}) == (Sound("rc_1"),)


def test_values_side_by_side_leave_no_clip_of_bare_punctuation() -> None:
    line = Line("two", {"first": Text("甲"), "second": Text("乙")})
    assert pieces(line, BOOK, {}) == (Spoken("甲"), Spoken("乙"))


def test_an_empty_text_is_no_clip() -> None:
    assert pieces(Line("voice", {"voice": Text("  ")}), BOOK, {}) == ()


@pytest.mark.parametrize(
    ("line", "memory"),
    [(Line("nothing"), {}), (Line("greeting"), {}), (Line("voice", {"voice": Recall("receipt")}), {})],
)
def test_what_is_missing_is_said_in_our_words(line: Line, memory: dict[str, str]) -> None:
    with pytest.raises(PromptError):
        pieces(line, BOOK, memory)


@given(st.text("0123456789", min_size=1, max_size=12))
def test_no_digit_is_lost_or_added(digits: str) -> None:
    clips = [piece.text for piece in digit_pieces(digits, "zh")]
    assert {*clips} <= {*digit_clips("zh")}  # rendered ahead
    said = "".join(clips).replace("；", "")
    assert len(said) == len(digits)
    assert said == "".join(digit_words(digit, "zh") for digit in digits)


def test_the_book_folder_is_the_packages_own(tmp_path: Path) -> None:
    (tmp_path / "zh.toml").write_text('a = "别的"', "utf-8")
    assert Book.load("zh", tmp_path).sentences == {"a": "别的"}
