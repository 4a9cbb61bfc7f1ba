"""What a transcript's confidence is worth: predicted against real errors, and who has to listen."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import fmean

from benchmarks.report import Measured
from benchmarks.speech_clips import Clip
from speech.error_rate import character_error_rate
from speech.recognize import Transcript
from speech.trust import LEAST_CONFIDENCE

WRONG = 0.30  # a transcript with more errors than this must be listened to
CAUGHT_TARGET, FLAGGED_TARGET = 0.90, 0.35
BOUNDS = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01)


def measure(heard: Sequence[tuple[Clip, Transcript]]) -> Iterator[Measured]:
    """The share of bad transcripts that are sent to a person, and of the others."""
    judged = [(words.confidence, character_error_rate(clip.said, words.text)) for clip, words in heard]
    _table(judged)
    bad = [sure < LEAST_CONFIDENCE for sure, wrong in judged if wrong > WRONG]
    good = [sure < LEAST_CONFIDENCE for sure, wrong in judged if wrong <= WRONG]
    yield Measured("speech.bad_caught", fmean(bad), "share", CAUGHT_TARGET)
    yield Measured("speech.others_flagged", fmean(good), "share", FLAGGED_TARGET, is_at_most=True)


def _table(judged: Sequence[tuple[float, float]]) -> None:
    print("# confidence      clips  predicted right  really right", file=sys.stderr)
    for low, high in pairwise(BOUNDS):
        inside = [(sure, 1 - min(1.0, wrong)) for sure, wrong in judged if low <= sure < high]
        if inside:
            predicted, real = fmean(sure for sure, _ in inside), fmean(right for _, right in inside)
            line = f"#   {low:.1f} to {min(high, 1):.1f} {len(inside):>10} {predicted:>14.2f} {real:>14.2f}"
            print(line, file=sys.stderr)
