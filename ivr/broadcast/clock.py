"""Whether the clock can be trusted: one that jumped must not make anything loud."""

from __future__ import annotations

import ctypes
import json
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

TOLERATED_SECONDS = 90.0  # what a time server corrects in passing
HELD_SECONDS = 900.0  # longer than most programmes may be late, so that what a jump made due is missed
DOUBTED_SECONDS = 86_400.0
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised


@dataclass(frozen=True)
class Look:
    """One look at two clocks: `at` may jump, `steady` (seconds since boot, sleep included) never does.

    `is_synchronised`: the kernel says that a time server keeps `at` right.
    """

    at: datetime
    steady: float
    is_synchronised: bool = False


@dataclass(frozen=True)
class Trust:
    """What a clock is worth now: whether anything scheduled may begin, and what time it may also be."""

    is_settled: bool = True
    other_at: datetime | None = None


@dataclass
class Clock:
    """Compares every look with the one before.

    After a jump nothing that is scheduled begins for a quarter of an hour. For a day more, unless a time
    server vouches for the new time, it may also be as late as it would be without the jump: what begins has
    to be allowed by either. `shift` (seconds) is what was jumped.
    """

    before: Look | None = None
    held_until: float = 0.0
    doubted_until: float = 0.0
    shift: float = 0.0

    def judge(self, look: Look) -> Trust:
        """What the clock is worth at this look."""
        before, self.before = self.before, look
        jump = 0.0 if before is None else _jump(before, look)
        if abs(jump) > TOLERATED_SECONDS:
            self.shift += jump
            self.held_until = look.steady + HELD_SECONDS
            self.doubted_until = look.steady + DOUBTED_SECONDS
        if look.is_synchronised or look.steady >= self.doubted_until:
            self.shift = 0.0
        is_doubted = abs(self.shift) > TOLERATED_SECONDS
        other = look.at - timedelta(seconds=self.shift) if is_doubted else None
        return Trust(look.steady >= self.held_until, other)


def now() -> Look:
    """Both clocks at this moment."""
    return Look(datetime.now(UTC), time.clock_gettime(time.CLOCK_BOOTTIME), _is_synchronised())


@dataclass(frozen=True)
class _Kept:
    boot: str
    at: str
    steady: float
    held_until: float = 0.0
    doubted_until: float = 0.0
    shift: float = 0.0
    version: int = field(default=1)


def remember(path: Path, clock: Clock) -> None:
    """Leave a clock to the process after this one; the file's age says that this one is alive."""
    look = clock.before
    if look is None:
        return
    kept = _Kept(
        _boot(), look.at.isoformat(), look.steady, clock.held_until, clock.doubted_until, clock.shift
    )
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(kept)))
    draft.replace(path)


def recall(path: Path, look: Look) -> Clock:
    """The clock of an earlier process, to be compared with `look`; a fresh one where there is none.

    After another start of the machine only this is known: time has not gone back.
    """
    with suppress(OSError, ValueError, TypeError):
        kept = _Kept(**json.loads(path.read_text()))
        at = datetime.fromisoformat(kept.at)
        if kept.boot == _boot():
            return Clock(Look(at, kept.steady), kept.held_until, kept.doubted_until, kept.shift)
        if look.at < at:
            return Clock(Look(at, look.steady))
    return Clock()


def _jump(before: Look, after: Look) -> float:
    return (after.at - before.at).total_seconds() - (after.steady - before.steady)


def _is_synchronised() -> bool:
    """Whether the kernel counts its clock as right. Where it can't be asked, nobody vouches for it."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (OSError, AttributeError):
        return False
    return 0 <= state < _TIME_ERROR


def _boot() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
