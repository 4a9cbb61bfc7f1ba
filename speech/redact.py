"""Taking out of a text what points to one person: numbers, names, addresses, plates, written or spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from speech.private_names import find_names, is_of_title
from speech.private_numbers import find_numbers, is_public
from speech.private_places import find_addresses, is_building, is_place
from speech.private_plates import find_plates
from speech.private_tagger import SURE, SURE_ALONE, Likely, find_likely, likelihoods, may_be_private

# What is read in place of each kind; the text stays a sentence that can be spoken.
STANDS_FOR = {
    "phone": "某电话号码",
    "id": "某证件号码",
    "card": "某卡号",
    "number": "某号码",
    "plate": "某车牌",
    "mail": "某邮箱",
    "address": "某处",
    "name": "某某",
}


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` up to `end` of the text as it was given, and what they are (see STANDS_FOR)."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True)
class Redacted:
    """The text with every span replaced by words that say what stood there; the spans, in order, apart."""

    text: str
    spans: tuple[Span, ...]


def redact(text: str, others: Sequence[str] = ()) -> Redacted:
    """Find and replace what is private in a Chinese text: by rule, and by its likeness to what was private in
    others. `others`: what a recognizer may have heard instead, where it tells.
    """
    likely, found = likelihoods(text, others), _by_rule(text)
    if others:
        found = [one for one in found if not _is_misheard(one, likely)]
    sure = SURE if others else SURE_ALONE
    spans = tuple(_joined((*found, *_by_likeness(text, likely, sure, found))))
    kept: list[str] = []
    last = 0
    for span in spans:
        kept += (text[last : span.start], STANDS_FOR[span.kind])
        last = span.end
    return Redacted("".join((*kept, text[last:])), spans)


def _by_rule(text: str) -> list[Span]:
    """Plates and numbers go before addresses and names; a street or an estate is one with what was taken for
    a number behind it (环城东路54-3-12040).
    """
    found: list[Span] = []
    for find in (find_plates, find_numbers, find_addresses, find_names):
        for span in _joined(Span(*one) for one in find(text)):
            others = [one for one in found if one.start < span.end and span.start < one.end]
            if not others:
                found.append(span)
            elif span.kind == "address" and is_place(text[span.start : min(others).start]):
                found = [one for one in found if one not in others]
                found.append(Span(span.start, max(one.end for one in (span, *others)), span.kind))
    return found


def _is_misheard(one: Span, likely: Likely) -> bool:
    """What is a name or an address to a rule alone (养老街二十号, for 养老金); surnames are left to rules."""
    return (
        one.kind in {"name", "address"}
        and one.end - one.start > 1
        and not may_be_private(likely, one.start, one.end)
    )


def _by_likeness(text: str, likely: Likely, sure: float, found: Sequence[Span]) -> Iterator[Span]:
    """What looks private besides what rules found."""
    taken = {place for span in found for place in range(span.start, span.end)}
    for start, end, kind in find_likely(text, likely, sure, taken):
        if not _IS_PUBLIC[kind](text, start, end):
            yield Span(start, end, kind)


_IS_PUBLIC = {"name": is_of_title, "address": is_building, "number": is_public}


def _joined(found: Iterable[Span]) -> Iterator[Span]:
    """In order; those that overlap, and those of one kind without a letter between them, as one."""
    last: Span | None = None
    for span in sorted(found):
        if last and (span.start < last.end or (span.start, span.kind) == (last.end, last.kind)):
            span = Span(last.start, max(span.end, last.end), last.kind)
        elif last:
            yield last
        last = span
    if last:
        yield last
