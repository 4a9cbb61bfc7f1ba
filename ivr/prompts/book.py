"""The prompt book: every sentence a call can say, by id and language, with {placeholders} for values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

LANGUAGES = ("zh", "en")

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
_EDGE = re.compile(r"^[\s，。、；：！？,.;:!?…]+")
_SAYABLE = re.compile(r"\w")


class PromptError(Exception):
    """A sentence, a value or a clip that should be there is not."""


@dataclass(frozen=True)
class Book:
    """The sentences of one language. `sentences` maps a prompt id (`topic.ballot`) to its sentence."""

    language: str
    sentences: Mapping[str, str]

    @classmethod
    def load(cls, language: str = "zh", folder: Path | None = None) -> Book:
        """The book of `language` from `folder` (default ours). Raises `PromptError` if unreadable."""
        return _load(language, folder or Path(__file__).parent)

    @cached_property
    def ids(self) -> frozenset[str]:
        """All prompt ids."""
        return frozenset(self.sentences)

    def sentence(self, prompt_id: str) -> str:
        """The sentence of `prompt_id` with its placeholders. Raises `PromptError` for an unknown id."""
        try:
            return self.sentences[prompt_id]
        except KeyError as missing:
            raise PromptError(f"no prompt {prompt_id!r} in the {self.language} book") from missing

    def placeholders(self, prompt_id: str) -> frozenset[str]:
        """The names of the values that `prompt_id` needs."""
        return frozenset(_PLACEHOLDER.findall(self.sentence(prompt_id)))

    def fragments(self, prompt_id: str) -> tuple[tuple[str, bool], ...]:
        """The sentence cut at its placeholders, in order: (fixed words, False) or (value's name, True).

        Fixed words lose the punctuation they begin with; those without a letter or digit are left out.
        """
        known = self._fragments.get(prompt_id)
        if known is None:
            known = self._fragments[prompt_id] = tuple(self._cut(prompt_id))
        return known

    @cached_property
    def _fragments(self) -> dict[str, tuple[tuple[str, bool], ...]]:
        """What was cut so far."""
        return {}

    def _cut(self, prompt_id: str) -> Iterator[tuple[str, bool]]:
        for place, part in enumerate(_PLACEHOLDER.split(self.sentence(prompt_id))):
            if place % 2:
                yield part, True
            elif _SAYABLE.search(part):
                yield _EDGE.sub("", part).strip(), False


@lru_cache
def _load(language: str, folder: Path) -> Book:
    path = folder / f"{language}.toml"
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as cause:
        raise PromptError(f"the prompt book {path.name} cannot be read: {cause}") from cause
    return Book(language, dict(_flat(tables)))


def _flat(tables: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tables.items():
        match value:
            case str():
                yield prefix + key, " ".join(value.split())
            case dict():
                yield from _flat(value, f"{prefix}{key}.")
            case _:
                raise PromptError(f"prompt {prefix + key!r} is not a sentence")


def differences(books: Sequence[Book]) -> list[str]:
    """What keeps these books from being translations of each other: ids or placeholders not in all."""
    everything = sorted(frozenset[str]().union(*(book.ids for book in books)))
    found = []
    for prompt_id in everything:
        having = [book for book in books if prompt_id in book.ids]
        absent = [book.language for book in books if prompt_id not in book.ids]
        if absent:
            found.append(f"{prompt_id}: missing in {', '.join(absent)}")
        if len({book.placeholders(prompt_id) for book in having}) > 1:
            found.append(f"{prompt_id}: placeholders differ between {', '.join(b.language for b in having)}")
    return found
