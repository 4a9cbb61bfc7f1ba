"""The words of a flow in the order in which callers come to them, silent callers first."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.dialogue.answer import GENTLE_PROMPTS, answer, begin
from ivr.dialogue.steps import Flow, Menu, Prompt, prompts, ways
from ivr.dialogue.turns import (
    AskRecords,
    Count,
    Dialled,
    DialPerson,
    EndCall,
    GatherKeys,
    Heard,
    Line,
    Place,
    Pressed,
    Recorded,
    RecordSpeech,
    Silence,
    Started,
    Text,
    Told,
    Turn,
    Wait,
)
from ivr.prompts.book import Book
from ivr.prompts.pieces import COUNTED, count_words

_MOST_TURNS = 200


def flow_texts(flow: Flow, book: Book) -> Iterator[tuple[str, bool]]:
    """The words of every clip of the flow, digits left out; True for what comes up to the beep or a key off.

    First the call of one who presses nothing, then every step of the table, nearest first.
    """
    turns = list(silent_call(flow))
    beep = next((place for place, turn in enumerate(turns) if _records(turn)), len(turns) - 1) + 1
    for turn in turns[:beep]:
        yield from ((text, True) for text in _line_texts(turn.lines, book))
    for turn in turns[:beep]:
        yield from ((text, True) for text in _one_key_off(flow, turn, book))
    for turn in turns[beep:]:
        yield from ((text, False) for text in _line_texts(turn.lines, book))
    yield from ((text, False) for text in _table_texts(flow, book))


def silent_call(flow: Flow) -> Iterator[Turn]:
    """The turns of a caller who presses nothing and speaks after the beep."""
    place: Place = begin(flow)
    heard: Heard = Started()
    for _ in range(_MOST_TURNS):
        turn = answer(flow, place, heard)
        yield turn
        if isinstance(turn.wait, EndCall):
            return
        place, heard = turn.place, _meanwhile(turn.wait)


def _meanwhile(wait: Wait) -> Heard:
    """What such a caller gives to a wait."""
    match wait:
        case RecordSpeech():
            return Recorded("", 10.0, "silence")
        case AskRecords():
            return Told("none")
        case DialPerson():
            return Dialled(is_answered=False)
    return Silence()


def _records(turn: Turn) -> bool:
    return isinstance(turn.wait, RecordSpeech)


def _one_key_off(flow: Flow, turn: Turn, book: Book) -> Iterator[str]:
    step = flow.steps[turn.place.step]
    if isinstance(turn.wait, GatherKeys):
        for key in (*(step.keys if isinstance(step, Menu) else ()), "#"):
            yield from _line_texts(_pressed(flow, turn.place, key).lines, book)


def _pressed(flow: Flow, place: Place, key: str) -> Turn:
    """What a key leads to, the records knowing of nothing."""
    turn = answer(flow, place, Pressed(key))
    while isinstance(turn.wait, AskRecords):
        turn = answer(flow, turn.place, Told("none"))
    return turn


def _table_texts(flow: Flow, book: Book) -> Iterator[str]:
    for name in _nearest_first(flow):
        for each in prompts(flow.steps[name]):
            yield from _prompt_texts(each, book)
    for prompt_id in GENTLE_PROMPTS:
        yield from _prompt_texts(Prompt(prompt_id), book)


def _nearest_first(flow: Flow) -> Iterator[str]:
    """Every step by its distance from the start; those that nothing leads to at the end."""
    waiting = [flow.start]
    seen = {flow.start}
    for name in waiting:  # grows while it is gone through
        yield name
        for _, target in ways(flow.steps[name]):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    yield from (name for name in flow.steps if name not in seen)


def _line_texts(lines: tuple[Line, ...], book: Book) -> Iterator[str]:
    for line in lines:
        yield from _prompt_texts(Prompt(line.prompt, line.values), book)


def _prompt_texts(each: Prompt, book: Book) -> Iterator[str]:
    is_counted = COUNTED in book.placeholders(each.prompt)  # its words are said together with any number
    for words, is_value in book.fragments(each.prompt):
        if not is_value:
            yield from () if is_counted else (words,)
            continue
        match each.values.get(words):
            case Text(text):
                yield text.strip()
            case Count(number):
                yield count_words(number, book.language)
