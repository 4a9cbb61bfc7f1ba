from pathlib import Path

import pytest

from ivr.prompts.book import LANGUAGES, Book, PromptError, differences


def written(folder: Path, **books: str) -> list[Book]:
    for language, text in books.items():
        (folder / f"{language}.toml").write_text(text, "utf-8")
    return [Book.load(language, folder) for language in books]


def test_a_sentence_is_cut_at_its_values_and_loses_the_punctuation_it_would_begin_with(
    tmp_path: Path,
) -> None:
    (book,) = written(tmp_path, zh='"receipt.twice" = "您的受理号是{receipt}，再说一遍，{receipt}。"')
    assert book.sentence("receipt.twice") == "您的受理号是{receipt}，再说一遍，{receipt}。"
    assert book.placeholders("receipt.twice") == {"receipt"}
    assert book.fragments("receipt.twice") == (
        ("您的受理号是", False),
        ("receipt", True),
        ("再说一遍，", False),
        ("receipt", True),
    )


def test_ids_may_be_written_as_tables(tmp_path: Path) -> None:
    (book,) = written(tmp_path, zh='[topic]\nballot = """赞成请按1，\n 反对请按2。"""\n')
    assert book.ids == {"topic.ballot"}
    assert book.sentence("topic.ballot") == "赞成请按1， 反对请按2。"


def test_an_unknown_prompt_is_named_in_the_error(tmp_path: Path) -> None:
    (book,) = written(tmp_path, zh='a = "你好"')
    with pytest.raises(PromptError, match=r"no\.such"):
        book.sentence("no.such")


@pytest.mark.parametrize("text", ["not toml at all =", "number = 7", "list = ['a']"])
def test_a_broken_book_is_an_error_in_our_words(tmp_path: Path, text: str) -> None:
    with pytest.raises(PromptError):
        written(tmp_path, zh=text)


def test_a_book_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="wu"):
        Book.load("wu", tmp_path)


def test_books_that_do_not_match_are_told_apart(tmp_path: Path) -> None:
    books = written(tmp_path, zh='a = "{name}好"\nb = "好"', en='a = "hello"\nc = "fine"')
    assert differences(books) == [
        "a: placeholders differ between zh, en",
        "b: missing in en",
        "c: missing in zh",
    ]


def test_our_books_have_the_same_prompts_and_values() -> None:
    assert differences([Book.load(language) for language in LANGUAGES]) == []
