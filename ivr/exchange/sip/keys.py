"""Every key once: what the same press says twice, in another way or out of order, is left out."""

from __future__ import annotations

from ivr.exchange.sip.stack import KeySource

REPEAT_SECONDS = 0.1
"""The same digit so soon is no new press: a late packet of the old one (0–10 ms at 1 % reordering)."""
ECHO_SECONDS = 0.4
"""The same digit so soon in another way is the same press: a gateway that lets the tone through, too."""


class Keys:
    """The keys of one call. A call whose keys come as events is not listened to for tones any more.

    `hold` tells that a digit still sounds, so that a long press is one.
    """

    def __init__(self) -> None:
        self.has_events = False
        self._digit, self._source, self._at = "", "", 0.0

    def press(self, digit: str, source: KeySource, now: float) -> bool:
        """Whether this is a new press. `now` in seconds, of any clock that never goes back."""
        if source == "event":
            self.has_events = True
        elif self.has_events:
            return False
        apart = REPEAT_SECONDS if source == self._source else ECHO_SECONDS
        is_new = digit != self._digit or now - self._at >= apart
        if is_new or source == self._source:
            self._digit, self._source, self._at = digit, source, now
        return is_new

    def hold(self, now: float) -> None:
        """The last digit was there until now."""
        self._at = now
