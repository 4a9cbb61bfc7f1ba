"""The merge on PostgreSQL beside bare statements, as records grow, with a second worker; the feed; Polis.

`make bench BENCH=sync` takes a quarter of an hour; with `SMALL=1` in front of it a minute, on fewer rows.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import polis
from benchmarks.feed import measure_feed
from benchmarks.report import Measured
from benchmarks.sync_bare import rows_of, write
from benchmarks.sync_town import Town, town
from benchmarks.web import postgres_server
from sync.archive import Archive
from sync.database import Database
from sync.inbox import is_waiting
from sync.settle import BATCH, settle_batch

MERGE_TARGET, GROWTH_TARGET, WORKERS_TARGET = 0.3, 1.3, 1.5
PUBLISHED = Path(__file__).parents[2] / "shared" / "data" / "polis"
_WARM = 2_000


@dataclass(frozen=True)
class Sizes:
    """How much is measured: captures a round, rounds, the two lengths of history, conversations."""

    captures: int
    rounds: int
    short: int
    long: int
    conversations: int


USUAL = Sizes(captures=10_000, rounds=5, short=50_000, long=1_000_000, conversations=99)
SMALL = Sizes(captures=3_000, rounds=3, short=5_000, long=50_000, conversations=2)


def measure() -> Iterator[Measured]:
    """Every line, on a PostgreSQL of its own."""
    sizes = SMALL if os.environ.get("SMALL") else USUAL
    with (
        tempfile.TemporaryDirectory(prefix="tj-bench-") as folder,
        postgres_server(Path(folder) / "pg") as url,
    ):
        home = Path(folder)
        yield _merge(url, home, sizes)
        yield _growth(url, home, sizes)
        yield _workers(url, home, sizes)
        yield from measure_feed(url, home / "feed")
        yield from _polis(url, home, sizes)


def _merge(url: str, home: Path, sizes: Sizes) -> Measured:
    """Waiting captures settled, beside their ballots, history and changes written as they are."""
    rates, ratios = [], []
    people = sizes.captures
    with town(url, "merging", home / "a", people) as ours, town(url, "bare", home / "b", people) as bare:
        for count in (_WARM, *[sizes.captures] * sizes.rounds):
            ours.waiting(count)
            bare.topic()
            seconds = write(bare.url, rows_of(ours.url, ours.newest_topic), BATCH)
            took = _settle(ours.archive)
            rates.append(count / took)
            ratios.append(seconds / took)
    return Measured("sync.merge", median(rates[1:]), "captures/s", MERGE_TARGET, median(ratios[1:]))


def _growth(url: str, home: Path, sizes: Sizes) -> Measured:
    """Microseconds a capture with a long history in the tables, over those with a short one; in turns."""
    with (
        town(url, "short", home / "s", people=sizes.short // 10) as few,
        town(url, "long", home / "l", people=sizes.long // 10) as many,
    ):
        few.history(sizes.short)
        many.history(sizes.long)
        costs: dict[str, list[float]] = {few.url: [], many.url: []}
        for count in (_WARM, *[sizes.captures // 2] * sizes.rounds):
            for place in (few, many):
                place.waiting(count)
                costs[place.url].append(_settle(place.archive) / count)
    short, long = (median(costs[place.url][1:]) for place in (few, many))
    return Measured("sync.growth", long * 1e6, "us/capture", GROWTH_TARGET, long / short, is_at_most=True)


def _workers(url: str, home: Path, sizes: Sizes) -> Measured:
    """Two workers in processes of their own, over one; each round on as many captures."""
    ratios, rates = [], []
    with town(url, "workers", home / "w", sizes.captures * 2) as place:
        for _ in range(sizes.rounds):
            one, two = (_with_workers(place, sizes.captures * 2, workers) for workers in (1, 2))
            rates.append(sizes.captures * 2 / two)
            ratios.append(one / two)
    cores = os.cpu_count() or 1
    # PostgreSQL works beside each worker: of two cores one worker leaves none to a second.
    name = "sync.two_workers" if cores >= 4 else f"sync.two_workers_on_{cores}_cores"
    return Measured(name, median(rates), "captures/s", WORKERS_TARGET, median(ratios))


def _with_workers(place: Town, count: int, workers: int) -> float:
    """Seconds in which so many workers settle `count` captures that wait already."""
    command = [sys.executable, "-m", "benchmarks.settler", place.url, str(place.home), str(BATCH), "wait"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    try:
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        place.waiting(count)
        began = time.perf_counter()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        while _is_waiting(place.archive.database):
            time.sleep(0.02)
        return time.perf_counter() - began
    finally:
        for process in processes:
            process.kill()
            process.wait(30)


def _polis(url: str, home: Path, sizes: Sizes) -> Iterator[Measured]:
    """The published conversations, where they lie beside the project: how many cells come out otherwise."""
    folders = sorted(PUBLISHED.glob("*/votes.csv"), key=lambda path: path.stat().st_size)
    for n, path in enumerate(folders[: sizes.conversations]):
        votes, wanted = polis.read_votes(path.parent), polis.read_matrix(path.parent)
        place = home / f"polis{n}"
        with polis.archive_on(url, f"polis{n}", place) as archive:
            polis.found(archive, votes)
            polis.replay(archive, votes, place, kills=6)
            ours = polis.matrix(archive)
        wrong = sum(ours.get(cell) != wanted.get(cell) for cell in ours.keys() | wanted.keys())
        wrong += polis.last_votes(votes) != wanted
        name = f"polis.{path.parent.name}.cells_wrong"
        yield Measured(name, wrong, f"of {len(wanted)}".replace(" ", "_"), 0, is_at_most=True)


def _settle(archive: Archive) -> float:
    began = time.perf_counter()
    while settle_batch(archive).is_more:
        pass
    return time.perf_counter() - began


def _is_waiting(database: Database) -> bool:
    with database.read() as session:
        return is_waiting(session)
