"""Pages: how many, and an opaque cursor that says after which record the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sync.api.problems import Problem

LARGEST_PAGE = 100
USUAL_PAGE = 50
_LONGEST_CURSOR = 300


@dataclass(frozen=True)
class After:
    """A place in a list ordered by moment, then id."""

    moment: datetime
    id: str

    def cursor(self) -> str:
        """As handed to a platform."""
        text = json.dumps([self.moment.isoformat(), self.id])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


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
    try:
        if not cursor.isascii() or len(cursor) > _LONGEST_CURSOR:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, record_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        after = After(datetime.fromisoformat(moment), str(record_id))
        if after.moment.tzinfo is None or "\x00" in after.id:
            raise ValueError
        return after
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise Problem(400, "this cursor is not one of ours") from error
