"""The one function that runs every call: `answer(flow, place, heard) -> Turn`, pure and total."""

from __future__ import annotations

from dataclasses import replace

from ivr.dialogue.after_beep import after_beep, stray_recording
from ivr.dialogue.keeps import KeepPace
from ivr.dialogue.steps import Dial, Flow, Listen, Lookup, Menu, Number, Passing, Record
from ivr.dialogue.turns import (
    Dialled,
    EndCall,
    Heard,
    HungUp,
    Line,
    Place,
    Pressed,
    Silence,
    Started,
    Told,
    Turn,
)
from ivr.dialogue.walking import DialogueError, ask_again, fresh, go, intended, repeat

DOUBLE_TAP_SECONDS = 1.5
MOST_WRONG_KEYS = 2
MOST_STEPS_BACK = 8
NO_HURRY, WRONG_KEY, GO_ON, TOO_SHORT = "menu.no_hurry", "menu.wrong_key", "menu.go_on", "number.too_short"
GENTLE_PROMPTS = (NO_HURRY, WRONG_KEY, GO_ON, TOO_SHORT)


def begin(flow: Flow) -> Place:
    """The place of a caller whose call has not been answered yet."""
    return Place(step=flow.start, is_slow=flow.is_slow)


def answer(flow: Flow, place: Place, heard: Heard) -> Turn:
    """What the caller hears next, what is waited for, where they are then, and what is to be kept."""
    if isinstance(heard, HungUp):
        return Turn((), EndCall(), place)
    if not flow.steps.keys() >= {place.step, *place.back, *place.said}:  # a table of another release
        target = place.step if place.step in flow.steps else flow.home
        return go(flow, replace(fresh(place), back=()), target, keeps=stray_recording(place, heard))
    step = flow.steps[place.step]
    if isinstance(heard, Started) or isinstance(step, Passing):
        return go(flow, place, place.step)
    if isinstance(heard, Pressed) and _is_double_tap(place, heard):
        return repeat(flow, replace(place, tapped_seconds=place.tapped_seconds + heard.after_seconds))
    match step, heard:
        case Record(), _:
            return after_beep(flow, place, step, heard)
        case Lookup(), Told():
            known = replace(place, memory={**place.memory, **heard.facts})
            return go(flow, known, step.then.get(heard.branch, step.otherwise), said=place.said)
        case Lookup(), _:
            return go(flow, place, step.otherwise, said=place.said)
        case Dial(), _:
            is_answered = isinstance(heard, Dialled) and heard.is_answered
            return go(flow, fresh(place), step.answered if is_answered else step.unanswered)
        case Number(), Pressed():
            return _typed(flow, place, step, heard.keys)
        case Menu() | Listen(), Pressed() if heard.keys:
            return _pressed(flow, place, step, heard.keys[0])
        case Menu() | Listen() | Number(), Silence() | Pressed():
            return _silent(flow, place, step)
        case _:
            return replace(repeat(flow, place), keeps=stray_recording(place, heard))


# --- keys ---
def _is_double_tap(place: Place, heard: Pressed) -> bool:
    is_early = place.tapped_seconds + heard.after_seconds < DOUBLE_TAP_SECONDS
    return bool(heard.keys) and heard.keys == place.last_key and is_early


def _pressed(flow: Flow, place: Place, step: Menu | Listen, key: str) -> Turn:
    match key:
        case "*":
            return _again(flow, place)
        case "9":
            return _go_back(flow, place)
        case "0":
            return go(flow, _leave(place, step, key), flow.person)
        case "#":
            return _go_on(flow, place, step, key)
    if isinstance(step, Listen):
        return _go_on(flow, place, step, key)
    if key not in step.keys:
        return _wrong_key(flow, place, step, key)
    keeps = intended((step.keep[key],), place.memory) if key in step.keep else ()
    left = _leave(place, step, key)
    for keep in keeps:
        if isinstance(keep, KeepPace):
            left = replace(left, is_slow=keep.is_slow)
    return go(flow, left, step.keys[key], keeps=keeps)


def _go_on(flow: Flow, place: Place, step: Menu | Listen, key: str) -> Turn:
    if isinstance(step, Listen):
        return go(flow, _leave(place, step, key), step.then, keeps=intended(step.keep, place.memory))
    return go(flow, _leave(place, step, key), step.next)


def _again(flow: Flow, place: Place) -> Turn:
    """`*`: the same again; from the second time on, slower, and remembered as the caller's pace."""
    repeats = place.repeats + 1
    is_newly_slow = repeats == 2 and not place.is_slow
    here = replace(place, repeats=repeats, tries=0, last_key="*", tapped_seconds=0.0)
    turn = repeat(flow, replace(here, is_slow=place.is_slow or repeats >= 2))
    return replace(turn, keeps=(KeepPace(is_slow=True),) if is_newly_slow else ())


def _go_back(flow: Flow, place: Place) -> Turn:
    *behind, target = place.back or (flow.home,)
    return go(flow, replace(fresh(place, "9"), back=tuple(behind)), target)


def _wrong_key(flow: Flow, place: Place, step: Menu, key: str) -> Turn:
    if place.tries >= MOST_WRONG_KEYS:
        return go(flow, _leave(place, step, key), step.after_silence, (Line(GO_ON, is_slow=place.is_slow),))
    here = replace(place, tries=place.tries + 1, last_key=key, tapped_seconds=0.0)
    return ask_again(flow, here, WRONG_KEY, is_slow=place.is_slow)


def _typed(flow: Flow, place: Place, step: Number, keys: str) -> Turn:
    """While a number is typed only `*` (anew) and `#` (done) are commands."""
    if "*" in keys:
        return _again(flow, place)
    digits = keys.partition("#")[0]
    if not digits:
        return go(flow, fresh(place, "#"), step.skip)
    if len(digits) == step.count:
        known = replace(fresh(place, "#"), memory={**place.memory, step.into: digits})
        return go(flow, known, step.then)
    if place.tries >= MOST_WRONG_KEYS:
        return go(flow, fresh(place, "#"), step.skip, (Line(GO_ON, is_slow=place.is_slow),))
    return ask_again(flow, replace(place, tries=place.tries + 1, last_key="#"), TOO_SHORT, is_slow=True)


# --- silence ---
def _silent(flow: Flow, place: Place, step: Menu | Listen | Number) -> Turn:
    match step:
        case Listen():
            return _go_on(flow, place, step, "")
        case Menu() if place.tries >= step.patience:
            return go(flow, _leave(place, step, ""), step.after_silence)
        case Number() if place.tries >= 1:
            return go(flow, fresh(place), step.skip)
    here = replace(place, tries=place.tries + 1, last_key="", tapped_seconds=0.0)
    return ask_again(flow, here, NO_HURRY, is_slow=True)


# --- leaving a step ---
def _leave(place: Place, step: Menu | Listen, key: str) -> Place:
    """The place as it is left behind: `9` will return to it."""
    is_returnable = not isinstance(step, Menu) or step.is_returnable
    back = tuple(each for each in place.back if each != place.step)
    behind = (*back, place.step)[-MOST_STEPS_BACK:] if is_returnable else place.back
    return replace(fresh(place, key), back=behind)


__all__ = ["GENTLE_PROMPTS", "DialogueError", "Flow", "answer", "begin"]
