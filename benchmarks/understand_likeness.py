"""Is it one matter? Citizens' letters grouped, against issues that people labelled; and pairs.

`../shared/data/hot`: 4,326 letters, 288 of them in 20 issues. Threshold and curve were set on every other
issue; both halves are shown. Baselines: average linkage .89, DBSCAN .84 to .92.
"""

from __future__ import annotations

import csv
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.report import Measured
from speech.likeness import SAME, Likeness, groups, probability
from speech.syllables import misheard

HOT = Path(__file__).parent.parent.parent / "shared" / "data" / "hot" / "messages.tsv"
LEAST = 0.115  # mean cosine within a group
NOISE = 0.2
_TEXT = 200  # letters beside the title, which counts twice


def measure() -> Iterator[Measured]:
    """Groups, clean and misheard; pairs; the cost of one opinion among 300."""
    if not HOT.exists():
        return
    csv.field_size_limit(10**8)
    with HOT.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    issues = sorted({row["issue"] for row in rows} - {""})
    gold = {one: {at for at, row in enumerate(rows) if row["issue"] == one} for one in issues}
    texts = [(row["title"] + "。") * 2 + row["text"][:_TEXT] for row in rows]
    chance = random.Random(3)
    for name, said in (("", texts), ("_misheard", [misheard(text, NOISE, chance) for text in texts])):
        found = [set(group) for group in groups(Likeness.of(said), LEAST)]
        for half, which in (("set", issues[::2]), ("held", issues[1::2])):
            value = float(np.mean([_best_f1(gold[one], found) for one in which]))
            yield Measured(f"understand.likeness.f1_{half}{name}", value, "F1", 0.89)
    yield from _pairs(rows, issues[1::2], chance)


def _best_f1(gold: set[int], found: Sequence[set[int]]) -> float:
    return max(2 * len(gold & one) / (len(gold) + len(one)) for one in found)


def _pairs(rows: Sequence[dict[str, str]], held: Sequence[str], chance: random.Random) -> Iterator[Measured]:
    """The five nearest of each labelled text among 300: how often we say so rightly, and what is missed."""
    inside = [at for at, row in enumerate(rows) if row["issue"] in held]
    others = [at for at, row in enumerate(rows) if not row["issue"]]
    right, said, near, spent = 0, 0, 0, 0.0
    for _ in range(4):
        ids = chance.sample(inside, 60) + chance.sample(others, 240)
        began = time.process_time()
        likeness = Likeness.of([rows[at]["title"] + "。" + rows[at]["text"][:_TEXT] for at in ids])
        cosines = [likeness.to(place) for place in range(60)]
        spent += time.process_time() - began
        for place, row in enumerate(cosines):
            row[place] = -1.0
            for other in np.argsort(-row)[:5]:
                is_one = rows[ids[place]]["issue"] == rows[ids[int(other)]]["issue"]
                is_said = probability(float(row[other])) >= SAME
                right, said, near = right + (is_one and is_said), said + is_said, near + is_one
    yield Measured("understand.likeness.pairs_precision", right / said, "share", 0.9)
    yield Measured("understand.likeness.pairs_recall", right / near, "share", 0.85)
    yield Measured("understand.likeness.cost", 1000 * spent / 4, "ms for 300", 500, is_at_most=True)


if __name__ == "__main__":
    for one in measure():
        print(one, flush=True)
