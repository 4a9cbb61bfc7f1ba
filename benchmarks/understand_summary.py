"""What many people say: do the key phrases name the issue, and are the sentences about it?

`../shared/data/hot`: 20 issues with titles that people gave them. A title's words found in the key phrases of
its letters (recall), beside those of TextRank as jieba has it; and how much of each title the five sentences
cover.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import jieba
import jieba.analyse

from benchmarks.report import Measured
from speech.summary import summary

HOT = Path(__file__).parent.parent.parent / "shared" / "data" / "hot"
PHRASES = 8
_TEXT = 200


def measure() -> Iterator[Measured]:
    """Phrases against titles and TextRank, sentences against titles, the cost of a hundred."""
    if not HOT.exists():
        return
    titles = {row["issue"]: row["name"] for row in _rows("issues.tsv")}
    letters: dict[str, list[str]] = {}
    for row in _rows("messages.tsv"):
        if row["issue"]:
            letters.setdefault(row["issue"], []).append(row["text"][:_TEXT])
    ours, theirs, covered, spent, longest = 0, 0, 0, 0.0, 0
    wanted = {issue: _words(title) for issue, title in titles.items()}
    for issue, texts in letters.items():
        began = time.process_time()
        found = summary(texts, most_phrases=PHRASES)
        if len(texts) > longest:
            longest, spent = len(texts), time.process_time() - began
        ours += _hits(wanted[issue], found.phrases)
        theirs += _hits(wanted[issue], jieba.analyse.textrank("。".join(texts), topK=PHRASES))
        covered += _hits(wanted[issue], [one.sentence for one in found.sentences])
    total = sum(map(len, wanted.values()))
    yield Measured("understand.summary.phrases", ours / total, "recall", 1.2, ours / max(theirs, 1))
    yield Measured("understand.summary.sentences", covered / total, "recall", 0.5)
    yield Measured("understand.summary.cost", spent, f"s for {longest}", 5, is_at_most=True)


def _hits(words: set[str], found: Sequence[str]) -> int:
    return sum(any(word in one for one in found) for word in words)


def _words(title: str) -> set[str]:
    cut = (word for word in jieba.cut(title) if len(word) > 1)
    return {word for word in cut if all("一" <= letter <= "鿿" for letter in word)}


def _rows(name: str) -> list[dict[str, str]]:
    csv.field_size_limit(10**8)
    with (HOT / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


if __name__ == "__main__":
    for one in measure():
        print(one, flush=True)
