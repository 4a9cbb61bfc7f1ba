"""Real SIP calls in number: 30 s heard, ten keys, 30 s recorded; ours against a bare loop, in the same run.

Ours is the line's process and the exchange together, with web's part played by a small server that is not
counted; the bare loop is one process of the same library with the same ear for tones. Callers are raw packets
from a process of their own. Then the same beside a transcription worker that never rests, and 500 short calls
after which nothing may have grown. `SMALL=1` makes all of it small: it shows that the benchmark works.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

from benchmarks.line_sip_sound import DIGITS, from_alaw, intact_windows, prompt_pcm, speech_pcm
from benchmarks.line_sip_town import (
    GATHER,
    TOKEN,
    Web,
    busy_worker,
    cpu,
    end,
    environment,
    our_line,
    start,
    wait,
)
from benchmarks.report import Measured
from ivr.exchange.spool import Spool

IS_SMALL = bool(os.environ.get("SMALL"))
CALLS, BUSY_CALLS = ((3, 5), (3,)) if IS_SMALL else ((20, 50, 100), (20, 50))
SOAK_CALLS, SOAK_FIRST, SOAK_AT_ONCE = (24, 8, 8) if IS_SMALL else (500, 100, 25)
"""Calls in all; what is there after the first of them is what may not grow."""
MOST_MEGABYTES, MOST_DESCRIPTORS = 8.0, 0
MOST_WINDOWS_LESS, MOST_CPU_MORE = 0.5, 1.3
SIP_PORTS, RTP_PORTS = (25070, 25071), ((26000, 26999), (27000, 27999))
LOAD_SECONDS = 300


@dataclass
class Score:
    """What came of one round: intact windows and calls with all digits in per cent, CPU seconds a call."""

    heard: float
    recorded: float
    exact: float
    cpu: float


def measure() -> Iterator[Measured]:
    """Each size alone, some beside a busy worker, the bare loop and ours in turns; then the long run."""
    for count in CALLS:
        yield from _both(f"line.sip.{count}", count, is_busy=False)
    for count in BUSY_CALLS:
        yield from _both(f"line.sip.{count}.busy", count, is_busy=True)
    yield from _soak()


def _both(name: str, count: int, is_busy: bool) -> Iterator[Measured]:
    beside = busy_worker() if is_busy else nullcontext()
    with tempfile.TemporaryDirectory(prefix="tj-sip-") as folder, beside:
        bare = _bare(count, Path(folder) / "bare")
        ours = _ours(count, Path(folder) / "ours")
    for what in ("heard", "recorded"):
        value, baseline = getattr(ours, what), getattr(bare, what)
        target = baseline - MOST_WINDOWS_LESS
        yield Measured(
            f"{name}.{what}.intact", value, "%", target, value / max(baseline, 1e-9), is_absolute=True
        )
    yield Measured(
        f"{name}.digits.exact", ours.exact, "%", 100.0, ours.exact / max(bare.exact, 1e-9), False, True
    )
    yield Measured(f"{name}.cpu_per_call", ours.cpu, "s", MOST_CPU_MORE, ours.cpu / bare.cpu, is_at_most=True)


def _bare(count: int, folder: Path) -> Score:
    folder.mkdir()
    first, last = RTP_PORTS[0]
    process = start("benchmarks.line_sip_bare", str(SIP_PORTS[0]), str(first), str(last), str(folder))
    try:
        wait(lambda: (folder / "ready").exists())
        spent = _load(SIP_PORTS[0], count, folder, [process])
    finally:
        end(process)
    recorded = [np.frombuffer(path.read_bytes(), "<i2") / 32768 for path in folder.glob("recorded-*")]
    exact = sum(path.read_text() == DIGITS for path in folder.glob("keys-*"))
    return _score(count, folder, recorded, exact, spent)


def _ours(count: int, folder: Path) -> Score:
    web = Web()
    with our_line(web, folder, SIP_PORTS[1], RTP_PORTS[1]) as ours:
        spent = _load(SIP_PORTS[1], count, folder, ours)
        spool = Spool(folder / "spool", TOKEN.encode())
        tapes = [spool.read(sid) for sid in web.recordings.values()]
    recorded = [np.frombuffer(tape.pcm, "<i2") / 32768 for tape in tapes if tape]
    exact = sum(keys == DIGITS for keys in web.keys.values())
    return _score(count, folder, recorded, exact, spent)


def _score(count: int, folder: Path, recorded: list[np.ndarray], exact: int, spent: float) -> Score:
    heard = [from_alaw(path.read_bytes()) for path in folder.glob("heard-*")]
    shares = []
    for wanted, sounds in ((prompt_pcm(), heard), (speech_pcm(), recorded)):
        counts = [intact_windows(wanted, sound) for sound in sounds]
        each = intact_windows(wanted, np.zeros(0))[1]
        shares.append(100 * sum(good for good, _ in counts) / (each * count))
    return Score(shares[0], shares[1], 100 * exact / count, spent / count)


def _load(port: int, count: int, folder: Path, watched: list[subprocess.Popen[bytes]], *more: str) -> float:
    """Let so many call; the CPU seconds that those watched spent on it."""
    before = sum(map(cpu, watched))
    command = [sys.executable, "-m", "benchmarks.line_sip_load", str(port), str(count), str(folder), *more]
    subprocess.run(command, env=environment(), timeout=LOAD_SECONDS, check=True)
    return sum(map(cpu, watched)) - before


def _soak() -> Iterator[Measured]:
    """Hundreds of short calls, some at a time: all of them whole, and nothing of us grows."""
    web = Web(first=GATHER, collects=True)
    with tempfile.TemporaryDirectory(prefix="tj-sip-") as name:
        folder = Path(name) / "soak"
        with our_line(web, folder, SIP_PORTS[1], RTP_PORTS[1]) as ours:
            told = []
            for count in (SOAK_FIRST, SOAK_CALLS - SOAK_FIRST):
                _load(SIP_PORTS[1], count, folder, ours, str(SOAK_AT_ONCE))
                time.sleep(3)  # the last recordings are taken over
                told.append([_size(process) for process in ours])
    whole = sum(seconds > 1.9 for seconds in web.seconds.values())
    yield Measured("line.sip.soak.whole_calls", 100 * whole / SOAK_CALLS, "%", 100.0)
    for number, process in enumerate(("exchange", "line")):
        (first, open_first), (last, open_last) = told[0][number], told[1][number]
        grown = f"line.sip.soak.{process}"
        yield Measured(f"{grown}.memory_grown", last - first, "MB", MOST_MEGABYTES, is_at_most=True)
        more = open_last - open_first
        yield Measured(f"{grown}.descriptors_more", more, "files", MOST_DESCRIPTORS, is_at_most=True)


def _size(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    """Megabytes of memory, and files that are open."""
    one = psutil.Process(process.pid)
    return one.memory_info().rss / 1e6, one.num_fds()
