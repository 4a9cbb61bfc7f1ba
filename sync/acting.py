"""Who acts at the desk, and how an act is refused: what every act shares, without what any of them needs."""

from __future__ import annotations

from dataclasses import dataclass

from sync.errors import RecordsError


class DeskError(RecordsError):
    """An act that can't be done. `code` names the reason, for a desk that says it in its own language."""

    def __init__(self, message: str, code: str, longest: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.longest = longest


class NotThere(DeskError):
    """The staff member's community has no such record."""


class ChangedMeanwhile(DeskError):
    """Somebody else changed the record since it was read."""


@dataclass(frozen=True)
class Actor:
    """Who acts: the id of a staff member, and the one community whose records they may touch."""

    id: str
    community_id: str
