"""Draws a flow so that somebody who does not program can read it: sentences, keys and where they lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ivr.dialogue.answer import answer, begin
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
    Menu,
    Number,
    Passing,
    Prompt,
    Record,
    Remember,
    Say,
    Step,
    prompts,
    ways,
)
from ivr.dialogue.turns import (
    AskRecords,
    Count,
    Digits,
    EndCall,
    Heard,
    Line,
    Recall,
    Recorded,
    RecordSpeech,
    Silence,
    Sound,
    Started,
    Text,
    Told,
    Value,
)
from ivr.dialogue.wording import PLACEHOLDER, Sentences

MOST_PASSING = 40
MOST_TURNS = 200

INTRODUCTION = """\
Drawn from the table the program runs; do not edit. Each block is one moment at which the call waits:
first what the caller hears, then what each key does. `→` names the block that comes next.
Everywhere: `*` says it again (twice: slower), `9` goes back, `0` calls a person, hanging up loses nothing.
"""


def draw(flow: Flow, book: Sentences) -> str:
    """The whole flow as Markdown: the way of a caller who presses nothing, a map, then every block."""
    parts = [
        f"# The call: {flow.name}\n\n{INTRODUCTION}",
        "## A caller who never presses a key\n\n" + "\n".join(_silent_way(flow, book)) + "\n",
        "## Map\n\n```mermaid\nflowchart TD\n" + "\n".join(_map(flow)) + "\n```\n",
        "## Every block\n",
        *(_block(flow, name, book) for name, step in flow.steps.items() if not isinstance(step, Passing)),
    ]
    return "\n".join(parts)


# --- the zero-key path ---
def _silent_way(flow: Flow, book: Sentences) -> Iterator[str]:
    """Plays the call of somebody who only speaks after the beep, up to the second beep or the end."""
    place, beeps = begin(flow), 0
    heard: Heard = Started()
    for number in range(1, MOST_TURNS):
        turn = answer(flow, place, heard)
        place = turn.place
        if isinstance(turn.wait, AskRecords):
            heard = Told("none")
            continue
        beeps += isinstance(turn.wait, RecordSpeech)
        if words := " ".join(_said(line, book) for line in turn.lines):
            yield f"1. {words}{' *(beep)*' if isinstance(turn.wait, RecordSpeech) else ''}"
        if isinstance(turn.wait, EndCall) or beeps > 1:
            return
        if isinstance(turn.wait, RecordSpeech):
            yield "1. *The caller speaks; what was said is kept the moment it ends.*"
            heard = Recorded(f"rec_{number}", 20.0, "silence")
        else:
            heard = Silence()


# --- the map ---
def _map(flow: Flow) -> Iterator[str]:
    """The sections of the call and the keys that lead from one to another."""
    drawn: dict[tuple[str, str], list[str]] = {}
    for name, step in flow.steps.items():
        for how, target in ways(step):
            here, there = _section(name), _section(target)
            if here != there:
                label = {"silence": "wait", "on": "", "otherwise": ""}.get(how, how)
                labels = drawn.setdefault((here, there), [])
                if label and label not in labels:
                    labels.append(label)
    for (here, there), labels in drawn.items():
        arrow = f'-- "{" · ".join(labels)}" -->' if labels else "-->"
        yield f"    {_node(here)} {arrow} {_node(there)}"


def _section(name: str) -> str:
    parts = name.split(".")
    return ".".join(parts[:2]) if parts[0] == "topic" else parts[0]


def _node(section: str) -> str:
    return f'{section.replace(".", "_")}["{section}"]'


# --- the blocks ---
def _block(flow: Flow, name: str, book: Sentences) -> str:
    step = flow.steps[name]
    lines = [f"### {name}", "", f"*{_kind(step)}*", ""]
    lines += [f"> {_words(each, book)}" for each in prompts(step)]
    lines += [""] if prompts(step) else []
    lines += [f"- {way}" for way in _ways(flow, step, book)]
    return "\n".join(lines) + "\n"


def _kind(step: Step) -> str:
    match step:
        case Menu():
            again = f", said again slower {step.patience}×" if step.patience else ""
            return f"waits {step.timeout_seconds} s for a key{again}"
        case Listen():
            return "to listen to; any digit or # skips to its end"
        case Number():
            return f"waits for {step.count} digits; * starts anew"
        case Record():
            return "the beep; records until # or 5 s of silence, in segments joined without a key"
        case Lookup():
            return f"asks the records: {step.question.replace('_', ' ')}"
        case Dial():
            return "calls a person"
        case _:
            return "hangs up"


def _ways(flow: Flow, step: Step, book: Sentences) -> Iterator[str]:
    for how, target in ways(step):
        keep = step.keep.get(how) if isinstance(step, Menu) else None
        kept = f" keeps {_kept(keep)}" if keep else ""
        yield f"{_how(step, how)}{kept} {_leads(flow, target, book)}"
    if isinstance(step, Listen) and step.keep:
        yield f"then keeps {', '.join(_kept(keep) for keep in step.keep)}"


def _how(step: Step, how: str) -> str:
    match step, how:
        case Listen(), _:
            return "then"
        case Menu(), "silence":
            return "nothing pressed"
        case Number(), "silence":
            return "nothing typed, or `#`"
        case Record(), "spoken":
            return "speech is kept"
        case Record(), "silence":
            return "nothing heard"
        case Menu(), _:
            return f"**{how}**"
    return how.replace("_", " ")


def _kept(keep: Intent) -> str:
    if not isinstance(keep, Keep):
        keep = keep({"key": "this opinion", "opinion_id": "this opinion"})
    values = (str(value) for value in vars(keep).values())
    name = type(keep).__name__.removeprefix("Keep").lower()
    return f"`{name}: {', '.join(values)}`"


def _leads(flow: Flow, target: str, book: Sentences) -> str:
    """What is said on the way and where the call waits next."""
    said = ""
    for _ in range(MOST_PASSING):
        step = flow.steps[target]
        match step:
            case Say():
                said += "".join(f"“{_words(each, book)}” " for each in prompts(step))
                target = step.then
            case Remember():
                target = step.then
            case Choose():
                branches = dict(step.then)
                if step.otherwise not in branches.values():
                    branches["otherwise"] = step.otherwise
                ends = (f"{how or 'new'} {_leads(flow, one, book)}" for how, one in branches.items())
                return f"{said}(" + "; ".join(ends) + ")"
            case _:
                break
    return f"{said}→ {target}"


# --- words ---
def _words(each: Prompt, book: Sentences) -> str:
    return _filled(each.prompt, each.values, book)


def _said(line: Line, book: Sentences) -> str:
    return _filled(line.prompt, line.values, book)


def _filled(prompt: str, values: Mapping[str, Value | Known | KnownSounds], book: Sentences) -> str:
    return PLACEHOLDER.sub(lambda name: _value(values[name[1]]), book.sentence(prompt))


def _value(value: Value | Known | KnownSounds) -> str:
    match value:
        case Text(text):
            return text
        case Digits(digits):
            return digits
        case Count(number):
            return str(number)
        case Recall(name) | Known(name):
            return f"〔{name}〕"
        case Sound() | KnownSounds():
            return "〔♪〕"
