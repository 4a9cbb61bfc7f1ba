"""What passes between the dialogue and the world: what was heard, the turn that answers it. Plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ivr.dialogue.keeps import Keep


# --- values inside a sentence, each read aloud in its own way ---
@dataclass(frozen=True)
class Text:
    """Words to be read as they stand: a topic's title, a neighbour's opinion."""

    text: str


@dataclass(frozen=True)
class Digits:
    """A number read digit by digit (幺 for 1): receipts, telephone numbers."""

    digits: str


@dataclass(frozen=True)
class Count:
    """A quantity: 三条, 两位."""

    number: int


@dataclass(frozen=True)
class Sound:
    """A stored recording played in the speaker's own voice."""

    recording_id: str


@dataclass(frozen=True)
class Recall:
    """A fact known only once this turn's keeps are written: found in the place's memory, read as digits."""

    name: str


Value = Text | Digits | Count | Sound | Recall


@dataclass(frozen=True)
class Line:
    """One prompt with its values. `prompt` is an id of the prompt book, never a sentence."""

    prompt: str
    values: Mapping[str, Value] = field(default_factory=dict)
    is_slow: bool = False


# --- what was heard ---
@dataclass(frozen=True)
class Started:
    """The call has just been answered."""


@dataclass(frozen=True)
class Pressed:
    """Keys, and how many seconds after the previous turn was given they arrived (double taps)."""

    keys: str
    after_seconds: float = 60.0


@dataclass(frozen=True)
class Silence:
    """Nothing came before the time-out."""


@dataclass(frozen=True)
class Recorded:
    """A finished recording (its id in the records), its length, and what ended it."""

    recording_id: str
    seconds: float
    ended_by: Literal["key", "silence", "limit", "hangup"]


@dataclass(frozen=True)
class Dialled:
    """What became of calling a person."""

    is_answered: bool


@dataclass(frozen=True)
class Told:
    """The records' answer to an `AskRecords` wait: a branch, and facts kept in the place's memory."""

    branch: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class HungUp:
    """The caller is gone."""


Heard = Started | Pressed | Silence | Recorded | Dialled | Told | HungUp


# --- what a turn waits for ---
@dataclass(frozen=True)
class GatherKeys:
    """Wait for `count` keys; `finish_on` ends a typed number early ('' for single keys).

    Keys count while lines are spoken, from the line `from_line` on (0 is the first).
    """

    count: int = 1
    finish_on: str = ""
    timeout_seconds: int = 10
    from_line: int = 0


@dataclass(frozen=True)
class RecordSpeech:
    """Record one segment; a short tone instead of the full beep joins it to the one before."""

    max_seconds: int = 150
    silence_seconds: int = 5
    is_continued: bool = False


@dataclass(frozen=True)
class DialPerson:
    """Ring the community's person."""

    number: str
    timeout_seconds: int = 25


@dataclass(frozen=True)
class AskRecords:
    """A question only the records can answer; never reaches the caller: answered at once with `Told`."""

    question: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EndCall:
    """Say goodbye and hang up."""


Wait = GatherKeys | RecordSpeech | DialPerson | AskRecords | EndCall


@dataclass(frozen=True)
class Place:
    """Where a caller is in a flow. JSON-plain, so that a dropped call can resume.

    `memory` holds what the flow must remember (receipt, recordings so far, the chosen seat);
    `back` the steps `9` returns through; `tries` silences or wrong keys in a row; `repeats` presses of `*`;
    `said` the steps that spoke before this one in the same turn (so that `*` repeats all of it);
    `last_key` what caused this turn, `tapped_seconds` how long its double taps have been ignored already.
    """

    step: str
    tries: int = 0
    repeats: int = 0
    back: tuple[str, ...] = ()
    memory: Mapping[str, str] = field(default_factory=dict)
    is_slow: bool = False
    last_key: str = ""
    said: tuple[str, ...] = ()
    tapped_seconds: float = 0.0


@dataclass(frozen=True)
class Turn:
    """Prompts plus one wait, the caller's new place, and what is to be kept in the same transaction."""

    lines: tuple[Line, ...]
    wait: Wait
    place: Place
    keeps: tuple[Keep, ...] = ()
