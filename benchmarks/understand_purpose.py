"""What a caller wants, on sentences of our own: 25 of each kind of call, as they are and misheard.

`purposes_said_held.tsv` was written before the sentences and signs that are learnt from, by the same hand; a
sign that no sentence to learn from shows was thrown away, so that none is there for these. What is told apart
wrongly, or not told at all, counts as wrong.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.report import Measured
from speech.purpose import PURPOSES, purpose_of
from speech.syllables import misheard
from speech.tables import rows

SAID = Path(__file__).with_name("purposes_said_held.tsv")
NOISE = 0.2
SEEDS = range(5)


def measure() -> Iterator[Measured]:
    """The share that is told right: clean, each kind by itself, misheard; and what one answer costs."""
    said = rows(SAID)
    purpose_of("")  # learns first
    began = time.process_time()
    clean = [_is_right(purpose, text) for purpose, text in said]
    spent = time.process_time() - began
    yield Measured("understand.purpose.clean", _share(clean), "accuracy", 0.8)
    for kind in PURPOSES:
        right = [ok for ok, (purpose, _) in zip(clean, said, strict=True) if purpose == kind]
        yield Measured(f"understand.purpose.clean.{kind}", _share(right), "recall", 0.7)
    noisy = [_is_right(purpose, misheard(text, NOISE, random.Random(f"{seed} {text}")))
             for seed in SEEDS for purpose, text in said]  # fmt: skip
    yield Measured("understand.purpose.misheard", _share(noisy), "accuracy", 0.7)
    yield Measured("understand.purpose.cost", 1000 * spent / len(said), "cpu-ms", 5, is_at_most=True)


def _is_right(purpose: str, text: str) -> bool:
    found = purpose_of(text)
    return found is not None and found.label == purpose


def _share(right: list[bool]) -> float:
    return sum(right) / len(right)


if __name__ == "__main__":
    for one in measure():
        print(one, flush=True)
