"""The words of the desk, in Chinese and English, chosen by the person who reads."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import cast

LANGUAGES = ("zh", "en")


@lru_cache(maxsize=1)
def all_words() -> dict[str, dict[str, str]]:
    """Every word of the desk by id, then by language: those of `words.toml` and of each `words_….toml`."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(Path(__file__).parent.glob("words*.toml")):
        content = cast(dict[str, dict[str, str]], tomllib.loads(path.read_text("utf-8")))
        if twice := found.keys() & content.keys():
            raise ValueError(f"{path.name} says {', '.join(sorted(twice))} a second time")
        found |= content
    return found


def known_word(word_id: str, language: str, otherwise: str) -> str:
    """The word of an id that comes from the records, or `otherwise` where the desk has no word for it."""
    return all_words().get(word_id, {}).get(language, otherwise)


def word(word_id: str, language: str, **values: object) -> str:
    """The word of that id in a language, its {placeholders} filled. A KeyError is a mistake of ours."""
    return all_words()[word_id][language].format(**values)
