"""What the exchange serves: one telephone in one call. Browser and terminal phones today; a SIP line fits
the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

QUIET_SECONDS = 0.2
"""A microphone that sends nothing for so long is taken to be silent; nothing is put in its place."""
Expecting = Literal["keys", "speech", "nothing"]


@dataclass(frozen=True)
class Key:
    """A key and the moment it was pressed (`time.monotonic()` seconds)."""

    digit: str
    pressed_at: float


@dataclass(frozen=True)
class Dialled:
    """What became of ringing a person: Twilio's DialCallStatus, and how long they spoke."""

    status: Literal["completed", "no-answer", "busy", "failed"]
    seconds: int = 0


class Handset(Protocol):
    """One telephone in one call.

    Sound is 8 kHz mono PCM16LE both ways. Every waiting method raises `HungUp` once the caller is gone and
    nothing of theirs is left to hand over: keys pressed and words spoken before hanging up still come out
    first. Cancelling `key` or `hear` loses nothing; cancelling `play` stops the sound within 100 ms.
    """

    @property
    def kind(self) -> str:
        """`browser`, `terminal` or `sip`: told to web with every request."""

    @property
    def caller(self) -> str:
        """The number calling; '' when withheld."""

    @property
    def dialled(self) -> str:
        """The number called: it chooses the community."""

    @property
    def is_gone(self) -> bool:
        """True once the caller has hung up."""

    async def answer(self) -> None:
        """Pick up."""

    async def ring(self, seconds: float) -> None:
        """Let a real telephone ring so long before anything else; practice phones do not wait."""

    async def reject(self, reason: str) -> None:
        """Refuse the call unanswered."""

    async def play(self, pcm: bytes) -> None:
        """Play to the end; the next sound follows without a gap when given at once."""

    async def key(self, timeout_seconds: float | None = None) -> Key | None:
        """The next key, in the order pressed, however early; None after the time-out."""

    def listen(self) -> None:
        """Begin to keep what the microphone hears, from now on."""

    async def hear(self) -> bytes:
        """What was heard since the last time; b"" when the phone has sent nothing for QUIET_SECONDS."""

    def stop_listening(self) -> bytes:
        """What was heard and not yet taken; from now on nothing is kept."""

    async def show(self, caption: str) -> None:
        """Show the words now spoken, where a phone has a screen; else nothing."""

    async def expect(self, what: Expecting, seconds: float = 0) -> None:
        """Tell the phone what the call waits for, and for how long; a SIP line needs nothing."""

    async def hang_up(self, reason: str = "completed") -> None:
        """End the call; harmless when it is over already."""

    async def dial(self, number: str, timeout_seconds: float) -> Dialled:
        """Ring a person and join the two until one hangs up."""
