"""Commas and full stops for recognised Chinese words, from the pauses between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Protocol

COMMA_PAUSE_SECONDS = 0.35
STOP_PAUSE_SECONDS = 1.2
MARKS = "，。？！、；：,.?!;:…"
ASKING = ("吗", "呢", "么", "为什么", "怎么办", "行不行", "好不好", "是不是", "能不能", "可不可以")
FULL_WIDTH = str.maketrans(",?!;:", "，？！；：")


class Timed(Protocol):
    """A word and when it was said."""

    @property
    def text(self) -> str: ...
    @property
    def start_seconds(self) -> float: ...
    @property
    def end_seconds(self) -> float: ...


def punctuate(words: Sequence[Timed]) -> str:
    """The words as one text. Marks that the engine wrote stand; pauses give the missing ones.

    Returns an empty string when there is nothing but marks.
    """
    if not any(any(letter.isalnum() for letter in word.text) for word in words):
        return ""
    text = words[0].text
    for before, word in pairwise(words):
        text += _mark(text, word.start_seconds - before.end_seconds) + _space(text, word.text) + word.text
    text = _mend(text.strip(MARKS + " "))
    return text + _ending(text)


def _mark(text: str, pause: float) -> str:
    if text[-1] in MARKS or pause < COMMA_PAUSE_SECONDS:
        return ""
    return "，" if pause < STOP_PAUSE_SECONDS else _ending(text)


def _space(text: str, word: str) -> str:
    """Scripts other than Chinese part their words."""
    is_letters = text[-1].isalpha() and word[0].isalpha()
    return " " if is_letters and not _has_han(text[-1] + word[0]) else ""


def _ending(text: str) -> str:
    if not _has_han(text):
        return "."
    return "？" if text.endswith(ASKING) else "。"


def _has_han(text: str) -> bool:
    return any("\u4e00" <= letter <= "\u9fff" for letter in text)


def _mend(text: str) -> str:
    """Full-width marks in Chinese text, and never two marks in a row."""
    if _has_han(text):
        text = text.translate(FULL_WIDTH)
    mended = ""
    for letter in text:
        if not (letter in MARKS and mended and mended[-1] in MARKS):
            mended += letter
    return mended
