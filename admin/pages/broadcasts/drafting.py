"""A programme while somebody writes it: what the form holds, and what its buttons do to it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sync.broadcasting import Item

CHECKED, SUBMITTED = "save", "submit"
NEW_ITEMS = (Item("chime"), Item("greeting"), Item("call"))
"""What a new programme begins with; what it is about goes before the number to call."""

LONG_SECONDS, LONG_ITEM_SECONDS = 180.0, 60.0
"""Beyond this a page warns: few stand in the yard and listen for longer."""


@dataclass(frozen=True)
class Draft:
    """What the form says. `last_day` is written 2026-11-22, or "" for no end."""

    title: str = ""
    is_emergency: bool = False
    last_day: str = ""
    items: tuple[Item, ...] = NEW_ITEMS

    @property
    def priority(self) -> str:
        """As the records call it."""
        return "emergency" if self.is_emergency else "normal"


def read_draft(field: Callable[[str], str], fields: Callable[[str], Sequence[str]]) -> Draft:
    """The draft of a form. Its items are four lists of the same length: kind, ref, text, own."""
    rows = zip(fields("kind"), fields("ref"), fields("text"), fields("own"), strict=False)
    return Draft(
        field("title"),
        field("priority") == "emergency",
        field("last_day"),
        tuple(make_item(kind, ref, text, own == "own") for kind, ref, text, own in rows),
    )


def make_item(kind: str, ref: str, text: str = "", is_own_voice: bool = False) -> Item:
    """One item; `ref` is the id of what it speaks of."""
    match kind:
        case "topic":
            return Item(kind, topic_id=ref)
        case "progress":
            return Item(kind, progress_id=ref)
        case "voice":
            return Item(kind, opinion_id=ref, is_own_voice=is_own_voice)
        case "notice" | "greeting":
            return Item(kind, text=text.replace("\r\n", "\n"))
    return Item(kind)


def ref_of(item: Item) -> str:
    """The id of what an item speaks of; "" where it speaks for itself."""
    return item.topic_id or item.progress_id or item.opinion_id or ""


def pressed(draft: Draft, button: str, chosen: Callable[[str], str]) -> Draft:
    """What a button makes of a draft: `up:2`, `down:2`, `drop:2`, `add:topic`. Others change nothing.

    `chosen` tells what a field such as `add_topic` says.
    """
    act, _, which = button.partition(":")
    if act == "add":
        return _added(draft, which, chosen)
    if not which.isdecimal() or not int(which) < len(draft.items):
        return draft
    place, items = int(which), list(draft.items)
    match act:
        case "up" if place > 0:
            items[place - 1], items[place] = items[place], items[place - 1]
        case "down" if place + 1 < len(items):
            items[place + 1], items[place] = items[place], items[place + 1]
        case "drop":
            del items[place]
    return replace(draft, items=tuple(items))


def _added(draft: Draft, kind: str, chosen: Callable[[str], str]) -> Draft:
    """A new item comes last, but before the number to call: that is how a programme ends."""
    ref = chosen(f"add_{kind}")
    if kind in ("topic", "progress", "voice") and not ref:
        return draft
    item, items = make_item(kind, ref), draft.items
    ends = items[-1:] if items and items[-1].kind == "call" and kind != "call" else ()
    before = items[: len(items) - len(ends)]
    first = kind == "chime" and not any(one.kind == "chime" for one in items)
    return replace(draft, items=(item, *items) if first else (*before, item, *ends))
