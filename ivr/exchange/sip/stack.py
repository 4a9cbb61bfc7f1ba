"""What the line needs of a SIP stack; the only door through which one is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from ivr.exchange.errors import ExchangeError

KeySource = Literal["event", "inband"]
Ending = Literal["completed", "busy", "no-answer", "failed"]


class StackError(ExchangeError):
    """The SIP stack does not start, or is gone."""


@dataclass(frozen=True)
class Invite:
    """The headers of a call that has come in, as they were written; '' for one that was not there.

    `source` is the address its packet really came from, '' where the stack cannot tell.
    """

    from_: str = ""
    to: str = ""
    asserted: str = ""
    privacy: str = ""
    source: str = ""


class Leg(Protocol):
    """One side of a SIP call. Sound is 8 kHz mono PCM16LE; nothing here blocks.

    The line sets `on_key` (a digit has begun), `on_key_over` (it is over), `on_ringing` (of a leg that was
    dialled: the other telephone rings), `on_answered` and `on_over`.
    All are called in the event loop, `on_over` once. After that every method does nothing.
    """

    invite: Invite
    on_key: Callable[[str], None]
    on_key_over: Callable[[], None]
    on_ringing: Callable[[], None]
    on_answered: Callable[[], None]
    on_over: Callable[[], None]

    @property
    def is_over(self) -> bool:
        """True once either side has hung up."""

    @property
    def ending(self) -> Ending:
        """How it ended."""

    def answer(self) -> None:
        """Pick up; `on_answered` follows."""

    def refuse(self, is_busy: bool) -> None:
        """Turn the call away unanswered."""

    def hang_up(self) -> None:
        """End it; `on_over` follows."""

    def press(self, digit: str) -> None:
        """Press a key on this side."""

    def write(self, pcm: bytes) -> int:
        """Hand over sound to be sent in its own time; how many bytes were taken."""

    def unsent(self) -> int:
        """Bytes handed over and not yet sent."""

    def flush(self) -> None:
        """Forget what has not been sent."""

    def read(self) -> bytes:
        """What was heard since the last time."""


class Stack(Protocol):
    """A SIP stack that has one address and answers calls to it."""

    on_dead: Callable[[], None]

    async def start(self, take: Callable[[Leg], None]) -> None:
        """Listen. `take` is called with every new call. Raises StackError."""

    async def dial(self, address: str, headers: Mapping[str, str] | None = None) -> Leg:
        """Ring `sip:…`, with headers of one's own; answered or over later. Raises StackError."""

    async def close(self) -> None:
        """End all calls and let the address go."""
