"""What a community sorts opinions by: the categories that come with the program, its own, and their words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from speech.lexicon import Entry, Lexicon, read_lexicon, sounds
from speech.tables import rows

OTHER = "其他"
OFF = "off"
OWN_WEIGHT = 3.0  # of a word that a community gave a category: as much as the lexicon's plainest
LONGEST_NAME, LONGEST_WORD, MOST_OWN, MOST_WORDS = 8, 12, 20, 60
_HAN = re.compile(r"[一-鿿A-Za-z0-9]+")


@dataclass(frozen=True)
class Kind:
    """A category that comes with the program, and its class among the seven of citizens' messages."""

    label: str
    class_name: str


@dataclass(frozen=True)
class Taxonomy:
    """The categories a community uses, 其他 last, and the words that speak for them."""

    labels: tuple[str, ...]
    lexicon: Lexicon


@cache
def shipped() -> tuple[Kind, ...]:
    """The categories that come with the program, in the order of the desk; 其他 last."""
    return tuple(Kind(*row) for row in rows(Path(__file__).with_name("taxonomy.tsv")))


LABELS = tuple(kind.label for kind in shipped())


def class_of(label: str) -> str | None:
    """The class of a shipped category among the seven of citizens' messages; None for a community's own."""
    return _classes().get(label)


def taxonomy(chosen: Mapping[str, str] | None = None) -> Taxonomy:
    """The categories of a community that chose so: by name `off`, or words of its own, between spaces."""
    return _taxonomy(tuple(sorted((chosen or {}).items())))


def typed_categories(text: str) -> dict[str, str]:
    """`电梯加装=off，鸽子=鸽子 喂鸽子` as it is kept. Raises ValueError for what is none.

    A shipped category can be switched off (but 其他) or be given more words; any other name is a new one.
    """
    pairs = [part.partition("=") for part in text.replace("，", ",").split(",") if part.strip()]
    chosen = {name.strip(): " ".join(words.split()) for name, _, words in pairs}
    for name, words in chosen.items():
        if not _HAN.fullmatch(name) or len(name) > LONGEST_NAME:
            raise ValueError(f"a category's name has up to {LONGEST_NAME} characters: {name!r}")
        if words == OFF and (name == OTHER or name not in LABELS):
            raise ValueError(f"{name!r} can't be switched off")
        _check_words(name, words)
    if len(chosen) > MOST_OWN + len(LABELS):
        raise ValueError(f"at most {MOST_OWN} categories of its own")
    return chosen


def _check_words(name: str, words: str) -> None:
    given = words.split()
    if not given or len(given) > MOST_WORDS:
        raise ValueError(f"{name!r} needs words, at most {MOST_WORDS}, with spaces between them")
    if not all(_HAN.fullmatch(word) and 2 <= len(word) <= LONGEST_WORD for word in given):
        raise ValueError(f"the words of {name!r} have 2 to {LONGEST_WORD} characters each")


@cache
def _classes() -> dict[str, str]:
    return {kind.label: kind.class_name for kind in shipped()}


@lru_cache(maxsize=64)
def _taxonomy(chosen: tuple[tuple[str, str], ...]) -> Taxonomy:
    own = {name: words.split() for name, words in chosen if words != OFF}
    off = {name for name, words in chosen if words == OFF}
    known = [label for label in LABELS if label not in off and label != OTHER]
    labels = (*known, *(name for name in own if name not in LABELS), OTHER)
    given = {word for words in own.values() for word in words}
    listed = read_lexicon("lexicon.tsv").entries
    entries = [one for one in listed if one.label not in off and one.word not in given]
    added = [Entry(name, word, OWN_WEIGHT, sounds(word)) for name, words in own.items() for word in words]
    return Taxonomy(labels, Lexicon((*entries, *added)))
