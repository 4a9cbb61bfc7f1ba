"""What is private by all that stands around it, where no rule finds it.

A linear-chain conditional random field (Lafferty, McCallum, Pereira 2001) over the sounds of the letters.

It has learned from sentences of our own alone, as they were said and as our recognizer heard them over the
telephone (`private_examples.tsv`), twice, with other names in them and garbled otherwise; what both tell is
averaged (Breiman 1996, bagging). `python -m speech.private_learner` makes both anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from functools import cache
from itertools import groupby
from pathlib import Path
from threading import Lock

import numpy as np
import numpy.typing as npt
import pycrfsuite
from rapidfuzz.distance import Levenshtein

from speech.private_signs import signs
from speech.private_sounds import sound_of

SEEDS = (3, 4)  # two that were told the same in other words err apart: a third fewer false alarms
MODELS = tuple(Path(__file__).with_name(f"private.{seed}.crf") for seed in SEEDS)
KINDS = ("name", "address", "number")
BEGINS, GOES_ON, NOTHING = "B-", "I-", "O"
SURE, SURE_ALONE = 0.45, 0.9  # that it is private at all, to be hidden; where there is one reading alone
LIKELY = 0.1  # that a letter beside it belongs to it
POSSIBLE = 0.25  # that there is somebody where a rule says so: of 220 that were there, none had less than .32

Likely = npt.NDArray[np.float64]
Found = tuple[int, int, str]

_one_at_a_time = Lock()  # the library keeps the text that it was given last


def find_likely(
    text: str, likely: Likely, sure: float = SURE_ALONE, taken: Set[int] = frozenset()
) -> Iterator[Found]:
    """Stretches of `text` that are probably private (a kind of KINDS), without the places that are `taken`.

    `likely`: of `likelihoods`; `sure`: what somewhere in a stretch it has to be.
    """
    private = [0 if at in taken else told for at, told in enumerate(likely.sum(axis=0))]
    for is_likely, group in groupby(range(len(text)), lambda at: private[at] >= LIKELY):
        places = list(group)
        if not is_likely or max(private[at] for at in places) < sure:
            continue
        first, last = _trimmed(text, places[0], places[-1] + 1)
        if first < last:
            yield first, last, KINDS[int(likely[:, places].sum(axis=1).argmax())]


def may_be_private(likely: Likely, start: int, end: int) -> bool:
    """Whether enough speaks for it, somewhere in these letters."""
    return bool(likely[:, start:end].sum(axis=0).max() >= POSSIBLE)


def likelihoods(text: str, others: Sequence[str] = ()) -> Likely:
    """How likely each letter belongs to each of KINDS, a row a kind: on average over all readings.

    `others`: what a recognizer might have written instead; a name that was misheard here may be plain there.
    """
    told = [_told(text), *(_laid_over(text, other, _told(other)) for other in others)]
    found: Likely = np.mean(told, axis=0)
    return found


def _told(text: str) -> Likely:
    if not text:
        return np.zeros((len(KINDS), 0))
    letters = pycrfsuite.ItemSequence(signs(text))
    with _one_at_a_time:
        told = [_told_by(tagger, letters) for tagger in _taggers()]
    found: Likely = np.mean(told, axis=0)
    return found


def _told_by(tagger: pycrfsuite.Tagger, letters: pycrfsuite.ItemSequence) -> Likely:
    tagger.set(letters)
    labels = [(BEGINS + kind, GOES_ON + kind) for kind in KINDS]
    return np.array(
        [
            [tagger.marginal(begins, at) + tagger.marginal(goes_on, at) for at in range(len(letters))]
            for begins, goes_on in labels
        ]
    )


def _laid_over(text: str, other: str, told: Likely) -> Likely:
    """What was told of another reading, by the letters of `text` that stand in their place."""
    found = np.zeros((len(KINDS), len(text)))
    for step in Levenshtein.opcodes(sound_of(text), sound_of(other)):
        if step.tag in {"equal", "replace"}:
            found[:, step.src_start : step.src_end] = told[:, step.dest_start : step.dest_end]
    return found


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and not text[start].isalnum():
        start += 1
    while start < end and not text[end - 1].isalnum():
        end -= 1
    return start, end


@cache
def _taggers() -> tuple[pycrfsuite.Tagger, ...]:
    taggers = tuple(pycrfsuite.Tagger() for _ in MODELS)
    for tagger, model in zip(taggers, MODELS, strict=True):
        tagger.open(str(model))
    return taggers
