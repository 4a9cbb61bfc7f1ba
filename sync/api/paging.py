"""Pages: how many, and an opaque cursor that says after which record the next one begins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_

from sync.api.problems import Problem

LARGEST_PAGE = 100
USUAL_PAGE = 50
LONGEST_ID = 40
CURSOR = r"^([0-9]{1,16})\.([A-Za-z0-9_-]{1,40})$"  # any of this shape is a place; nothing else is
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Query = TypeVar("Query", bound=Select[Any])
Found = TypeVar("Found")


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

    def of(self, query: Query, moment: Any, record_id: Any) -> Query:
        """The query for this page and one record more, in the order of these two columns."""
        if self.after is not None:
            query = query.where(tuple_(moment, record_id) > tuple_(self.after.moment, self.after.id))
        return query.order_by(moment, record_id).limit(self.limit + 1)

    def answer(
        self,
        found: Sequence[Found],
        place: Callable[[Found], After],
        show: Callable[[Sequence[Found]], list[dict[str, Any]]],
    ) -> dict[str, Any]:
        """The page as JSON, from what the query of `of` found."""
        kept = found[: self.limit]
        cursor = place(kept[-1]).cursor() if len(found) > self.limit else None
        return {"items": show(kept), "has_more": cursor is not None, "next_cursor": cursor}


def page_of(arguments: Mapping[str, str]) -> Page:
    """The page that `limit` and `cursor` ask for. Problem 422 for a bad limit, 400 for a bad cursor."""
    limit = limit_of(arguments, USUAL_PAGE, LARGEST_PAGE)
    cursor = arguments.get("cursor")
    return Page(limit, _read(cursor) if cursor is not None else None)


def limit_of(arguments: Mapping[str, str], usual: int, largest: int) -> int:
    """How many records are asked for. Problem 422 for what is no number from 1 to `largest`."""
    given = whole(arguments.get("limit", str(usual)))
    if given is None or not 1 <= given <= largest:
        raise Problem(422, f"limit is a number from 1 to {largest}")
    return given


def whole(text: str) -> int | None:
    """A number of at most four digits; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def id_of(arguments: Mapping[str, str], name: str) -> str | None:
    """An id to narrow a list by. Problem 422 for one longer than any id."""
    given = arguments.get(name)
    if given is not None and len(given) > LONGEST_ID:
        raise Problem(422, f"an id has at most {LONGEST_ID} characters")
    return given or None


def _read(cursor: str) -> After:
    found = re.fullmatch(CURSOR, cursor)
    if found is None:
        raise Problem(400, "this cursor is not one of ours")
    return After(_EPOCH + timedelta(microseconds=int(found[1])), found[2])
