"""What a loudspeaker of ours remembers of its jobs, in a small file: none is begun twice, come what may."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from ivr.broadcast.wire import Answer, Order, read_answer, read_order

KEPT_SECONDS = 7 * 86_400
"""So long after its last moment a job is remembered: longer than any broker keeps a message of ours."""


@dataclass
class Remembered:
    """A job and the last thing told of it; `order` is None where only its end is known."""

    answer: Answer
    order: Order | None = None

    @property
    def is_over(self) -> bool:
        """Whether it ended, one way or another."""
        return self.answer.what in ("finished", "failed")


class Memory:
    """Lines of JSON, each on the disk before the call returns. Without a file all is forgotten at the end.

    A line that was cut off by a power failure is passed over. May be used by two threads. Raises OSError when
    the disk is full.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._writing = Lock()
        self._jobs: dict[str, Remembered] = {}
        self._stopped: dict[str, float] = {}
        if path is not None and path.exists():
            for line in path.read_text("utf-8", "replace").splitlines():
                self._read(line)
            self._forget_old()

    def get(self, job_id: str) -> Remembered | None:
        """What is known of a job."""
        return self._jobs.get(job_id)

    def unfinished(self) -> list[Remembered]:
        """Jobs that were taken and are not over."""
        return [one for one in list(self._jobs.values()) if not one.is_over]

    def ended_since(self, at: float) -> list[Answer]:
        """How jobs ended lately."""
        return [one.answer for one in list(self._jobs.values()) if one.is_over and one.answer.at >= at]

    def is_stopped(self, airing_id: str) -> bool:
        """Whether nothing of this airing is to sound any more."""
        return airing_id in self._stopped

    def note(self, answer: Answer, order: Order | None = None) -> None:
        """Remember what is about to be told of a job."""
        before = self._jobs.get(answer.id)
        self._jobs[answer.id] = Remembered(answer, order or (before.order if before else None))
        self._append({"answer": asdict(answer)} | ({"order": asdict(order)} if order else {}))

    def note_stop(self, airing_id: str) -> None:
        """Remember that an airing is over, also one that is not known yet."""
        at = time.time()
        self._stopped[airing_id] = at
        self._append({"stopped": airing_id, "at": at})

    def _append(self, line: dict[str, Any]) -> None:
        if self._path is None:
            return
        with self._writing, self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self, line: str) -> None:
        try:
            given = json.loads(line)
            if "stopped" in given:
                self._stopped[str(given["stopped"])] = float(given["at"])
                return
            answer = read_answer(json.dumps(given["answer"]).encode())
        except (ValueError, TypeError, KeyError):
            return
        if answer is not None:
            order = read_order(json.dumps(given["order"]).encode()) if "order" in given else None
            before = self._jobs.get(answer.id)
            self._jobs[answer.id] = Remembered(answer, order or (before.order if before else None))

    def _forget_old(self) -> None:
        """Write the file anew without what no message can bring back."""
        oldest = time.time() - KEPT_SECONDS
        self._jobs = {
            job_id: one
            for job_id, one in self._jobs.items()
            if max(one.answer.at, one.order.expires if one.order else 0) > oldest
        }
        self._stopped = {airing: at for airing, at in self._stopped.items() if at > oldest}
        path, self._path = self._path, None if self._path is None else self._path.with_suffix(".new")
        if path is None or self._path is None:
            return
        self._path.write_text("")
        for one in self._jobs.values():
            self._append({"answer": asdict(one.answer)} | ({"order": asdict(one.order)} if one.order else {}))
        for airing_id, at in self._stopped.items():
            self._append({"stopped": airing_id, "at": at})
        self._path.replace(path)
        self._path = path
