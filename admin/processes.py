"""Child processes kept alive: started in order, restarted when they die, stopped in reverse."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOG = logging.getLogger("tingjian.run")
_FIRST_PAUSE_SECONDS = 1.0
_LONGEST_PAUSE_SECONDS = 30.0
_CUT_SECONDS = 1.0
_KILLED_SECONDS = 60.0  # a busy machine takes a while to clear away a large process
_STEADY_SECONDS = 20.0  # a child that lived this long has earned a short pause again


@dataclass(frozen=True)
class Child:
    """One process to keep: its name for people, its command, the file for what it prints (None: as ours).

    `may_be_cut`: it loses nothing by being killed at any moment, so stopping does not wait for it long.
    `is_needed`: others lean on it until they have ended, so it is asked to end after them.
    """

    name: str
    command: Sequence[str]
    log: Path | None = None
    may_be_cut: bool = False
    is_needed: bool = False


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    began: float
    pause: float = _FIRST_PAUSE_SECONDS
    again_at: float | None = None
    restarts: int = 0


@dataclass
class Keeper:
    """Keeps children alive until `stop`. `tell` gets one clear line whenever one dies and comes back."""

    tell: Callable[[str], None]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    _running: list[_Running] = field(default_factory=list)

    def start(self, child: Child) -> None:
        """Start one more; children are stopped in the reverse of this order."""
        self._running.append(_Running(child, self._spawn(child), time.monotonic()))

    def watch(self) -> None:
        """Look once: restart what has died and whose pause is over. Call this several times a second."""
        now = time.monotonic()
        for one in self._running:
            if one.again_at is None and one.process.poll() is not None:
                self._grieve(one, now)
            elif one.again_at is not None and now >= one.again_at:
                one.process, one.began, one.again_at = self._spawn(one.child), now, None
                one.restarts += 1

    def is_alive(self, name: str) -> bool:
        """Whether the child of that name runs at this moment."""
        return any(one.child.name == name and one.process.poll() is None for one in self._running)

    def pids(self) -> dict[str, int]:
        """Process ids by name, for those who watch from outside."""
        return {one.child.name: one.process.pid for one in self._running}

    def stop(self, patience_seconds: float = 10.0) -> None:
        """Ask each to end, those that others need last; kill what has not ended in time."""
        for one in self._running:
            if not one.child.is_needed and one.process.poll() is None:
                one.process.terminate()  # these end side by side
        order = [*reversed(self._running)]
        for one in sorted(order, key=lambda one: one.child.is_needed):
            _end(one, _CUT_SECONDS if one.child.may_be_cut else patience_seconds)
        self._running.clear()

    def _grieve(self, one: _Running, now: float) -> None:
        if now - one.began > _STEADY_SECONDS:
            one.pause = _FIRST_PAUSE_SECONDS
        one.again_at = now + one.pause
        where = f"; see {one.child.log}" if one.child.log else ""
        self.tell(
            f"{one.child.name} ended ({_why(one.process.returncode)}); again in {one.pause:.0f} s{where}"
        )
        one.pause = min(one.pause * 2, _LONGEST_PAUSE_SECONDS)

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches only the keeper, which then stops the children in order.
        output = child.log.open("ab") if child.log else None
        try:
            return subprocess.Popen(
                list(child.command),
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT if output else None,
                start_new_session=True,
            )
        finally:
            if output:
                output.close()


def _why(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"


def _end(one: _Running, patience_seconds: float) -> None:
    process = one.process
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(patience_seconds)
    except subprocess.TimeoutExpired:
        if not one.child.may_be_cut:
            LOG.warning("%s did not end in %.0f s and is killed", one.child.name, patience_seconds)
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            process.kill()
        process.wait(_KILLED_SECONDS)
