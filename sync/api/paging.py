"""Pages: how many, and an opaque cursor that says after which record the next one begins."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sync.api.problems import Problem

LARGEST_PAGE = 100
USUAL_PAGE = 50
CURSOR = r"^([0-9]{1,16})\.([A-Za-z0-9_-]{1,40})$"  # any of this shape is a place; nothing else is
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class After:
    """A place in a list ordered by moment, then id."""

    moment: datetime
    id: str

    def cursor(self) -> str:
        """As handed to a platform: microseconds since 1970, and the id."""
        return f"{(self.moment - _EPOCH) // timedelta(microseconds=1)}.{self.id}"


@dataclass(frozen=True)
class Page:
    """What was asked for: at most `limit` records after a place (None: from the first)."""

    limit: int
    after: After | None


def page_of(arguments: Mapping[str, str]) -> Page:
    """The page that `limit` and `cursor` ask for. Problem 422 for a bad limit, 400 for a bad cursor."""
    given = arguments.get("limit", str(USUAL_PAGE))
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 1 <= int(given) <= LARGEST_PAGE):
        raise Problem(422, f"limit is a number from 1 to {LARGEST_PAGE}")
    cursor = arguments.get("cursor")
    return Page(int(given), _read(cursor) if cursor is not None else None)


def _read(cursor: str) -> After:
    found = re.fullmatch(CURSOR, cursor)
    if found is None:
        raise Problem(400, "this cursor is not one of ours")
    return After(_EPOCH + timedelta(microseconds=int(found[1])), found[2])
