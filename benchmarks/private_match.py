"""Which letters of a transcript are those of a stretch of the sentence that was said, by how both sound."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.private_sentences import Private
from speech.bleep import Interval
from speech.private_digits import figure
from speech.recognize import Word
from speech.syllables import codes, heard

MOST_LEFT = 0.2  # of the letters that were said; a name of two or three may keep none
LEAST_FIGURES = 4  # in a row that would still tell part of a number
_FIRST = "零一二三四五六七八九"


def sounds(text: str) -> list[tuple[int, int]]:
    """Place and sound of each letter and figure of a text; figures sound as they are said."""
    plain = [(at, _FIRST[int(figure(one))] if figure(one) else one.lower()) for at, one in enumerate(text)]
    return [(at, int(heard(codes(one))[0])) for at, one in plain if one.isalnum()]


def placed(said: str, transcript: str, private: Sequence[Private]) -> list[tuple[Private, list[int]]]:
    """Each private stretch of what was said, and the places of the transcript where it was heard."""
    one, other = sounds(said), sounds(transcript)
    partner = _aligned([sound for _, sound in one], [sound for _, sound in other])
    found = []
    for stretch in private:
        own = [n for n, (at, _) in enumerate(one) if stretch.start <= at < stretch.end]
        theirs = [partner[n] for n in own if partner[n] is not None]
        inside = range(min(theirs), max(theirs) + 1) if theirs else range(0)
        found.append((stretch, [other[n][0] for n in inside]))
    return found


def is_hidden(stretch: Private, places: Sequence[int], hidden: frozenset[int]) -> bool:
    """Whether so much of what was heard is hidden that it tells nothing."""
    left = sum(place not in hidden for place in places)
    return left <= MOST_LEFT * (stretch.end - stretch.start)


def left_over(said: str, stretch: Private, transcript: str) -> bool:
    """Whether it can still be recognised: four figures of it in a row, or two letters of a name."""
    own = [sound for at, sound in sounds(said) if stretch.start <= at < stretch.end]
    others = {at for at, _ in sounds(said) if not stretch.start <= at < stretch.end}
    least = min(len(own), 2 if stretch.kind in {"name", "surname"} else LEAST_FIGURES)
    rows = {tuple(own[n : n + least]) for n in range(len(own) - least + 1)}
    outside = [sound for at, sound in sounds(said) if at in others]
    elsewhere = {tuple(outside[n : n + least]) for n in range(len(outside))}
    told = [sound for _, sound in sounds(transcript)]
    return any(tuple(told[n : n + least]) in rows - elsewhere for n in range(len(told)))


def kept(said: str, private: Sequence[Private], transcript: str) -> int:
    """How many letters outside of what is private a transcript has right."""
    one, other = sounds(said), sounds(transcript)
    partner = _aligned([sound for _, sound in one], [sound for _, sound in other])
    outside = [n for n, (at, _) in enumerate(one) if not any(p.start <= at < p.end for p in private)]
    return sum((m := partner[n]) is not None and other[m][1] == one[n][1] for n in outside)


def _aligned(one: Sequence[int], other: Sequence[int]) -> list[int | None]:
    """For each sound of `one` its partner in `other`, so that the fewest differ (Levenshtein)."""
    costs = [list(range(len(other) + 1))]
    for n, sound in enumerate(one, start=1):
        row = [n]
        for m, their in enumerate(other, start=1):
            row.append(min(costs[n - 1][m - 1] + (sound != their), costs[n - 1][m] + 1, row[m - 1] + 1))
        costs.append(row)
    partner: list[int | None] = [None] * len(one)
    n, m = len(one), len(other)
    while n and m:
        if costs[n][m] == costs[n - 1][m - 1] + (one[n - 1] != other[m - 1]):
            n, m = n - 1, m - 1
            partner[n] = m
        elif costs[n][m] == costs[n - 1][m] + 1:
            n -= 1
        else:
            m -= 1
    return partner


def audible(
    text: str, words: Sequence[Word], hidden: frozenset[int], tones: Sequence[Interval]
) -> tuple[int, int]:
    """Letters of the words that nobody wants hidden: how many the tone leaves for most of their time; all."""
    left, there, at = 0, 0, 0
    for word in words:
        places = []
        for letter in word.text:
            found = text.find(letter, at)
            places, at = ([*places, found], found + 1) if found >= 0 else (places, at)
        if not places or hidden.intersection(places) or not any(letter.isalnum() for letter in word.text):
            continue
        covered = sum(
            max(0.0, min(one.end_seconds, word.end_seconds) - max(one.start_seconds, word.start_seconds))
            for one in tones
        )
        there += len(word.text)
        left += len(word.text) * (covered <= (word.end_seconds - word.start_seconds) / 2)
    return left, there
