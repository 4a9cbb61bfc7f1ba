"""`python -m benchmarks.run [web speech …]`: measures what is named, or everything there is."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec

BENCHES = ("web", "speech", "sync", "admin", "line", "broadcast", "private", "voice", "understand")


def main(names: list[str]) -> int:
    """Print one line for each measured thing as it is known; 2 when a bench does not exist."""
    known = [name for name in BENCHES if find_spec(f"benchmarks.{name}") is not None]
    for name in names or known:
        if name not in known:
            print(f"there is no bench {name!r}; there are: {', '.join(known)}", file=sys.stderr)
            return 2
        for measured in import_module(f"benchmarks.{name}").measure():
            print(measured, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
