"""What can be measured in a sentence: how long it takes to say, which keys it names, what stands before."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ivr.dialogue.steps import Known, KnownSounds, Prompt
from ivr.dialogue.turns import Count, Digits, Recall, Sound, Text, Value

CHARACTERS_A_SECOND = 3.0
WORDS_A_SECOND = 2.5
UNKNOWN_LENGTH = "长" * 60  # stands for words or sound whose length nobody knows yet: 20 s
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")

_KEY = re.compile(
    r"按(?:一下)?(?:数字)?\s*([0-9]|星号|井号)|press (?:the )?([0-9]|star|hash)\b", re.IGNORECASE
)
_NAMES = {"星号": "*", "井号": "#", "star": "*", "hash": "#"}
_SENTENCE_ENDS = re.compile(r"(?<=[。；;？！?!])|(?<=\.)\s")
_CHARACTERS = re.compile(r"[\u4e00-\u9fff0-9]")
_WORDS = re.compile(r"[A-Za-z][A-Za-z']*")
_LEADS_NOWHERE = re.compile(r"^\W*(?:请|please|just)?\W*$", re.IGNORECASE)


class Sentences(Protocol):
    """A prompt book, as far as flows are checked and drawn with it."""

    @property
    def ids(self) -> frozenset[str]: ...

    def sentence(self, prompt_id: str) -> str: ...


@dataclass(frozen=True)
class Mention:
    """A key named in a text, and the words between it and the beginning of its sentence or the key before."""

    key: str
    end: int
    before: str

    @property
    def says_what_for(self) -> bool:
        """Whether something stands before the key that tells what it is for."""
        return not _LEADS_NOWHERE.match(self.before)


def words_of(prompt: Prompt, book: Sentences) -> str:
    """The sentence with its values filled in, as long as they may become."""
    values = {name: _longest(value) for name, value in prompt.values.items()}
    return PLACEHOLDER.sub(lambda name: values.get(name[1], ""), book.sentence(prompt.prompt))


def text_of(prompts: Iterable[Prompt], book: Sentences) -> str:
    """All of them, one after the other."""
    return " ".join(words_of(prompt, book) for prompt in prompts)


def mentions(text: str) -> tuple[Mention, ...]:
    """Every key the text names, in order."""
    found: list[Mention] = []
    start = 0
    for sentence in _SENTENCE_ENDS.split(text):
        begin = text.index(sentence, start)
        last = 0
        for key in _KEY.finditer(sentence):
            name = key[1] or key[2].lower()
            found.append(Mention(_NAMES.get(name, name), begin + key.end(), sentence[last : key.start()]))
            last = key.end()
        start = begin + len(sentence)
    return tuple(found)


def seconds(text: str) -> float:
    """How long it takes to say, at three characters or two and a half words a second."""
    return len(_CHARACTERS.findall(text)) / CHARACTERS_A_SECOND + len(_WORDS.findall(text)) / WORDS_A_SECOND


def _longest(value: Value | Known | KnownSounds) -> str:
    match value:
        case Text(text):
            return text
        case Digits(digits):
            return digits
        case Count(number):
            return str(number)
        case Recall():
            return "0" * 8
        case Sound() | Known() | KnownSounds():
            return UNKNOWN_LENGTH
