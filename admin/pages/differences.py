"""What differs between two texts, in pieces that a page can mark; and what of a text will be hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby


@dataclass(frozen=True)
class Piece:
    """A stretch of text: `same`, `gone` (only before), `new` (only after), `hidden` or `shown`."""

    kind: str
    text: str


def differences(before: str, after: str) -> list[Piece]:
    """The way from one text to the other, in the order of reading; what is gone stands before what is new."""
    return list(_differences(before, after))


def hidden_pieces(text: str, hidden: Collection[int]) -> list[Piece]:
    """The text with the places that nobody outside may read set apart."""
    runs = groupby(enumerate(text), key=lambda one: one[0] in hidden)
    return [Piece("hidden" if is_hidden else "shown", "".join(c for _, c in run)) for is_hidden, run in runs]


def _differences(before: str, after: str) -> Iterator[Piece]:
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            yield Piece("same", before[a:b])
            continue
        if b > a:
            yield Piece("gone", before[a:b])
        if d > c:
            yield Piece("new", after[c:d])
