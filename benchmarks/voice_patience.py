"""How long a run may render and listen: after that only what was kept before is told."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from math import inf


class OutOfTimeError(Exception):
    """This sound is not known yet, and there is no time left to make it or to listen to it."""


@dataclass(frozen=True)
class Patience:
    """Until when (`time.monotonic`) something new may be begun."""

    until: float = inf

    @classmethod
    def of_run(cls) -> Patience:
        """As many `MINUTES` from now as the environment says; 0: only what is kept; without it no end."""
        minutes = os.environ.get("MINUTES")
        return cls(time.monotonic() + 60 * float(minutes)) if minutes else cls()

    def ask(self) -> None:
        """Before anything new. Raises OutOfTimeError."""
        if time.monotonic() >= self.until:
            raise OutOfTimeError


ENDLESS = Patience()
