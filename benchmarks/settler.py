"""A worker that settles until it is ended: `python -m benchmarks.settler URL HOME BATCH`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from sync.archive import Archive
from sync.errors import RecordsUnavailable
from sync.settle import settle_batch

_REST_SECONDS = 0.02


def settle_on(url: str, home: str, batch: int, waits: bool) -> None:
    """Settle whatever comes; a line on stdout says that it is ready. `waits`: for a line on stdin first."""
    archive = Archive.open(url, Path(home))
    print("ready", flush=True)
    if waits:
        sys.stdin.readline()
    while True:
        try:
            if settle_batch(archive, batch).taken:
                continue
        except RecordsUnavailable:
            pass  # busy: as good as nothing to do
        time.sleep(_REST_SECONDS)


if __name__ == "__main__":
    settle_on(sys.argv[1], sys.argv[2], int(sys.argv[3]), waits="wait" in sys.argv)
