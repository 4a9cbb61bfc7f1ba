"""Paging by keyset: where a page ended goes into the address of the next, so each page costs the same."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, and_, or_
from sqlalchemy.orm import InstrumentedAttribute

Value = str | int | datetime
Row = TypeVar("Row")


@dataclass(frozen=True)
class Key:
    """One column that a list is ordered by; the last one must be unique."""

    column: InstrumentedAttribute[Any] | ColumnElement[Any]
    is_descending: bool = False


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the mark under which the next ones begin; None at the end."""

    rows: Sequence[Row]
    following: str | None


def order_of(keys: Sequence[Key]) -> list[ColumnElement[Any]]:
    """What goes into ORDER BY."""
    return [one.column.desc() if one.is_descending else one.column.asc() for one in keys]


def beyond(keys: Sequence[Key], values: Sequence[Value]) -> ColumnElement[bool]:
    """What comes after the row with these values, in the order of the keys.

    The first column is bounded on its own, too: that is what a database walks an index from.
    """
    steps = []
    for place, key in enumerate(keys):
        same = [one.column == value for one, value in zip(keys[:place], values[:place], strict=True)]
        steps.append(and_(*same, _after(key, values[place])))
    first = keys[0].column
    bound = first <= values[0] if keys[0].is_descending else first >= values[0]
    return and_(bound, or_(*steps))


def page_of(rows: Sequence[Row], size: int, *marks: Value) -> Page[Row]:
    """A page of `size` from rows of which one more was asked for; `marks` are the last shown row's values."""
    return Page(rows[:size], mark(*marks) if len(rows) > size else None)


def mark(*values: Value) -> str:
    """Where a page ended, for an address."""
    plain = [[one.timestamp()] if isinstance(one, datetime) else one for one in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def unmark(text: str, *kinds: type) -> tuple[Any, ...] | None:
    """What `mark` was given, where it is of these kinds; None for anything else: the list begins anew."""
    try:
        plain = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        values = tuple(_moment(one[0]) if isinstance(one, list) else one for one in plain)
    except (binascii.Error, ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    fits = len(values) == len(kinds) and all(
        type(one) is kind for one, kind in zip(values, kinds, strict=True)
    )
    return values if fits else None


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(round(seconds, 6), UTC)


def _after(key: Key, value: Value) -> ColumnElement[bool]:
    return key.column < value if key.is_descending else key.column > value
