"""Sentences of our own with what is private in them marked, as they were said and as they were heard."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from speech.tables import rows

EXAMPLES = Path(__file__).with_name("private_examples.tsv")
MARKS = {"name": ("[", "]"), "address": ("{", "}"), "number": ("<", ">")}
_KINDS = {opening: kind for kind, (opening, _) in MARKS.items()}
_MARKED = re.compile(r"\[[^]]*]|\{[^}]*}|<[^>]*>")


@dataclass(frozen=True)
class Marked:
    """A text, and what is private in it: start, end, kind (of MARKS)."""

    text: str
    private: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True)
class Example:
    """A sentence, and what our recognizer made of it over the telephone; empty where nobody has said it."""

    said: Marked
    heard: tuple[Marked, ...] = ()


def examples(table: Path = EXAMPLES) -> list[Example]:
    """One a row: as it was said, then as it was heard, the likeliest first."""
    return [Example(marked(said), tuple(map(marked, heard))) for said, *heard in rows(table)]


def marked(text: str) -> Marked:
    """我是[张瑞生]，住{东里3号楼201}: without its marks."""
    plain, private, last = "", [], 0
    for match in _MARKED.finditer(text):
        plain += text[last : match.start()]
        stretch = match[0][1:-1]
        private.append((len(plain), len(plain) + len(stretch), _KINDS[match[0][0]]))
        plain, last = plain + stretch, match.end()
    return Marked(plain + text[last:], tuple(private))


def with_marks(one: Marked) -> str:
    """The text with its marks: what `marked` reads."""
    text, last = "", 0
    for start, end, kind in sorted(one.private):
        text += one.text[last:start] + MARKS[kind][0] + one.text[start:end] + MARKS[kind][1]
        last = end
    return text + one.text[last:]
