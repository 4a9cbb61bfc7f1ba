"""What the line does while no exchange is there: it says so kindly, and remembers who called."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from ivr.exchange.sentences import Sentences
from ivr.exchange.sip.stack import Leg
from ivr.exchange.sip.telephone import Telephone
from ivr.exchange.sip.wire import said

MOST_MISSED = 500
SENTENCE = "later"


class Alone:
    """`missed` are the calls nobody took, as (from, to, when), the oldest first; withheld numbers are not
    kept. At `unanswered` numbers nobody is answered: a call there costs nothing, for it is called back.
    """

    def __init__(self, sentences: Mapping[str, Path]) -> None:
        self.missed: deque[tuple[str, str, str]] = deque(maxlen=MOST_MISSED)
        self.unanswered: frozenset[str] = frozenset()
        self._sentences = Sentences(sentences, None)

    def take(self, number: int, leg: Leg, caller: str, dialled: str) -> Telephone:
        """Remember who calls; `speak` answers."""
        if caller:
            self.missed.append((caller, dialled, datetime.now(UTC).isoformat(timespec="seconds")))
        telephone = Telephone(number, leg, lambda message: self._told(telephone, message))
        return telephone

    def is_free(self, dialled: str) -> bool:
        """Whether who calls this number is to pay nothing."""
        return dialled in self.unanswered

    async def speak(self, telephone: Telephone, is_free: bool) -> None:
        """Answer with one sentence; `busy` for who is to pay nothing, and where there is no sentence."""
        clip = await self._sentences.clip(SENTENCE)
        if clip.pcm and not is_free:
            telephone.leg.answer()
            telephone.play(1, clip.pcm, is_whole=True)
        else:
            telephone.leg.refuse(is_busy=True)

    def _told(self, telephone: Telephone, message: str | bytes) -> None:
        """Once the sentence is over, so is the call."""
        if isinstance(message, str) and said(message).get("type") == "played":
            telephone.end()
