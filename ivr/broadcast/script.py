"""A programme as it will sound: items become parts; what is approved is the digest of these. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from ivr.dialogue.turns import Digits, Line, Text
from ivr.dialogue.wording import seconds
from ivr.prompts.book import Book
from ivr.prompts.pieces import Spoken, pieces

FORMAT = "1"
"""Raised when the same parts should sound otherwise: every approval ends with it."""

CHIME_SECONDS = 3.5
BETWEEN_ITEMS_SECONDS = 1.2


# --- items with their words, as the records hold them ---
@dataclass(frozen=True)
class Chime:
    """Our own sign that something is coming."""


@dataclass(frozen=True)
class Greeting:
    """Who speaks; `text` is a greeting of the programme's own."""

    community: str
    text: str = ""


@dataclass(frozen=True)
class OfTopic:
    """A topic in one minute: what it is about, or what was decided."""

    title: str
    background: str
    decision: str = ""


@dataclass(frozen=True)
class OfProgress:
    """What became of a topic."""

    title: str
    update: str


@dataclass(frozen=True)
class Notice:
    """Words of the community's own; in an emergency said twice."""

    text: str
    is_emergency: bool = False


@dataclass(frozen=True)
class Voice:
    """A resident's approved words, read aloud."""

    words: str


@dataclass(frozen=True)
class OwnVoice:
    """A resident's own voice. `stamp` differs as soon as its sound, or what is bleeped in it, does."""

    opinion_id: str
    stamp: str
    seconds: float


@dataclass(frozen=True)
class CallUs:
    """The number to call, and what to press."""

    number: str


Content = Chime | Greeting | OfTopic | OfProgress | Notice | Voice | OwnVoice | CallUs


# --- what is heard, in order ---
@dataclass(frozen=True)
class Said:
    """A sentence in the community's voice. `is_personal`: a resident's words.

    `reading` differs as soon as the community's own pronunciations in it do.
    """

    text: str
    is_slow: bool = False
    is_personal: bool = False
    reading: str = ""


@dataclass(frozen=True)
class Rest:
    """Nothing, for so long: the village has an echo."""

    seconds: float


Part = Chime | Said | OwnVoice | Rest


@dataclass(frozen=True)
class Script:
    """All that is heard of a programme, and by which voice."""

    language: str
    voice: str
    parts: tuple[Part, ...]

    @property
    def digest(self) -> str:
        """SHA-256 in hex of everything that is heard."""
        plain = [[type(part).__name__, asdict(part)] for part in self.parts]
        content = json.dumps([FORMAT, self.language, self.voice, plain], ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def seconds(self) -> float:
        """About how long it will be, before anything is rendered."""
        return sum(length_of(part) for part in self.parts)


def write_script(
    contents: Sequence[Content], language: str, voice: str, mark: Callable[[str], str] = lambda text: ""
) -> Script:
    """The script of a programme; `mark` gives a sentence's reading. Raises PromptError for want of one."""
    book = Book.load(language)
    parts: list[Part] = []
    for content in contents:
        if parts:
            parts.append(Rest(BETWEEN_ITEMS_SECONDS))
        parts += _parts(content, book)
    marked = (replace(one, reading=mark(one.text)) if isinstance(one, Said) else one for one in parts)
    return Script(language, voice, tuple(marked))


def seconds_of(content: Content, language: str) -> float:
    """About how long one item will be."""
    return sum(length_of(part) for part in _parts(content, Book.load(language)))


def length_of(part: Part) -> float:
    """About how long a part will be."""
    match part:
        case Chime():
            return CHIME_SECONDS
        case Said(text):
            return seconds(text)
        case OwnVoice() | Rest():
            return part.seconds


def _parts(content: Content, book: Book) -> Iterator[Part]:
    match content:
        case Chime():
            yield content
        case Greeting(community, text):
            yield from _say(_words(text) if text else _line("programme.greeting", name=community), book)
        case OfTopic(title, _, decision) if decision:
            yield from _say(_line("programme.decision", title=title, decision=decision), book)
        case OfTopic(title, background):
            yield from _say(_line("programme.topic", title=title, background=background), book)
        case OfProgress(title, update):
            yield from _say(_line("programme.progress", title=title, update=update), book)
        case Notice(text, is_emergency):
            prompt = "programme.emergency" if is_emergency else "programme.notice"
            yield from _say(_line(prompt, text=text), book)
        case Voice(words):
            yield from _say(_line("programme.voice", words=words), book, personal=words)
        case OwnVoice():
            yield from _say(Line("programme.own_voice"), book)
            yield content
        case CallUs(number):
            yield from _say(Line("programme.call", {"number": Digits(number)}), book)


def _say(line: Line, book: Book, personal: str = "") -> Iterator[Said]:
    for piece in pieces(line, book, {}):
        assert isinstance(piece, Spoken)  # no value of ours is a recording
        yield Said(piece.text, piece.is_slow, piece.text == personal.strip() != "")


def _words(text: str) -> Line:
    return _line("programme.words", text=text)


def _line(prompt: str, **values: str) -> Line:
    return Line(prompt, {name: Text(value) for name, value in values.items()})
