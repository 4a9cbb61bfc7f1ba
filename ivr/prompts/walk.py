"""The words of a flow in the order in which callers come to them, silent callers first."""

from __future__ import annotations

from collections.abc import Iterator

from ivr.dialogue.answer import GENTLE_PROMPTS
from ivr.dialogue.steps import Flow, Prompt, prompts, ways
from ivr.dialogue.turns import Text
from ivr.prompts.book import Book

_UNPRESSED = frozenset({"on", "silence", "spoken", "otherwise", "none", "unanswered"})


def walk(flow: Flow) -> Iterator[tuple[str, bool]]:
    """Every step that can be reached, nearest first; whether it is on a silent caller's way or one key off."""
    silent = _silent_way(flow)
    near = set(silent)
    for name in silent:
        near.update(target for _, target in ways(flow.steps[name]))
    waiting, seen = [*silent], set(silent)
    for name in waiting:  # grows while it is gone through
        yield name, name in near
        for _, target in ways(flow.steps[name]):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    for name in flow.steps:
        if name not in seen:
            yield name, False


def _silent_way(flow: Flow) -> list[str]:
    """The steps of a caller who never presses a key, until they come round again."""
    way: list[str] = []
    ahead = [flow.start]
    while ahead:
        name = ahead.pop(0)
        if name in way:
            continue
        way.append(name)
        ahead += [target for how, target in ways(flow.steps[name]) if how in _UNPRESSED]
    return way


def flow_texts(flow: Flow, book: Book) -> Iterator[tuple[str, bool]]:
    """The words of every clip of the flow, ordered and flagged as in `walk`; without digits and counts."""
    for name, is_near in walk(flow):
        for each in prompts(flow.steps[name]):
            for text in _texts(each, book):
                yield text, is_near
    for prompt_id in GENTLE_PROMPTS:
        for text in _texts(Prompt(prompt_id), book):
            yield text, True


def _texts(each: Prompt, book: Book) -> Iterator[str]:
    for words, is_value in book.fragments(each.prompt):
        if not is_value:
            yield words
        elif isinstance(value := each.values.get(words), Text):
            yield value.text.strip()
