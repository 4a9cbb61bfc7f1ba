"""Who works on a row just now: a hold that ends by itself, or at once when its worker is known to be gone."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

_PAUSES_SECONDS = (5, 15, 60, 120, 300, 600, 900)


class Work(Protocol):
    """A row that is worked on: a recording to be fetched, an opinion to be turned into words."""

    tries: int
    next_try_at: datetime | None
    held_by: str | None
    problem: str | None


def worker_name() -> str:
    """This process, so that others on this host can tell whether it still lives: host/pid/start."""
    return f"{socket.gethostname()}/{os.getpid()}/{_started(os.getpid())}"


def is_due(work: Work, now: datetime) -> bool:
    """Whether anybody may take it: its pause is over, or who held it is gone."""
    if work.next_try_at is None or work.next_try_at <= now:
        return True
    return work.held_by is not None and is_gone(work.held_by)


def hold(work: Work, now: datetime, seconds: float) -> None:
    """Take it for so long; after that it is due again."""
    work.held_by, work.next_try_at = worker_name(), now + timedelta(seconds=seconds)


def put_off(work: Work, now: datetime, problem: str) -> None:
    """Give it back until later: seconds after the first tries, a quarter of an hour after many."""
    pause = _PAUSES_SECONDS[min(work.tries, len(_PAUSES_SECONDS) - 1)]
    work.tries += 1
    work.held_by, work.next_try_at, work.problem = None, now + timedelta(seconds=pause), problem


def let_go(work: Work) -> None:
    """It is done."""
    work.held_by = work.next_try_at = None


def is_gone(holder: str) -> bool:
    """Whether a worker is known to have ended. Of other hosts nothing is known: False."""
    host, _, process = holder.rpartition("/")[0].partition("/")
    start = holder.rpartition("/")[2]
    return host == socket.gethostname() and process.isdigit() and _started(int(process)) != start


def _started(pid: int) -> str:
    """When a process began, in clock ticks since boot; '' where there is none (any more)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # field 22 of proc(5); the name before it may hold anything
