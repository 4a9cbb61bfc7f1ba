"""How far a recognizer's words can be trusted: the share of characters that is likely to be right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from speech.error_rate import normalised
from speech.likely import likelihood

# A logistic rule fitted to real voices over the telephone (benchmarks/speech_trust.py shows what it is worth;
# docs/decisions/0020 how it was fitted): the bias, then what each sign adds.
BIAS = 2.05
WEIGHTS = (2.4, -1.2, 0.7)
LEAST_SURE = 1e-3  # of a word: below it all are as bad
LEAST_CONFIDENCE = 0.825  # below this the machine's words are not trusted without an ear


@dataclass(frozen=True)
class Signs:
    """What tells good words from bad, each by character, and of how many characters it tells.

    `doubt`: the mean of the logarithms of the words' own confidence; `disagreement`: the share of characters
    in which other hypotheses, weighed by their probability, differ; `usual`: how likely the words are.
    """

    doubt: float
    disagreement: float
    usual: float
    characters: int


def signs(words: Sequence[tuple[str, float]], hypotheses: Sequence[tuple[str, float]]) -> Signs:
    """The signs of words with their confidence, that came of the first of (text, log-probability)."""
    said = normalised("".join(word for word, _ in words))
    length = max(1, len(said))
    letters = max(1, sum(len(word) for word, _ in words))
    doubt = sum(len(word) * math.log(max(sure, LEAST_SURE)) for word, sure in words) / letters
    return Signs(doubt, apart(hypotheses) / length, likelihood(said) / length, len(said))


def apart(hypotheses: Sequence[tuple[str, float]]) -> float:
    """In how many characters the others differ from the first, weighed by their probability."""
    chosen, *_ = texts = [normalised(text) for text, _ in hypotheses]
    highest = max(sound for _, sound in hypotheses)
    shares = [math.exp(sound - highest) for _, sound in hypotheses]
    apart = [Levenshtein.distance(chosen, text) for text in texts]
    return sum(share * far for share, far in zip(shares, apart, strict=True)) / sum(shares)


def confidence(stretches: Sequence[Signs]) -> float:
    """The share of characters that is likely to be right, from 0 to 1, over all stretches of a recording."""
    total = sum(one.characters for one in stretches)
    if not total:
        return 0.0
    sure = sum(one.characters * _sure(one) for one in stretches) / total
    return round(sure, 3)


def _sure(one: Signs) -> float:
    told = zip(WEIGHTS, (one.doubt, one.disagreement, one.usual), strict=True)
    return 1 / (1 + math.exp(-BIAS - sum(weight * sign for weight, sign in told)))
