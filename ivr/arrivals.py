"""What reaches a call from outside, and what it says when it cannot go on. Plain values only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ivr.dialogue.turns import Dialled, Pressed, Silence
from sync.placing.rules import UNKNOWN

EXCHANGE = "exchange"
"""The line that is our own."""


@dataclass(frozen=True)
class Arrival:
    """A call that has come in. `caller` and `dialled` are numbers as the platform writes them."""

    sid: str
    line: str
    caller: str
    dialled: str
    handset: str = "phone"
    is_practice: bool = False
    called_at: datetime | None = None

    def rang_at(self, now: datetime) -> datetime:
        """When they called: lately, unless the line has had to wait before it could tell."""
        return now if self.called_at is None else min(now, self.called_at)


@dataclass(frozen=True)
class PlacedArrival:
    """Somebody, or a machine, has answered a call of ours: try `n` of the wish `placed_id`."""

    placed_id: str
    n: int
    arrival: Arrival
    answered_by: str = ""

    @property
    def is_unsure(self) -> bool:
        """Whether the line could not tell if a person listens, and none has pressed a key."""
        return self.answered_by == UNKNOWN


@dataclass(frozen=True)
class Delivered:
    """A finished recording as its platform announces it; `seconds` is None where it did not say."""

    recording_sid: str
    url: str
    seconds: float | None = None
    ended_by: Literal["key", "silence", "limit", "hangup"] = "silence"


Reached = Pressed | Silence | Dialled | Delivered
"""What can answer a turn."""


@dataclass(frozen=True)
class Manner:
    """How a call is spoken to, and which of its documents this is: turn `n` of call `sid`."""

    sid: str
    n: int
    community_id: str = ""
    language: str = "zh"
    voice: str = ""


class CallError(Exception):
    """A call that cannot go on as asked."""


class UnknownNumber(CallError):
    """No community has the number that was dialled."""


class UnknownCall(CallError):
    """No call of this line has this id."""
