"""Walking through a flow: passing steps are gone through until one waits; what they say becomes the turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ivr.dialogue.keeps import Keep
from ivr.dialogue.steps import (
    Choose,
    Dial,
    Flow,
    Intent,
    Known,
    KnownSounds,
    Listen,
    Lookup,
    Memory,
    Menu,
    Number,
    Prompt,
    Record,
    Remember,
    Say,
    Step,
    prompts,
)
from ivr.dialogue.turns import (
    AskRecords,
    DialPerson,
    EndCall,
    GatherKeys,
    Line,
    Place,
    RecordSpeech,
    Sound,
    Text,
    Turn,
    Value,
    Wait,
)

MOST_PASSING_STEPS = 40
TYPING_SECONDS = 10


class DialogueError(Exception):
    """The flow itself is broken: steps that lead to each other and never wait."""


def fresh(place: Place, key: str = "") -> Place:
    """The place with nothing tried, repeated or said yet: a new turn begins, caused by `key`."""
    return replace(place, tries=0, repeats=0, last_key=key, said=(), tapped_seconds=0.0)


def go(
    flow: Flow,
    place: Place,
    target: str,
    lines: tuple[Line, ...] = (),
    keeps: tuple[Keep, ...] = (),
    said: tuple[str, ...] = (),
) -> Turn:
    """Passes through steps until one waits."""
    memory = dict(place.memory)
    for _ in range(MOST_PASSING_STEPS):
        step = flow.steps[target]
        match step:
            case Say():
                lines += _spoken(step, memory, place.is_slow)
                said += (target,)
                target = step.then
            case Remember():
                memory |= filled(step.facts, memory)
                target = step.then
            case Choose():
                target = step.then.get(step.rule(memory), step.otherwise)
            case _:
                if isinstance(step, Record):
                    memory["recordings"] = ""
                here = replace(place, step=target, memory=memory, said=said)
                return Turn(lines + _spoken(step, memory, place.is_slow), _wait(step, memory), here, keeps)
    raise DialogueError(f"{flow.name}: the steps after {place.step} never wait")


def repeat(flow: Flow, place: Place) -> Turn:
    """The whole turn again, with nothing kept a second time."""
    lines: tuple[Line, ...] = ()
    for each in (*place.said, place.step):
        lines += _spoken(flow.steps[each], place.memory, place.is_slow)
    return Turn(lines, _wait(flow.steps[place.step], place.memory), place)


def ask_again(flow: Flow, place: Place, gentle: str, is_slow: bool) -> Turn:
    step = flow.steps[place.step]
    lines = (Line(gentle, is_slow=is_slow), *_spoken(step, place.memory, is_slow or place.is_slow))
    return Turn(lines, _wait(step, place.memory), replace(place, said=()))


def _wait(step: Step, memory: Memory) -> Wait:
    match step:
        case Menu():
            return GatherKeys(timeout_seconds=step.timeout_seconds)
        case Listen():
            return GatherKeys(timeout_seconds=1)
        case Number():
            return GatherKeys(count=step.count, finish_on="#")
        case Record():
            return RecordSpeech()
        case Dial():
            return DialPerson(step.number)
        case Lookup():
            return AskRecords(step.question, filled(step.arguments, memory))
        case _:
            return EndCall()


# --- words ---
def _spoken(step: Step, memory: Memory, is_slow: bool) -> tuple[Line, ...]:
    lines: tuple[Line, ...] = ()
    for each in prompts(step):
        lines += _lines(each, memory, is_slow or each.is_slow)
    return lines


def _lines(each: Prompt, memory: Memory, is_slow: bool) -> tuple[Line, ...]:
    values: dict[str, Value] = {}
    for name, value in each.values.items():
        match value:
            case KnownSounds():
                sounds = (Sound(recording) for recording in memory.get(value.name, "").split())
                return tuple(Line(each.prompt, {name: sound}, is_slow) for sound in sounds)
            case Known():
                values[name] = Text(memory.get(value.name, ""))
            case _:
                values[name] = value
    return (Line(each.prompt, values, is_slow),)


def filled(facts: Mapping[str, str | Known], memory: Memory) -> dict[str, str]:
    return {
        name: memory.get(fact.name, "") if isinstance(fact, Known) else fact for name, fact in facts.items()
    }


def intended(intents: tuple[Intent, ...], memory: Memory) -> tuple[Keep, ...]:
    return tuple(intent(memory) if callable(intent) else intent for intent in intents)
