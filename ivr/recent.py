"""The values used lately, by key."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, TypeVar

_T = TypeVar("_T")


class Recent(Generic[_T]):
    """At most `most` values; the one put longest ago is forgotten first. Safe between threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[str, _T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> _T | None:
        """The value, if it is still remembered."""
        return self._known.get(key)

    def put(self, key: str, value: _T) -> None:
        """Remember a value."""
        with self._lock:
            self._known[key] = value
            self._known.move_to_end(key)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
