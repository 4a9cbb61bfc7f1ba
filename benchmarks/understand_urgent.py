"""Danger heard and not heard: our own sentences, clean and misheard, and false alarms on citizens' letters.

`urgent_said_sealed.tsv` was written before the last round of work and nothing was tuned or learnt with it,
but by the hand that knew the list of words and wrote what is learnt from. `urgent_said_last.tsv` and
`urgent_said_fresh.tsv` are not learnt from, but settings were chosen looking at them. Letters come from
`../shared/data`, where they are present.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.report import Measured
from speech.syllables import misheard
from speech.tables import rows
from speech.urgency import urgency

HERE = Path(__file__).parent
LETTERS = HERE.parent.parent / "shared" / "data" / "civic_messages_raw.tsv"
NOISE = 0.2  # the share of characters that are another of the same sound
UTTERANCE = 60  # characters of a letter: as much as is said in 15 s
_NONE = "-"

Said = Sequence[tuple[str, str]]  # a kind of danger or "-", and a sentence


def measure() -> Iterator[Measured]:
    """Recall of danger, and false alarms as a share of what tells of none."""
    chance = random.Random(11)
    for name in ("sealed", "last", "fresh"):
        said = sentences(f"urgent_said_{name}.tsv")
        yield from _measured(f"understand.urgent.{name}", said, lambda text: text)
        yield from _measured(
            f"understand.urgent.{name}_misheard", said, lambda text: misheard(text, NOISE, chance)
        )
    if LETTERS.exists():
        yield from _letters()


def sentences(file: str) -> Said:
    """The sentences of a list beside this module."""
    return [(kind, text) for kind, text in rows(HERE / file)]


def _measured(name: str, said: Said, spoken: Callable[[str], str]) -> Iterator[Measured]:
    heard = [(kind, urgency(spoken(text))) for kind, text in said]
    dangers = [found for kind, found in heard if kind != _NONE]
    others = [found for kind, found in heard if kind == _NONE]
    yield Measured(f"{name}.recall", _share(dangers), "share", 0.9)
    yield Measured(f"{name}.false", _share(others), "share", 0.05, is_at_most=True)


def _letters() -> Iterator[Measured]:
    """Nobody writes to a mayor while the house burns: what is found there is taken for a false alarm."""
    csv.field_size_limit(10**8)
    with LETTERS.open(encoding="utf-8", newline="") as file:
        texts = [
            row["text"][:UTTERANCE] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        ]
    began = time.process_time()
    found = [urgency(text) for text in texts]
    spent = time.process_time() - began
    yield Measured("understand.urgent.letters.false", _share(found), "share", 0.01, is_at_most=True)
    yield Measured("understand.urgent.cost", 1000 * spent / len(texts), "ms a text", 5, is_at_most=True)


def _share(found: Sequence[object]) -> float:
    return sum(one is not None for one in found) / len(found)


if __name__ == "__main__":
    for one in measure():
        print(one, flush=True)
