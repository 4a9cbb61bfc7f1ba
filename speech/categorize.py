"""What an opinion is about, and whether somebody is in danger; every answer with the words that led to it."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

from speech.lexicon import Entry, Hit, find, read_lexicon

LABELS = ("物业", "停车", "环境卫生", "邻里噪音", "养老助餐", "设施维修", "电梯加装", "治安消防", "其他")
OTHER = "其他"
URGENT_LABELS = ("燃气", "火情", "摔倒", "暴力", "自伤")
DOUBT = 1.0  # weight of the thought that it is something else
# A danger that is not now: prevented, feared, practised, long past, in general.
NOT_NOW = re.compile(
    "预防|防止|防范|避免|以免|担心|演练|宣传|培训|讲座|如果|万一|容易|怕|以前|去年|前年|上次|上个月|曾经|听说|新闻|建议|希望|保险|知识"
)
NOW = re.compile("现在|正在|马上|赶紧|快来|快点|救命|刚刚|刚才|赶快|来人|急")


@dataclass(frozen=True)
class Category:
    """A label, how sure we are of it from 0 to 1, and the words in the text that led to it."""

    label: str
    confidence: float
    because: tuple[str, ...]


def categorize(text: str, taught: tuple[Entry, ...] = ()) -> Category:
    """The one label that fits best; 其他 with confidence 0 when nothing points anywhere.

    `taught`: words that people in this community have taught, beside the lexicon.
    """
    scores: dict[str, float] = defaultdict(float)
    words: dict[str, list[str]] = defaultdict(list)
    for hit in find(text, (*read_lexicon("lexicon.tsv"), *taught)):
        scores[hit.entry.label] += hit.weight
        words[hit.entry.label].append(_said(text, hit))
    if not scores:
        return Category(OTHER, 0.0, ())
    best = max(scores, key=lambda label: (scores[label], -LABELS.index(label)))
    if scores[best] < 1:
        return Category(OTHER, 0.0, ())
    confidence = scores[best] / (sum(scores.values()) + DOUBT)
    return Category(best, round(confidence, 2), tuple(words[best]))


def urgency(text: str) -> Category | None:
    """The danger that a text tells of, or None: talk of prevention or of the past is no danger."""
    found: list[Category] = []
    for hit in find(text, read_lexicon("urgent.tsv"), least_syllables=3):
        is_certain = hit.entry.weight > 1 and hit.weight == hit.entry.weight
        clause = _clause(text, hit.start)
        if NOT_NOW.search(clause) and not NOW.search(text):
            if hit.entry.label != "自伤":
                continue
            is_certain = False
        found.append(Category(hit.entry.label, 0.9 if is_certain else 0.6, (_said(text, hit),)))
    return max(found, key=lambda category: category.confidence, default=None)


def _said(text: str, hit: Hit) -> str:
    return text[hit.start : hit.start + len(hit.entry.word)]


def _clause(text: str, at: int) -> str:
    """The sentence that holds a place in the text."""
    start = max(text.rfind(mark, 0, at) for mark in "。！？；") + 1
    ends = [place for mark in "。！？；" if (place := text.find(mark, at)) >= 0]
    return text[start : min(ends, default=len(text))]
