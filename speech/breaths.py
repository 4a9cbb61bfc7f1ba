"""Where a speaker paused: one sound said in one go, cut at its phrases, so that its pauses can be set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from speech.audio import Audio

FRAME_SECONDS = 0.01
QUIET = 0.03  # of the loudest frame: below it nobody speaks
SHORTEST_PAUSE = 0.04
EDGE_SECONDS = 0.03
REACH = 0.12  # a pause belongs to a mark that is no farther from it than this part of the whole


def cut(sound: Audio, weights: Sequence[float]) -> list[tuple[int, Audio]]:
    """The phrases of a sound in order, each with the number of phrases in it, freed of the silence between.

    `weights` are the phrases' lengths in characters, each followed by a mark. A mark at which no pause can be
    heard joins its phrases into one: cutting through a word would be worse than a pause that is missing.
    """
    quiet = _pauses(sound)
    marks = np.cumsum(weights)[:-1] / sum(weights)
    pieces: list[tuple[int, Audio]] = []
    start = joined = 0
    for mark in marks:
        joined += 1
        if (pause := _nearest(quiet, float(mark), sound)) is not None:
            quiet = [one for one in quiet if one[0] > pause[0]]
            pieces.append((joined, _between(sound, start, pause[0])))
            start, joined = pause[1], 0
    pieces.append((joined + 1, _between(sound, start, len(sound.samples))))
    return pieces


def _pauses(sound: Audio) -> list[tuple[int, int]]:
    """(first, last) sample of each silence within the sound, those at its ends left out."""
    frame = max(1, round(FRAME_SECONDS * sound.rate))
    whole = sound.samples[: len(sound.samples) // frame * frame].reshape(-1, frame)
    if not len(whole):
        return []
    levels = np.sqrt(np.mean(whole**2, axis=1))
    loud = np.flatnonzero(levels > levels.max() * QUIET)
    return [
        (int(before + 1) * frame, int(after) * frame)
        for before, after in pairwise(loud)
        if (after - before - 1) * FRAME_SECONDS >= SHORTEST_PAUSE
    ]


def _nearest(pauses: Sequence[tuple[int, int]], mark: float, sound: Audio) -> tuple[int, int] | None:
    """The longest pause within reach of a mark at `mark` (0 to 1) of the sound's length."""
    length = len(sound.samples)
    near = [one for one in pauses if abs(sum(one) / 2 / length - mark) <= REACH]
    return max(near, key=lambda one: one[1] - one[0], default=None)


def _between(sound: Audio, first: int, last: int) -> Audio:
    edge = round(EDGE_SECONDS * sound.rate)
    return Audio(sound.samples[max(0, first - edge) : last + edge], sound.rate)
