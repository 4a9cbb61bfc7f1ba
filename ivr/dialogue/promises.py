"""What is promised to those who say nothing or press the wrong key, and to everyone before a beep."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from ivr.dialogue.answer import answer, begin
from ivr.dialogue.keeps import KeepConsent
from ivr.dialogue.runs import Run, reachable, runs
from ivr.dialogue.speaking import EMERGENCY, NOTICE
from ivr.dialogue.steps import Dial, End, Flow, Listen, Lookup, Menu, Number, Record, prompts
from ivr.dialogue.turns import AskRecords, Dialled, EndCall, Heard, Place, Pressed, Silence, Started, Told
from ivr.dialogue.wording import Sentences, mentions

MOST_PLACES = 20_000
EMERGENCY_NUMBERS = ("110", "119", "120")


# --- silence ---
def silence_promises(flow: Flow) -> Iterator[tuple[str, str]]:
    """Rule 3: faults as (step, what is wrong). It is made to residents: staff on duty are called again."""
    if flow.is_duty:
        return
    yield from _ends_uninvited(flow)
    all_runs = tuple(runs(flow))
    invites = {name for name in flow.steps if _invites(flow, name, all_runs)}
    for run in all_runs:
        is_end = isinstance(flow.steps[run.stop], End)
        if is_end and run.how != "#" and run.source not in invites:
            yield run.source or flow.start, f"{run.how} ends the call without an invitation to speak"
    for name, step in flow.steps.items():
        if isinstance(step, Record) and name not in reachable(flow, step.nothing, avoiding=Menu):
            yield name, "nothing heard is not asked once more"


def _invites(flow: Flow, name: str, all_runs: tuple[Run, ...]) -> bool:
    """A menu that offers speaking behind a key of its own."""
    return isinstance(flow.steps[name], Menu) and any(
        run.source == name and run.how.isdecimal() and _is_beep(flow, run.stop) for run in all_runs
    )


def _is_beep(flow: Flow, name: str) -> bool:
    return isinstance(flow.steps[name], Record) or _is_notice(flow, name)


def _is_notice(flow: Flow, name: str | None) -> bool:
    return name is not None and any(each.prompt == NOTICE for each in prompts(flow.steps[name]))


def _ends_uninvited(flow: Flow) -> Iterator[tuple[str, str]]:
    """Plays every call of who only waits or presses wrong keys, up to the beep: none may end before it.

    Who was called by us, and says nothing, may be left in peace, once an invitation to speak was heard.
    """
    waiting: deque[tuple[Place, Heard]] = deque([(begin(flow), Started())])
    seen: set[tuple[object, ...]] = set()
    while waiting:
        place, heard = waiting.popleft()
        turn = answer(flow, place, heard)
        if isinstance(turn.wait, EndCall) and flow.is_placed:
            continue
        if isinstance(turn.wait, EndCall):
            yield place.step, "somebody who presses nothing useful is hung up on before being asked to speak"
            return
        here = (turn.place.step, turn.place.tries, tuple(sorted(turn.place.memory.items())))
        if here in seen or isinstance(flow.steps[turn.place.step], Record):
            continue
        seen.add(here)
        if len(seen) > MOST_PLACES:
            yield place.step, "somebody who presses nothing useful wanders without end"
            return
        waiting += ((turn.place, useless) for useless in _useless(flow, turn.place, turn.wait))
    if not seen:
        yield flow.start, "the call does not begin"


def _useless(flow: Flow, place: Place, wait: object) -> Iterator[Heard]:
    match flow.steps[place.step]:
        case Menu(keys=keys):
            yield Silence()
            yield from (Pressed(key) for key in "12345678" if key not in keys)
        case Listen():
            yield Silence()
            yield Pressed("7")
        case Number():
            yield Silence()
            yield Pressed("7")
        case Dial():
            yield Dialled(is_answered=False)
        case Lookup(then=branches) if isinstance(wait, AskRecords):
            yield from (Told(branch) for branch in branches)


# --- the beep ---
def beep_promises(flow: Flow, book: Sentences) -> Iterator[tuple[str, str]]:
    """Rules 6 and 7: faults as (step, what is wrong)."""
    if EMERGENCY in book.ids and not all(each in book.sentence(EMERGENCY) for each in EMERGENCY_NUMBERS):
        yield EMERGENCY, f"does not name {', '.join(EMERGENCY_NUMBERS)}"
    before_any_beep = reachable(flow, flow.start, avoiding=Record)
    for run in runs(flow):
        if not isinstance(flow.steps[run.stop], Record):
            continue
        if EMERGENCY not in {each.prompt for each in run.says(flow)}:
            yield run.stop, f"the beep after {run.source} comes without the emergency sentence"
        is_first = run.source is None or (
            run.source in before_any_beep and not isinstance(flow.steps[run.source], Record)
        )
        if is_first and not _is_notice(flow, run.source):
            yield run.stop, f"the first beep after {run.source} comes without the notice"
    for name, step in flow.steps.items():
        if _is_notice(flow, name) and not (isinstance(step, Menu) and _can_be_refused(step, book)):
            yield name, "the notice has no key to refuse"


def _can_be_refused(notice: Menu, book: Sentences) -> bool:
    named = {mention.key for mention in mentions(book.sentence(NOTICE))}
    refusing = {
        key
        for key, keep in notice.keep.items()
        if isinstance(keep, KeepConsent) and keep.answer == "refused" and key in notice.keys
    }
    return bool(named & refusing)
