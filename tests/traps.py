"""Dying between two steps inside a test's own process: a trap that counts steps and springs before one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy.orm import Session

from sync.archive import Archive


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


class Trap:
    """Counts the steps of a process and kills it before the one asked for (1 is the first)."""

    def __init__(self, step: int) -> None:
        self.left = step

    def pass_by(self) -> None:
        """A step is about to be taken."""
        self.left -= 1
        if self.left == 0:
            raise Killed

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """The same act, with a step before and a step after it."""

        def watched(*given: Any, **named: Any) -> Any:
            self.pass_by()
            result = act(*given, **named)
            self.pass_by()
            return result

        return watched

    def around_transactions(self, archive: Archive, patch: pytest.MonkeyPatch) -> None:
        """A step before, in and after every transaction."""
        begin = archive.database.begin

        @contextmanager
        def watched() -> Iterator[Session]:
            self.pass_by()
            with begin() as session:
                yield session
                self.pass_by()  # killed before the commit: it is rolled back
            self.pass_by()

        patch.setattr(archive.database, "begin", watched)
