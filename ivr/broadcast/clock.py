"""Whether the clock can be trusted: one that jumped must not make anything loud."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

TOLERATED_SECONDS = 90.0  # what a time server corrects in passing
HELD_SECONDS = 900.0  # longer than most programmes may be late, so that what a jump made due is missed
_BOOT = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Look:
    """One look at two clocks: `at` may jump, `steady` (seconds since boot, sleep included) never does."""

    at: datetime
    steady: float


@dataclass
class Clock:
    """Compares every look with the one before. After a jump nothing that is scheduled begins for a while."""

    before: Look | None = None
    _held_until: float = float("-inf")

    def trusts(self, look: Look) -> bool:
        """Whether what is due by this clock may be played."""
        before, self.before = self.before, look
        if before is not None and abs(_jump(before, look)) > TOLERATED_SECONDS:
            self._held_until = look.steady + HELD_SECONDS
        return look.steady >= self._held_until


def now() -> Look:
    """Both clocks at this moment."""
    return Look(datetime.now(UTC), time.clock_gettime(time.CLOCK_BOOTTIME))


def remember(path: Path, look: Look) -> None:
    """Leave a look for the process after this one; the file's age says that this one is alive."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps([_boot(), look.at.isoformat(), look.steady]))
    draft.replace(path)


def recall(path: Path, look: Look) -> Look | None:
    """What an earlier process saw, as `look` can be compared with it; None where there is nothing to compare.

    After another start of the machine only this is known: time has not gone back.
    """
    with suppress(OSError, ValueError, TypeError):
        boot, at, steady = json.loads(path.read_text())
        before = Look(datetime.fromisoformat(at), float(steady))
        if boot == _boot():
            return before
        return Look(before.at, look.steady) if look.at < before.at else None
    return None


def _jump(before: Look, after: Look) -> float:
    return (after.at - before.at).total_seconds() - (after.steady - before.steady)


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
