"""A worker makes room for the calls: it goes after them, on few threads, within a bound of memory."""

from __future__ import annotations

import os
import resource
from pathlib import Path

NICENESS = 10
THREADS = 2  # as the engines themselves are told
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")
_THREADS_OF_ALL = Path("/proc/self/task")
_SESSION = Path("/proc/self/autogroup")
_MEBIBYTE = 1 << 20


def make_room(niceness: int = NICENESS) -> None:
    """Let calls go first. Call it before numpy is imported; calling it again does no harm.

    On Linux a niceness is that of one thread, and threads of a library that has begun keep theirs; so all of
    them are told. Where the kernel groups processes by session (sched(7), autogroup), it compares niceness
    within a session only: a session of our own, as under `tingjian run`, is told too. Libraries that start a
    thread for every processor are kept to two by the variables that they read, unless an operator set them.
    """
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, str(THREADS))
    for thread in _own_threads():
        _stand_back(thread, niceness)
    if niceness and os.getsid(0) == os.getpid():
        try:
            _SESSION.write_text(str(niceness))
        except OSError:
            return  # no such kernel, or it was told a moment ago: niceness within the session stands


def bound_memory(mebibytes: int) -> None:
    """Let this process hold no more data than this; what would need more fails as an error of its own.

    A lower bound that stands already stays.
    """
    wanted = mebibytes * _MEBIBYTE
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    known = [limit for limit in (wanted, soft, hard) if limit != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(known), hard))


def _own_threads() -> list[int]:
    """The ids of all threads, where the system tells them; 0 is the one that asks."""
    try:
        return [int(one.name) for one in _THREADS_OF_ALL.iterdir()]
    except OSError:
        return [0]


def _stand_back(thread: int, niceness: int) -> None:
    try:
        if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
    except ProcessLookupError:
        return  # it ended meanwhile
