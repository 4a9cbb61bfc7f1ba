"""Taking out of a text what points to one person: numbers, names, addresses, plates, written or spoken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from speech.private_names import find_names
from speech.private_numbers import find_numbers
from speech.private_places import find_addresses, is_place
from speech.private_plates import find_plates

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


def redact(text: str) -> Redacted:
    """Find and replace what is private in a Chinese text. Plates and numbers go before addresses and names;
    a street or an estate is one with what was taken for a number behind it (环城东路54-3-12040).
    """
    found: list[Span] = []
    for find in (find_plates, find_numbers, find_addresses, find_names):
        for span in _joined(find(text)):
            others = [one for one in found if one.start < span.end and span.start < one.end]
            if not others:
                found.append(span)
            elif span.kind == "address" and is_place(text[span.start : min(others).start]):
                found = [one for one in found if one not in others]
                found.append(Span(span.start, max(one.end for one in (span, *others)), span.kind))
    spans = tuple(sorted(found))
    kept: list[str] = []
    last = 0
    for span in spans:
        kept += (text[last : span.start], STANDS_FOR[span.kind])
        last = span.end
    return Redacted("".join((*kept, text[last:])), spans)


def _joined(found: Iterable[tuple[int, int, str]]) -> Iterator[Span]:
    """Those of one finder; where two overlap, one that covers both."""
    last: Span | None = None
    for start, end, kind in sorted(found):
        if last and start < last.end:
            last = Span(last.start, max(end, last.end), last.kind)
            continue
        if last:
            yield last
        last = Span(start, end, kind)
    if last:
        yield last
