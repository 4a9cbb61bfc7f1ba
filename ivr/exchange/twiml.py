"""Reads a TwiML document into verbs: the portable core that every platform we know executes alike, nothing
else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin
from xml.etree import ElementTree

from ivr.exchange.errors import TwimlError

PORTABLE = ("Say", "Play", "Gather", "Record", "Redirect", "Hangup", "Reject", "Dial")
KEYS = "0123456789*#"


@dataclass(frozen=True)
class Say:
    """Words for the synthesiser; `loop` 0 is without end."""

    text: str
    language: str = ""
    loop: int = 1


@dataclass(frozen=True)
class Play:
    """Sound at an absolute URL."""

    url: str
    loop: int = 1


Prompt = Say | Play


@dataclass(frozen=True)
class Gather:
    """Wait for keys while the prompts play. `num_digits` None is without limit; `finish_on` '' never ends
    early.
    """

    action: str
    method: str = "POST"
    timeout_seconds: float = 5
    finish_on: str = "#"
    num_digits: int | None = None
    prompts: tuple[Prompt, ...] = ()


@dataclass(frozen=True)
class Record:
    """Record until silence, a key of `finish_on`, `max_seconds` or hang-up."""

    action: str
    method: str = "POST"
    silence_seconds: float = 5
    finish_on: str = "1234567890*#"
    max_seconds: int = 3600
    has_beep: bool = True
    status_callback: str = ""


@dataclass(frozen=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


@dataclass(frozen=True)
class Hangup:
    """End the call."""


@dataclass(frozen=True)
class Reject:
    """Do not answer the call at all."""

    reason: Literal["rejected", "busy"] = "rejected"


@dataclass(frozen=True)
class Dial:
    """Ring a person; `action` '' goes on with the next verb."""

    number: str
    action: str = ""
    method: str = "POST"
    timeout_seconds: float = 30


Verb = Say | Play | Gather | Record | Redirect | Hangup | Reject | Dial


@dataclass(frozen=True)
class Document:
    """The verbs of one answer and the URL they came from."""

    url: str
    verbs: tuple[Verb, ...]

    def sounds(self) -> tuple[str, ...]:
        """The URLs of all clips, in the order they will be heard."""
        return tuple(prompt.url for prompt in self._prompts() if isinstance(prompt, Play))

    def words(self) -> tuple[tuple[str, str], ...]:
        """What is left to the synthesiser: (words, language), in the order they will be heard."""
        return tuple((prompt.text, prompt.language) for prompt in self._prompts() if isinstance(prompt, Say))

    def _prompts(self) -> list[Verb]:
        return [
            each for verb in self.verbs for each in (verb.prompts if isinstance(verb, Gather) else (verb,))
        ]


def parse(text: str, url: str) -> Document:
    """Read the TwiML `text` that was answered at `url`, against which relative addresses are resolved.

    Raises TwimlError naming the verb or value we cannot execute.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise TwimlError("TwiML must not declare a document type")
    try:
        root = ElementTree.fromstring(text.strip())
    except ElementTree.ParseError as error:
        raise TwimlError(f"not XML: {error}") from error
    if root.tag != "Response":
        raise TwimlError(f"TwiML begins with <Response>, not <{root.tag}>")
    return Document(url, tuple(_verb(element, url) for element in root))


def _verb(element: ElementTree.Element, base: str) -> Verb:
    match element.tag:
        case "Say" | "Play":
            return _prompt(element, base)
        case "Gather":
            return _gather(element, base)
        case "Record":
            return _record(element, base)
        case "Redirect":
            return Redirect(urljoin(base, _words(element)) if _words(element) else base, _method(element))
        case "Hangup":
            return Hangup()
        case "Reject":
            return Reject("busy" if element.get("reason") == "busy" else "rejected")
        case "Dial":
            return _dial(element, base)
    raise TwimlError(f"<{element.tag}> is outside the portable core ({', '.join(PORTABLE)})")


def _prompt(element: ElementTree.Element, base: str) -> Prompt:
    words, loop = _words(element), int(_number(element, "loop", 1, least=0))
    if element.tag == "Say":
        return Say(words, element.get("language", ""), loop)
    if not words:
        raise TwimlError("<Play> needs the URL of a sound")
    return Play(urljoin(base, words), loop)


def _gather(element: ElementTree.Element, base: str) -> Gather:
    if element.get("input", "dtmf") != "dtmf":
        raise TwimlError('<Gather input> may only be "dtmf": speech is not portable')
    for child in element:
        if child.tag not in ("Say", "Play"):
            raise TwimlError(f"<{child.tag}> cannot stand inside <Gather>, only Say and Play")
    count = element.get("numDigits")
    return Gather(
        action=urljoin(base, element.get("action", "")) or base,
        method=_method(element),
        timeout_seconds=_number(element, "timeout", 5, least=0),
        finish_on=_keys(element, "#"),
        num_digits=None if count is None else int(_number(element, "numDigits", 1, least=1)),
        prompts=tuple(_prompt(child, base) for child in element),
    )


def _record(element: ElementTree.Element, base: str) -> Record:
    callback = element.get("recordingStatusCallback", "")
    return Record(
        action=urljoin(base, element.get("action", "")) or base,
        method=_method(element),
        silence_seconds=_number(element, "timeout", 5, least=0),
        finish_on=_keys(element, "1234567890*#"),
        max_seconds=int(_number(element, "maxLength", 3600, least=1)),
        has_beep=_claim(element, "playBeep", default=True),
        status_callback=urljoin(base, callback) if callback else "",
    )


def _dial(element: ElementTree.Element, base: str) -> Dial:
    targets = list(element)
    if any(target.tag not in ("Number", "Sip") for target in targets) or len(targets) > 1:
        raise TwimlError("<Dial> takes one <Number> or <Sip>")
    number = _words(targets[0]) if targets else _words(element)
    if not number:
        raise TwimlError("<Dial> needs a number")
    action = element.get("action", "")
    return Dial(
        number,
        urljoin(base, action) if action else "",
        _method(element),
        _number(element, "timeout", 30, least=1),
    )


def _words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def _method(element: ElementTree.Element) -> str:
    method = element.get("method", "POST").upper()
    if method not in ("GET", "POST"):
        raise TwimlError(f"<{element.tag} method> must be GET or POST")
    return method


def _number(element: ElementTree.Element, name: str, default: float, *, least: float) -> float:
    given = element.get(name)
    if given is None:
        return default
    try:
        value = float(given)
    except ValueError as error:
        raise TwimlError(f"<{element.tag} {name}> is not a number") from error
    if not least <= value <= 86_400:
        raise TwimlError(f"<{element.tag} {name}> is out of range")
    return value


def _keys(element: ElementTree.Element, default: str) -> str:
    keys = element.get("finishOnKey", default)
    if any(key not in KEYS for key in keys):
        raise TwimlError(f"<{element.tag} finishOnKey> names a key no telephone has")
    return keys


def _claim(element: ElementTree.Element, name: str, *, default: bool) -> bool:
    given = element.get(name, "true" if default else "false").lower()
    if given not in ("true", "false"):
        raise TwimlError(f"<{element.tag} {name}> must be true or false")
    return given == "true"
