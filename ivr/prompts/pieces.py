"""From a line of the dialogue to the clips that say it: words, values, digits; a count with its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from ivr.dialogue.turns import Count, Digits, Line, Recall, Sound, Text, Value
from ivr.prompts.book import Book, PromptError
from speech.reading import read_count, read_digits


@dataclass(frozen=True)
class Spoken:
    """Words said as one clip. `text` is also its caption."""

    text: str
    is_slow: bool = False


Piece = Spoken | Sound

COUNTED = "count"
"""The value that is said in one clip with the words around it: on a telephone a 两 by itself is lost."""

_LAST_MARK = re.compile(r"(.*[，。；,.;])?(.*)", re.DOTALL)


def pieces(line: Line, book: Book, memory: Mapping[str, str]) -> tuple[Piece, ...]:
    """The clips of `line` in order. Raises `PromptError` for an unknown prompt or a missing value."""
    return tuple(_pieces(line, book, memory))


def _pieces(line: Line, book: Book, memory: Mapping[str, str]) -> Iterator[Piece]:
    said: list[str] = []
    for words, is_value in book.fragments(line.prompt):
        value = line.values.get(words) if is_value else None
        if not is_value:
            said.append(words)
        elif value is None:
            raise PromptError(f"the prompt {line.prompt!r} lacks its value {words!r}")
        elif words == COUNTED and isinstance(value, Count):
            before, near = _LAST_MARK.fullmatch("".join(said)).groups()  # type: ignore[union-attr]
            yield from _in_one([before] if before else [], line.is_slow, book.language)
            said = [*([near.strip()] if near.strip() else []), count_words(value.number, book.language)]
        else:
            yield from _in_one(said, line.is_slow, book.language)
            yield from _say(value, line.is_slow, memory, book.language)
            said = []
    yield from _in_one(said, line.is_slow, book.language)


def _in_one(said: Sequence[str], is_slow: bool, language: str) -> Iterator[Spoken]:
    if said:
        yield Spoken(("" if language == "zh" else " ").join(said), is_slow)


def counted_texts(prompt_id: str, book: Book, numbers: Iterable[int]) -> Iterator[str]:
    """The clips of a prompt that hold its count, for each of these numbers."""
    others = {name: Text("") for name in book.placeholders(prompt_id)}
    for number in numbers:
        for piece in pieces(Line(prompt_id, {**others, COUNTED: Count(number)}), book, {}):
            if isinstance(piece, Spoken):
                yield piece.text


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
    """Digit by digit, always slow, a longer pause between groups: `35710028` is 三 五 七 幺；零 零 二 八."""
    kept = "".join(character for character in digits if character.isdecimal())
    ends = set(accumulate(map(len, read_digits(kept)))) - {len(kept)}
    for place, digit in enumerate(kept, start=1):
        said = digit_words(digit, language)
        yield Spoken(ending(said, language) if place in ends else said, is_slow=True)


def digit_words(digit: str, language: str) -> str:
    """A digit as it is said: 三, 幺; in English left to the voice."""
    return "".join(read_digits(digit)) if language == "zh" else digit


def ending(digit: str, language: str) -> str:
    """The same digit at the end of a group: `speech.pacing` pauses longer behind a semicolon."""
    return f"{digit}；" if language == "zh" else f"{digit};"


def count_words(number: int, language: str) -> str:
    """A quantity as it is said: 两, 十二; in English left to the voice."""
    return read_count(number) if language == "zh" else str(number)
