"""How likely a Chinese text is by its words: of two texts that sound the same, the usual one is meant."""

from __future__ import annotations

import math
import re
from functools import cache

import jieba

HAN = re.compile("[\u4e00-\u9fff]+")
# What a character costs on average, in natural logarithms: longer texts must not lose for being longer.
USUAL = 6.0
UNKNOWN = 0.5  # how often a word counts that the dictionary has not


def likelihood(text: str) -> float:
    """The logarithm of the frequencies of its words, a character of usual text counting nothing.

    Cut by jieba's dictionary into its likeliest words; what is not Chinese has no say. Only differences
    between texts mean something.
    """
    return sum(_stretch(part) + USUAL * len(part) for part in HAN.findall(text))


def _stretch(text: str) -> float:
    jieba.setLogLevel(60)
    total = math.log(_total())
    return sum(
        math.log(max(jieba.dt.FREQ.get(word) or 0, UNKNOWN)) - total for word in jieba.cut(text, HMM=False)
    )


@cache
def _total() -> int:
    jieba.initialize()
    return int(jieba.dt.total)
