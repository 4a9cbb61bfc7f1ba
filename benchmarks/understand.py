"""How well opinions are understood: what they are about, and the benches beside this one."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec

from benchmarks.report import Measured

PARTS = ("learned", "purpose", "urgent", "likeness", "summary")


def measure() -> Iterator[Measured]:
    """All parts that are there, one after the other."""
    for part in PARTS:
        name = f"benchmarks.understand_{part}"
        if find_spec(name) is not None:
            yield from import_module(name).measure()
