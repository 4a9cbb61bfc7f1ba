"""Whether a text tells of somebody in danger just now; with the words that led to it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from speech.lexicon import Hit, find, read_lexicon

URGENT_LABELS = ("燃气", "火情", "摔倒", "暴力", "自伤")
# A danger that is not now: prevented, feared, practised, long past, in general.
NOT_NOW = re.compile(
    "预防|防止|防范|避免|以免|担心|演练|宣传|培训|讲座|如果|万一|容易|怕|以前|去年|前年|上次|上个月|曾经|听说|新闻|建议|希望|保险|知识"
)
NOW = re.compile("现在|正在|马上|赶紧|快来|快点|救命|刚刚|刚才|赶快|来人|急")


@dataclass(frozen=True)
class Danger:
    """What kind of danger, how sure we are of it from 0 to 1, and the words in the text that led to it."""

    label: str
    confidence: float
    because: tuple[str, ...]


def urgency(text: str) -> Danger | None:
    """The danger that a text tells of, or None: talk of prevention or of the past is no danger."""
    found: list[Danger] = []
    for hit in find(text, read_lexicon("urgent.tsv"), least_syllables=3):
        is_certain = hit.entry.weight > 1 and hit.weight == hit.entry.weight
        clause = _clause(text, hit.start)
        if NOT_NOW.search(clause) and not NOW.search(text):
            if hit.entry.label != "自伤":
                continue
            is_certain = False
        found.append(Danger(hit.entry.label, 0.9 if is_certain else 0.6, (_said(text, hit),)))
    return max(found, key=lambda danger: danger.confidence, default=None)


def _said(text: str, hit: Hit) -> str:
    return text[hit.start : hit.start + len(hit.entry.word)]


def _clause(text: str, at: int) -> str:
    """The sentence that holds a place in the text."""
    start = max(text.rfind(mark, 0, at) for mark in "。！？；") + 1
    ends = [place for mark in "。！？；" if (place := text.find(mark, at)) >= 0]
    return text[start : min(ends, default=len(text))]
