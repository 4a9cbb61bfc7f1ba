"""Has our voices say the examples that the tagger learns from, and our recognizer hear them on the telephone.

`python -m benchmarks.private_heard` fills in what `speech/private_examples.tsv` lacks, 2 s a sentence.

A row begins with a sentence and what is private in it, marked; what was heard follows, the likeliest first.
With `AGAIN=1` all of it is heard anew.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from benchmarks.private_calls import call
from benchmarks.private_match import placed
from benchmarks.private_sentences import Private, Sentence, as_said
from speech.private_examples import EXAMPLES, MARKS, Marked, marked, with_marks

MOST = 3  # readings of a sentence
MARKING = frozenset(mark for pair in MARKS.values() for mark in pair) | {"\t", "\n"}


def main() -> None:
    """Go through all rows; what is done stays done."""
    lines = EXAMPLES.read_text("utf-8").splitlines()
    for number, line in enumerate(lines):
        said, *heard = line.split("\t")
        if line.startswith("#") or (heard and not os.environ.get("AGAIN")):
            continue
        lines[number] = "\t".join((said, *_heard(marked(said), number)))
        EXAMPLES.write_text("\n".join(lines) + "\n", "utf-8")
        sys.stderr.write(f"\r{number + 1} of {len(lines)}")


def _heard(one: Marked, number: int) -> Iterator[str]:
    """How it was heard, with the same stretches marked."""
    private = tuple(Private(*stretch) for stretch in one.private)
    said = one.text
    for start, end, _ in sorted(one.private, reverse=True):
        said = said[:start] + as_said(said[start:end]) + said[end:]
    transcript = call(Sentence(one.text, said, private), number).transcript
    for text in (transcript.text, *transcript.others)[:MOST]:
        places = placed(one.text, text, private)
        found = [(min(at), max(at) + 1, stretch.kind) for stretch, at in places if at]
        if text and not MARKING.intersection(text):
            yield with_marks(Marked(text, tuple(found)))


if __name__ == "__main__":
    main()
