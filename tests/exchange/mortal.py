"""An exchange that dies: `python -m tests.exchange.mortal SPOOL WEB PORT POINT` kills itself (-9) there."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ivr.exchange.announce import Announcer
from ivr.exchange.door import Door
from ivr.exchange.errands import Errands
from ivr.exchange.server import run_exchange
from ivr.exchange.spool import Spool, TapeWriter
from tests.exchange.town import quick_settings

POINTS = {
    "begin": (Spool, "begin"),
    "append": (TapeWriter, "append"),
    "finish": (TapeWriter, "finish"),
    "announce": (Announcer, "_params"),
    "ask": (Door, "ask"),
    "delete": (Spool, "delete"),
    "errand": (Errands, "run"),
}


def die() -> None:
    """As the machine would: at once, without a last word."""
    os.kill(os.getpid(), signal.SIGKILL)


def arm(point: str) -> None:
    """`before:append:2` dies before the second append, `after:…` after it, `torn:…` half-way."""
    when, name, count = point.split(":")
    owner, method = POINTS[name]
    real: Callable[..., Any] = getattr(owner, method)
    calls = 0

    def armed(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls < int(count):
            return real(*args, **options)
        if when == "torn":
            tape: TapeWriter = args[0]
            tape._file.write(b"\x00\x00\x3e\x9d" + os.urandom(700))
        if when == "after":
            real(*args, **options)
        die()
        return None

    setattr(owner, method, armed)


def main() -> None:
    """Run, and die if told to."""
    spool, base, port, point = sys.argv[1:]
    if point != "never":
        arm(point)
    run_exchange(replace(quick_settings(Path(spool), base), port=int(port)))


if __name__ == "__main__":
    main()
