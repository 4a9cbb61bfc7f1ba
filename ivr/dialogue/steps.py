"""The kinds of steps a call is made of: a flow is a table of these, and every one is plain data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ivr.dialogue.keeps import Keep
from ivr.dialogue.turns import Value

Memory = Mapping[str, str]
Intent = Keep | Callable[[Memory], Keep]
Rule = Callable[[Memory], str]


@dataclass(frozen=True)
class Known:
    """A fact in the place's memory, read aloud as words."""

    name: str


@dataclass(frozen=True)
class KnownSounds:
    """Recordings whose ids lie in memory, separated by spaces: the prompt is spoken once for each."""

    name: str


@dataclass(frozen=True)
class Prompt:
    """A prompt id and the values inside its sentence, as a step of the table holds them."""

    prompt: str
    values: Mapping[str, Value | Known | KnownSounds] = field(default_factory=dict)
    is_slow: bool = False


Says = str | Prompt | tuple[str | Prompt, ...]


def prompt(name: str, /, **values: Value | Known | KnownSounds) -> Prompt:
    """`prompt("greeting", name=Text("…"))`: short to write in a table."""
    return Prompt(name, values)


# --- steps the call passes through ---
@dataclass(frozen=True)
class Say:
    """Says something and goes on; a key pressed meanwhile counts for the step that waits next."""

    says: Says
    then: str


@dataclass(frozen=True)
class Remember:
    """Writes facts into the place's memory and goes on."""

    facts: Mapping[str, str | Known]
    then: str


@dataclass(frozen=True)
class Choose:
    """Goes on by a pure rule over the place's memory."""

    rule: Rule
    then: Mapping[str, str]
    otherwise: str


# --- steps the call waits at ---
@dataclass(frozen=True)
class Listen:
    """Something to listen to: a digit or `#` only skips to its end; `keep` once it was heard or skipped."""

    says: Says
    then: str
    keep: tuple[Intent, ...] = ()


@dataclass(frozen=True)
class Menu:
    """A question with numbered answers. `#` goes on to `next`, waiting to `silence` (by default `next`, too).

    A silent caller hears it again, slower, `patience` times before going on. `*`, `9` and `0` always work.
    """

    says: Says
    keys: Mapping[str, str]
    next: str
    silence: str = ""
    keep: Mapping[str, Intent] = field(default_factory=dict)
    timeout_seconds: int = 10
    patience: int = 1
    is_returnable: bool = True

    @property
    def after_silence(self) -> str:
        return self.silence or self.next


@dataclass(frozen=True)
class Number:
    """A typed number of `count` digits, put into memory. `*` starts anew; `#` on nothing skips it."""

    says: Says
    into: str
    count: int
    then: str
    skip: str


@dataclass(frozen=True)
class Record:
    """A beep and what is said after it: kept as it ends, in segments joined without a key."""

    says: Says
    key: str
    then: str
    nothing: str
    notice_version: str
    topic_id: str | None = None
    kind: Literal["opinion", "message"] = "opinion"


@dataclass(frozen=True)
class Lookup:
    """A question only the records can answer; the facts they tell go into memory."""

    question: str
    arguments: Mapping[str, str | Known]
    then: Mapping[str, str]
    otherwise: str


@dataclass(frozen=True)
class Dial:
    """Rings a person."""

    number: str
    answered: str
    unanswered: str
    says: Says = ()


@dataclass(frozen=True)
class End:
    """Says goodbye and hangs up."""

    says: Says


Passing = Say | Remember | Choose
Stop = Listen | Menu | Number | Record | Lookup | Dial | End
Step = Passing | Stop


@dataclass(frozen=True)
class Flow:
    """A whole call. `home` is where `9` leads when there is nothing behind, `person` where `0` leads.

    `is_placed`: we called them. `is_duty`: staff on duty, whom nothing is asked that a resident is.
    """

    name: str
    start: str
    steps: Mapping[str, Step]
    home: str
    person: str
    is_slow: bool = False
    is_placed: bool = False
    is_duty: bool = False


# --- rules for Choose that need no more than one fact ---
@dataclass(frozen=True)
class Fact:
    """The branch named by a fact."""

    name: str

    def __call__(self, memory: Memory) -> str:
        return memory.get(self.name, "")


@dataclass(frozen=True)
class Same:
    """`yes` when a fact equals `value`, else `no`."""

    name: str
    value: str

    def __call__(self, memory: Memory) -> str:
        return "yes" if memory.get(self.name) == self.value else "no"


def prompts(step: Step) -> tuple[Prompt, ...]:
    """What a step says, in order."""
    if isinstance(step, Remember | Choose | Lookup):
        return ()
    says = step.says if isinstance(step.says, tuple) else (step.says,)
    return tuple(Prompt(each) if isinstance(each, str) else each for each in says)


def ways(step: Step) -> Iterator[tuple[str, str]]:
    """Every way out of a step as (how, target): `how` is a key, `#`, `silence` or what happened."""
    match step:
        case Menu():
            yield from step.keys.items()
            yield "#", step.next
            yield "silence", step.after_silence
        case Number():
            yield "typed", step.then
            yield "silence", step.skip
        case Record():
            yield "spoken", step.then
            yield "silence", step.nothing
        case Choose() | Lookup():
            yield from step.then.items()
            yield "otherwise", step.otherwise
        case Dial():
            yield "answered", step.answered
            yield "unanswered", step.unanswered
        case Say() | Remember() | Listen():
            yield "on", step.then
        case End():
            return


def passed_by(steps: Mapping[str, Step], then: str) -> dict[str, Step]:
    """These steps without anything to say or to ask: whoever stands at one goes on at `then`."""
    return {name: Say((), then=then) for name in steps}
