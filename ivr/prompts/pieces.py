"""From a line of the dialogue to the clips that say it: fixed words, values and digits, each its own clip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ivr.dialogue.turns import Count, Digits, Line, Recall, Sound, Text, Value
from ivr.prompts.book import Book, PromptError
from speech.reading import read_count, read_digits


@dataclass(frozen=True)
class Spoken:
    """Words said as one clip. `text` is also its caption."""

    text: str
    is_slow: bool = False


Piece = Spoken | Sound


def pieces(line: Line, book: Book, memory: Mapping[str, str]) -> tuple[Piece, ...]:
    """The clips of `line` in order. Raises `PromptError` for an unknown prompt or a missing value."""
    return tuple(_pieces(line, book, memory))


def _pieces(line: Line, book: Book, memory: Mapping[str, str]) -> Iterator[Piece]:
    for words, is_value in book.fragments(line.prompt):
        if not is_value:
            yield Spoken(words, line.is_slow)
        elif words in line.values:
            yield from _say(line.values[words], line.is_slow, memory, book.language)
        else:
            raise PromptError(f"the prompt {line.prompt!r} lacks its value {words!r}")


def _say(value: Value, is_slow: bool, memory: Mapping[str, str], language: str) -> Iterator[Piece]:
    match value:
        case Text(text):
            if text.strip():
                yield Spoken(text.strip(), is_slow)
        case Digits(digits):
            yield from digit_pieces(digits, language)
        case Recall(name):
            if name not in memory:
                raise PromptError(f"nothing is remembered as {name!r}")
            yield from digit_pieces(memory[name], language)
        case Count(number):
            yield Spoken(count_words(number, language), is_slow)
        case Sound():
            yield value


def digit_pieces(digits: str, language: str) -> Iterator[Spoken]:
    """Pairs of digits, always slow: `3571` is 三五 · 七幺. A last single digit stands alone."""
    kept = "".join(character for character in digits if character.isdecimal())
    for start in range(0, len(kept), 2):
        yield Spoken(digit_words(kept[start : start + 2], language), is_slow=True)


def digit_words(digits: str, language: str) -> str:
    """One or two digits as they are said: 三五, 七幺; in English left to the voice: `3 5`."""
    return "".join(read_digits(digits)) if language == "zh" else " ".join(digits)


def count_words(number: int, language: str) -> str:
    """A quantity as it is said: 两, 十二; in English left to the voice."""
    return read_count(number) if language == "zh" else str(number)
