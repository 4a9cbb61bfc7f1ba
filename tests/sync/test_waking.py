"""Wakes on their way to the queue: at once, each once, and whatever fails the next ones come through."""

from __future__ import annotations

import threading
import time

from sync.waking import REST_SECONDS, Waker


class Slow:
    """A queue that takes what it is given, in its own time; the job `broken` fails."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, str]]] = []
        self.open = threading.Event()

    def put(self, job: str, **arguments: str) -> bool:
        self.open.wait(5)
        if job == "broken":
            raise KeyError(job)
        self.taken.append((job, arguments))
        return True


def test_nobody_waits_for_the_queue_and_equal_wakes_come_once() -> None:
    queue = Slow()
    waker = Waker(queue)
    waker.put("settle")
    began = time.monotonic()
    for _ in range(50):
        waker.put("settle")
        waker.put("fetch_recording", recording_id="rec_1")
    waker.put("fetch_recording", recording_id="rec_2")
    assert time.monotonic() - began < 1
    queue.open.set()
    _until(queue, ("fetch_recording", {"recording_id": "rec_2"}))
    for wake in (("settle", {}), ("fetch_recording", {"recording_id": "rec_1"})):
        assert 1 <= queue.taken.count(wake) <= 2  # what was asked after the first was taken is not lost


def test_a_wake_after_a_wake_is_put_again() -> None:
    queue = Slow()
    queue.open.set()
    waker = Waker(queue)
    for _ in range(3):
        waker.put("settle")
        time.sleep(REST_SECONDS * 1.5)
    waker.put("last")
    _until(queue, ("last", {}))
    assert queue.taken.count(("settle", {})) == 3


def test_what_cannot_be_put_keeps_nothing_back() -> None:
    queue = Slow()
    queue.open.set()
    waker = Waker(queue)
    waker.put("broken")
    waker.put("settle")
    _until(queue, ("settle", {}))


def _until(queue: Slow, wake: tuple[str, dict[str, str]]) -> None:
    until = time.monotonic() + 5
    while wake not in queue.taken:
        assert time.monotonic() < until, queue.taken
        time.sleep(0.01)
