"""Writers of one SQLite file come one by one, threads and processes, and nobody is left standing for ever."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from sync import writers
from sync.errors import RecordsUnavailable
from sync.writers import WritersQueue

PROCESSES = multiprocessing.get_context("forkserver")
ROUNDS = 200


def count_up(database: str, counter: str) -> None:
    """Read a number and write the next one, which loses counts wherever two do it at once."""
    queue, file = WritersQueue(database), Path(counter)
    for _ in range(ROUNDS):
        with queue.turn():
            file.write_text(str(int(file.read_text()) + 1))


def hold(database: str, holds: Event) -> None:
    with WritersQueue(database).turn():
        holds.set()
        time.sleep(60)


def test_threads_and_processes_take_turns(tmp_path: Path) -> None:
    database, counter = str(tmp_path / "records.db"), tmp_path / "count"
    counter.write_text("0")
    given = (database, str(counter))
    others = [PROCESSES.Process(target=count_up, args=given) for _ in range(2)]
    threads = [threading.Thread(target=count_up, args=given) for _ in range(2)]
    for process in others:
        process.start()
    for thread in threads:
        thread.start()
    for process in others:
        process.join()
    for thread in threads:
        thread.join()
    assert int(counter.read_text()) == 4 * ROUNDS


def test_the_turn_of_a_killed_process_is_free_at_once(tmp_path: Path) -> None:
    database, holds = str(tmp_path / "records.db"), PROCESSES.Event()
    other = PROCESSES.Process(target=hold, args=(database, holds), daemon=True)
    other.start()
    assert holds.wait(30)
    os.kill(other.pid or 0, signal.SIGKILL)
    began = time.monotonic()
    with WritersQueue(database).turn():
        assert time.monotonic() - began < 5
    other.join()


def test_behind_a_writer_who_stands_still_others_are_told_so_and_hold_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writers, "BUSY_SECONDS", 0.2)
    database = str(tmp_path / "records.db")
    slow, late, third = (WritersQueue(database) for _ in range(3))
    with slow.turn():
        for _ in range(2):
            with pytest.raises(RecordsUnavailable), late.turn():
                pass
    monkeypatch.setattr(writers, "BUSY_SECONDS", 20)
    for each in (third, late, slow):  # what `late` had asked for in vain is in nobody's way
        with each.turn():
            pass
        each.close()


def test_a_lock_file_that_cannot_be_made_is_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    queue = WritersQueue(str(tmp_path / "no such folder" / "records.db"))
    with pytest.raises(RecordsUnavailable), queue.turn():
        pass
    queue.close()
