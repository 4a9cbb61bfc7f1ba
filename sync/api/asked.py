"""What a platform asks in one call: who asks, about what, with which body, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sync.api.access import Caller
from sync.archive import Archive

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """One call as its view sees it.

    `record_id` is the id in the path ("" where it has none); `body` is None but for a route with a body, and
    then fits the route's schema. `now` is the moment of the call, UTC.
    """

    archive: Archive
    caller: Caller
    arguments: Mapping[str, str]
    record_id: str
    body: Json | None
    now: datetime

    @property
    def given(self) -> Json:
        """The body of a route that has one."""
        assert self.body is not None
        return self.body
