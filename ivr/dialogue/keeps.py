"""Intentions: what a turn asks the records to keep. `ivr/calls.py` writes them as captures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AGREE, DISAGREE, PASS = "agree", "disagree", "pass"


@dataclass(frozen=True)
class KeepBallot:
    """One choice on a topic: `agree`, `disagree`, `pass` or an option's name, for one seat on this number."""

    topic_id: str
    choice: str


@dataclass(frozen=True)
class KeepReaction:
    """A ballot on a neighbour's opinion."""

    opinion_id: str
    choice: str


@dataclass(frozen=True)
class KeepOpinion:
    """What was said after the beep. Later segments and the release of the same opinion carry the same `key`.

    Writing it allots a receipt, put into the place's memory as `receipt`.
    """

    key: str
    recordings: tuple[str, ...]
    topic_id: str | None = None
    kind: Literal["opinion", "message"] = "opinion"


@dataclass(frozen=True)
class DropOpinion:
    """The caller wants to say it again: the first version is withdrawn."""

    key: str


@dataclass(frozen=True)
class KeepRelease:
    """How neighbours may hear the opinion: its words read aloud, in the caller's own voice, or not at all.

    It is a consent of its own, given under the notice of that version.
    """

    key: str
    release: Literal["words", "voice", "none"]
    notice_version: str


@dataclass(frozen=True)
class KeepConsent:
    """A notice and how it was answered: that of the recording before the beep, or whether we may call."""

    answer: Literal["pressed", "spoke_after_notice", "refused"]
    notice_version: str
    purpose: Literal["recording", "call_back"] = "recording"


@dataclass(frozen=True)
class KeepSatisfaction:
    """Whether the answer to an own opinion satisfied; not satisfied reopens it."""

    opinion_id: str
    is_satisfied: bool


@dataclass(frozen=True)
class KeepHeard:
    """The caller has heard the reply that was waiting."""

    opinion_id: str


@dataclass(frozen=True)
class KeepSeat:
    """Which person of this number's home speaks from now on (1 is the first seat)."""

    seat: int


@dataclass(frozen=True)
class KeepPace:
    """The caller's pace, remembered for the next call."""

    is_slow: bool


@dataclass(frozen=True)
class KeepRequest:
    """A wish for a person to call back (asked for by `0` when nobody answered and nothing was said)."""

    reason: str


@dataclass(frozen=True)
class KeepTaken:
    """Whoever is on duty sees to it: the opinions whose alerts were told of."""

    alerts: tuple[str, ...]


Keep = (
    KeepBallot | KeepReaction | KeepOpinion | DropOpinion | KeepRelease | KeepConsent
    | KeepSatisfaction | KeepHeard | KeepSeat | KeepPace | KeepRequest | KeepTaken
)  # fmt: skip
