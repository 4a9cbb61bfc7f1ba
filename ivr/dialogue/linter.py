"""The accessibility linter: proves the rules of a call over a flow's whole table, sentences included."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ivr.dialogue.answer import GENTLE_PROMPTS
from ivr.dialogue.keeps import KeepBallot, KeepReaction
from ivr.dialogue.promises import beep_promises, silence_promises
from ivr.dialogue.runs import COMMANDS, depths, reachable, runs
from ivr.dialogue.steps import End, Flow, Listen, Lookup, Menu, Number, Passing, Prompt, Record, prompts, ways
from ivr.dialogue.turns import Digits, Recall
from ivr.dialogue.wording import PLACEHOLDER, Sentences, mentions, seconds, text_of

MOST_CHOICES = 4
MOST_DEPTH = 3
MOST_SECONDS_BEFORE_ACTING = 10.0
CHOICE_KEYS = "12345678"


@dataclass(frozen=True)
class Fault:
    """A broken rule, the step that breaks it, and how."""

    rule: str
    step: str
    says: str

    def __str__(self) -> str:
        return f"{self.step}: {self.says} [{self.rule}]"


Broken = Iterator[tuple[str, str]]
RuleOf = Callable[[Flow, Sentences], Broken]


def check(flow: Flow, book: Sentences) -> list[Fault]:
    """Every fault of a flow as it sounds in one language; none means that all rules hold.

    A table with loose ends or missing sentences is not looked at further: only those faults are told.
    """
    for name, rule in FOUNDATIONS.items():
        if faults := [Fault(name, step, says) for step, says in rule(flow, book)]:
            return faults
    return [Fault(name, step, says) for name, rule in RULES.items() for step, says in rule(flow, book)]


# --- the table holds together ---
def _targets(flow: Flow, book: Sentences) -> Broken:
    for role, target in (("start", flow.start), ("home", flow.home), ("person", flow.person)):
        if target not in flow.steps:
            yield target, f"is the flow's {role} but not in its table"
    for name, step in flow.steps.items():
        for how, target in ways(step):
            if target not in flow.steps:
                yield name, f"{how} leads to {target}, which is not there"


def _sentences(flow: Flow, book: Sentences) -> Broken:
    for gentle in GENTLE_PROMPTS:
        if gentle not in book.ids:
            yield gentle, "the book has no such prompt"
    for name, step in flow.steps.items():
        for each in prompts(step):
            if each.prompt not in book.ids:
                yield name, f"the book has no prompt {each.prompt}"
            elif set(PLACEHOLDER.findall(book.sentence(each.prompt))) != set(each.values):
                yield name, f"the values of {each.prompt} are not those of its sentence"


def _endings(flow: Flow, book: Sentences) -> Broken:
    """From every step the call can come to its end, and no steps chase each other without waiting."""
    for name, step in flow.steps.items():
        if isinstance(step, Passing) and _only_passes(flow, name):
            yield name, "leads round to itself and never waits"
        elif not any(isinstance(flow.steps[each], End) for each in reachable(flow, name)):
            yield name, "no way from here comes to an end"


def _only_passes(flow: Flow, start: str) -> bool:
    waiting, seen = [target for _, target in ways(flow.steps[start])], set[str]()
    while waiting:
        name = waiting.pop()
        if name == start:
            return True
        if name not in seen and isinstance(flow.steps[name], Passing):
            seen.add(name)
            waiting += [target for _, target in ways(flow.steps[name])]
    return False


def _reached(flow: Flow, book: Sentences) -> Broken:
    for name in flow.steps.keys() - reachable(flow, flow.start):
        yield name, "no caller can come here"


# --- rule 1: menus that can be kept in mind ---
def _choices(flow: Flow, book: Sentences) -> Broken:
    for name, step in _menus(flow):
        if len(step.keys) > MOST_CHOICES:
            yield name, f"{len(step.keys)} choices, at most {MOST_CHOICES}"


def _choice_before_key(flow: Flow, book: Sentences) -> Broken:
    for name, step in _menus(flow):
        named = mentions(text_of(prompts(step), book))
        for key in step.keys.keys() - {mention.key for mention in named}:
            yield name, f"key {key} is not spoken"
    for name, any_step in flow.steps.items():
        for mention in mentions(text_of(prompts(any_step), book)):
            if not mention.says_what_for:
                yield name, f"key {mention.key} is spoken before what it is for"


def _spoken_keys_work(flow: Flow, book: Sentences) -> Broken:
    for run in runs(flow):
        match flow.steps[run.stop]:
            case Menu(keys=keys):
                works = {*keys, *COMMANDS}
            case Listen():
                works = set(COMMANDS)
            case Number():
                works = {"*", "#"}
            case Record():
                works = {"#"}
            case _:
                continue
        for mention in mentions(text_of(run.says(flow), book)):
            if mention.key not in works:
                yield run.stop, f"key {mention.key} is spoken on the way from {run.source} but does nothing"


def _depth(flow: Flow, book: Sentences) -> Broken:
    for name, depth in depths(flow).items():
        if depth > MOST_DEPTH:
            yield name, f"{depth} menus deep, at most {MOST_DEPTH}"


def _soon(flow: Flow, book: Sentences) -> Broken:
    """The first thing a caller can do is told within ten seconds of every turn."""
    for run in runs(flow):
        if isinstance(flow.steps[run.stop], Menu | Listen | Number | Record):
            text = text_of(run.says(flow), book)
            named = mentions(text)
            length = seconds(text[: named[0].end] if named else text)
            if length > MOST_SECONDS_BEFORE_ACTING:
                yield run.stop, f"{length:.1f} s from {run.source} before the first thing a caller can do"


# --- rule 2: * # 9 0 ---
def _commands(flow: Flow, book: Sentences) -> Broken:
    for name, step in _menus(flow):
        for key in step.keys:
            if key in COMMANDS:
                yield name, f"{key} means the same everywhere and cannot be a choice"
            elif key not in CHOICE_KEYS or len(key) != 1:
                yield name, f"{key!r} is no key of 1 to 8"
    if isinstance(flow.steps[flow.person], End):
        yield flow.person, "0 hangs up instead of reaching a person"
    if not isinstance(flow.steps[flow.home], Menu):
        yield flow.home, "9 does not lead back to a menu"


# --- rule 4: ballots and numbers ---
def _ballots(flow: Flow, book: Sentences) -> Broken:
    """A ballot takes keys only from the moment its options begin."""
    ballots = {
        name
        for name, step in _menus(flow)
        if any(isinstance(keep, KeepBallot | KeepReaction) for keep in step.keep.values())
    }
    for name in ballots:
        first = prompts(flow.steps[name])[:1]
        if not mentions(text_of(first, book)):
            yield name, "takes a ballot while something else than its options is spoken"
    for run in runs(flow):
        if run.stop in ballots and any(prompts(flow.steps[step]) for step in run.passed):
            yield run.stop, f"takes a ballot while {' and '.join(run.passed)} is still spoken"


def _twice(flow: Flow, book: Sentences) -> Broken:
    for name, step in flow.steps.items():
        for each in prompts(step):
            for value in (value for value, kind in each.values.items() if isinstance(kind, Digits | Recall)):
                if book.sentence(each.prompt).count(f"{{{value}}}") < 2 or not each.is_slow:
                    yield name, f"the number in {each.prompt} is not said twice and slowly"


# --- rules 3, 6, 7 ---
def _silence(flow: Flow, book: Sentences) -> Broken:
    yield from silence_promises(flow)


def _beeps(flow: Flow, book: Sentences) -> Broken:
    yield from beep_promises(flow, book)


def _questions(flow: Flow, book: Sentences) -> Broken:
    """Nothing is said before the records are asked: a repeat must give the whole turn again."""
    for name, step in flow.steps.items():
        if isinstance(step, Lookup) and not step.then:
            yield name, "asks the records but does not listen to the answer"


def _menus(flow: Flow) -> Iterator[tuple[str, Menu]]:
    return ((name, step) for name, step in flow.steps.items() if isinstance(step, Menu))


FOUNDATIONS: dict[str, RuleOf] = {
    "every way leads somewhere": _targets,
    "every sentence is in the book": _sentences,
    "every path can end": _endings,
}
RULES: dict[str, RuleOf] = {
    "every step can be reached": _reached,
    "at most four choices": _choices,
    "the choice before its key": _choice_before_key,
    "keys that are spoken work": _spoken_keys_work,
    "at most three menus deep": _depth,
    "ten seconds before the first thing to do": _soon,
    "* # 9 0 mean the same everywhere": _commands,
    "silence is never punished": _silence,
    "a ballot takes keys from its options on": _ballots,
    "numbers twice and slowly": _twice,
    "notice and emergency before the beep": _beeps,
    "questions are answered": _questions,
}

__all__ = ["Fault", "Prompt", "check"]
