"""Children are restarted when they die, with growing pauses, and all end when they are told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from admin.processes import Child, Keeper

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
FAIL = [sys.executable, "-c", "raise SystemExit(3)"]


def test_a_killed_child_comes_back_with_a_clear_line() -> None:
    told: list[str] = []
    keeper = Keeper(told.append)
    keeper.start(Child("web", SLEEP))
    try:
        first = keeper.pids()["web"]
        os.kill(first, signal.SIGKILL)
        _until(_watched(keeper, lambda: keeper.pids()["web"] != first))
        assert keeper.is_alive("web")
        assert told == ["web ended (SIGKILL); again in 1 s"]
    finally:
        keeper.stop()


def test_a_child_that_keeps_failing_is_tried_less_and_less_often(tmp_path: Path) -> None:
    told: list[str] = []
    keeper = Keeper(told.append)
    keeper.start(Child("worker", FAIL, tmp_path / "worker.log"))
    try:
        _until(_watched(keeper, lambda: len(told) == 2))
        assert "exit code 3" in told[0]
        assert "again in 1 s" in told[0]
        assert "again in 2 s" in told[1]
        assert "worker.log" in told[0]
    finally:
        keeper.stop()


def test_stopping_ends_everyone_even_those_who_do_not_listen() -> None:
    keeper = Keeper(lambda _: None)
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    keeper.start(Child("kind", SLEEP))
    keeper.start(Child("stubborn", [sys.executable, "-c", stubborn]))
    pids = list(keeper.pids().values())
    time.sleep(0.5)
    keeper.stop(patience_seconds=1.0)
    assert not any(_is_running(pid) for pid in pids)


def test_a_child_ends_when_its_supervisor_is_killed(tmp_path: Path) -> None:
    """kill -9 of `tingjian run` leaves nobody behind."""
    told = tmp_path / "pid"
    supervisor = (
        "import os, subprocess, sys, time\n"
        "os.environ['TINGJIAN_SUPERVISOR'] = str(os.getpid())\n"
        "child = subprocess.Popen([sys.executable, '-m', 'admin.supervised', sys.executable, '-c',"
        " 'import time; time.sleep(60)'])\n"
        f"open({str(told)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", supervisor])
    _until(lambda: told.exists() and told.read_text() != "")
    child = int(told.read_text())
    _until(lambda: "time.sleep" in " ".join(psutil.Process(child).cmdline()[-1:]))
    process.kill()
    process.wait()
    _until(lambda: not _is_running(child))


def _watched(keeper: Keeper, is_so: Callable[[], bool]) -> Callable[[], bool]:
    def look() -> bool:
        keeper.watch()
        return is_so()

    return look


def _is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_a_child_that_is_slow_to_die_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    wait = subprocess.Popen.wait

    def slowly(process: subprocess.Popen[bytes], timeout: float | None = None) -> int:
        if timeout is not None and timeout < 10:
            raise subprocess.TimeoutExpired(process.args, timeout)
        return wait(process, timeout)

    monkeypatch.setattr(subprocess.Popen, "wait", slowly)
    keeper = Keeper(print)
    keeper.start(Child("prompts", SLEEP, may_be_cut=True))
    child = keeper.pids()["prompts"]
    keeper.stop()
    assert not psutil.pid_exists(child)
