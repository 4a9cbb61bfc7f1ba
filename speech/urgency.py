"""Whether a text tells of somebody in danger just now; with the words that led to it.

Words are found by their characters, or by their sound where they were misheard (`speech.syllables`). What is
denied, feared, prevented, over or only heard of is no danger; a cry for help makes a hint one. Where no sign
stands at all, likeness to our own sentences decides (`speech.urgent_examples`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pypinyin import lazy_pinyin
from rapidfuzz.distance import Levenshtein

from speech.syllables import blur, codes, heard, syllable_number
from speech.tables import rows
from speech.unurgent import is_dismissed, is_pressing
from speech.urgent_examples import danger_like

URGENT_LABELS = ("燃气", "火情", "摔倒", "暴力", "自伤")
CERTAIN, SOUNDED, HINTED, LIKE = 0.9, 0.75, 0.6, 0.5
_PART, _LONGEST_PART = 80, 120
_NEAR = 10  # characters between the two words of a pair
_LIKE = {2: 0.5, 3: 0.8}  # how sure a word is by its sound alone; two syllables have too many homophones
_ONE_WRONG = 0.6  # where one syllable of four or more is another
_LEAST_FOR_ONE_WRONG = 3
_SHORT = 0.9  # a single character says little: what stands beside it must be certain
_LEAST_SURE = 0.5
_STOPS = "。！？；!?;\n"

_FAMILIES = (
    frozenset("bp"),
    frozenset("dt"),
    frozenset("gkh"),
    frozenset("jqx"),
    frozenset("zcs"),
    frozenset("nlr"),
    frozenset(("h", "f")),
)
_PARTS: re.Pattern[str] = re.compile("^(zh|ch|sh|[bpmfdtnlgkhjqxzcsrwy]?)(.*)$")

Sounds = tuple[int, ...]
_Places = dict[str, list[tuple[int, float]]]


@dataclass(frozen=True)
class Danger:
    """What kind of danger, how sure we are of it from 0 to 1, and the words in the text that led to it."""

    label: str
    confidence: float
    because: tuple[str, ...]


@dataclass(frozen=True)
class _Sign:
    """What speaks for a danger: any of `words`, near any of `beside` where there are such."""

    label: str
    weight: int
    words: tuple[str, ...]
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """A sign in the text: where it starts, its last word starts, it ends; what was said, how surely."""

    sign: _Sign
    start: int
    last: int
    end: int
    said: tuple[str, ...]
    sureness: float


def urgency(text: str) -> Danger | None:
    """The danger that a text tells of, or None: talk of prevention or of the past is no danger."""
    signs: dict[str, list[_Found]] = defaultdict(list)
    dismissed: list[_Found] = []
    for found in _signs(text):
        if is_dismissed(text, found.start, found.last, found.end, found.sign.label, found.sign.weight):
            dismissed.append(found)
        else:
            signs[found.sign.label].append(found)
    dangers = [one for label, found in signs.items() if (one := _danger(text, label, found))]
    if not dangers and not dismissed:
        dangers = list(_like_others(text))
    return max(dangers, key=lambda one: one.confidence, default=None)


def _like_others(text: str) -> Iterator[Danger]:
    """What no sign tells: each part of the text by its likeness to sentences of danger and of none."""
    for part in _parts_of(text):
        if (like := danger_like(part)) is not None:
            yield Danger(like.label, min(LIKE + like.pull / 10, HINTED), like.because)


def _parts_of(text: str) -> Iterator[str]:
    """The text by its sentences, short ones together: about as long as what it is compared with."""
    part = ""
    for sentence in re.split(f"(?<=[{_STOPS}])", text):
        if part and len(part) + len(sentence) > _PART:
            yield part
            part = ""
        part += sentence[:_LONGEST_PART]
    if part.strip():
        yield part


def _danger(text: str, label: str, found: list[_Found]) -> Danger | None:
    """What the signs of one kind come to: one that is enough by itself, or two hints, or one and a cry."""
    strong = [one for one in found if one.sign.weight > 1]
    if strong:
        best = max(strong, key=lambda one: (one.sureness, one.sign.weight))
        return Danger(label, CERTAIN if best.sureness == 1 else SOUNDED, best.said)
    hints = _apart([one for one in found if one.sureness == 1])
    if len({one.said for one in hints}) > 1 or (hints and is_pressing(text)):
        return Danger(label, HINTED, tuple(word for one in hints for word in one.said))
    return None


def _apart(found: list[_Found]) -> list[_Found]:
    """Those that share no character, the longest first: one word is one hint."""
    kept: list[_Found] = []
    for one in sorted(found, key=lambda one: (one.start - one.end, one.start)):
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return sorted(kept, key=lambda one: one.start)


# --- finding the signs ---
def _signs(text: str) -> Iterator[_Found]:
    places = _places(text)
    for word in list(places):
        for sign in _all_signs().by_word[word]:
            for start, sureness in places[word]:
                end = start + len(word)
                here = _Found(sign, start, start, end, (text[start:end],), sureness)
                if sign.beside:
                    yield from _paired(text, here, places)
                elif sureness > _LEAST_SURE:
                    yield here


def _paired(text: str, one: _Found, places: _Places) -> Iterator[_Found]:
    """The same sign with the words beside it, in one sentence."""
    for word in one.sign.beside:
        for start, sureness in places.get(word, ()):
            end = start + len(word)
            first, last = min(one.start, start), max(one.end, end)
            gap = last - first - (one.end - one.start) - len(word)
            sure = one.sureness * sureness
            if 0 <= gap <= _NEAR and sure >= _LEAST_SURE and not _is_cut(text[first:last]):
                said = (*one.said, text[start:end])
                yield _Found(one.sign, first, max(one.start, start), last, said, min(1.0, sure / _SHORT))


def _is_cut(text: str) -> bool:
    return any(stop in text for stop in _STOPS)


def _places(text: str) -> _Places:
    """Where each word of the list was said, and how sure that is."""
    signs, sounds = _all_signs(), _sounds(text)
    found: _Places = defaultdict(list)
    for length in signs.lengths:
        for start in range(len(text) - length + 1):
            said, sound = text[start : start + length], sounds[start : start + length]
            if said in signs.by_word or said in signs.beside:
                found[said].append((start, 1.0 if length > 1 else _SHORT))
            for word in signs.by_sound.get(sound, ()):
                if word != said:
                    found[word].append((start, _LIKE[min(3, length)]))
            if length > _LEAST_FOR_ONE_WRONG:
                for word in _nearly(said, sound):
                    found[word].append((start, _ONE_WRONG))
    return found


def _nearly(said: str, sound: Sounds) -> Iterator[str]:
    """Words that sound like this but for one syllable, which is nearly the same."""
    for at in range(len(said)):
        for word in _all_signs().by_most.get((at, *sound[:at], *sound[at + 1 :]), ()):
            is_other = _sounds(word)[at] != sound[at]
            if is_other and sum(map(str.__eq__, said, word)) > 1 and _is_near(said[at], word[at]):
                yield word


@cache
def _is_near(letter: str, other: str) -> bool:
    """Whether two characters are easily misheard: beginnings of one family, endings that differ little."""
    (one, its_end), (two, end) = _parts(letter), _parts(other)
    is_kin = one == two or any(one in family and two in family for family in _FAMILIES)
    return is_kin and Levenshtein.distance(its_end, end, score_cutoff=1) <= 1


def _parts(letter: str) -> tuple[str, str]:
    """How a character begins and how it ends."""
    beginning, ending = _PARTS.findall(str(lazy_pinyin(letter)[0]))[0]
    return str(beginning), str(ending)


@cache
def _sounds(text: str) -> Sounds:
    return tuple(heard(codes(text)).tolist())


def _read(word: str) -> Sounds:
    """How a word sounds as it is read in context: 着 alone is zhe, in 着火 it is zhao."""
    return tuple(syllable_number(blur(syllable)) for syllable in lazy_pinyin(word))


class _Signs:
    """The list, found by characters, by sound, and by sound but for one syllable."""

    def __init__(self, signs: Iterable[_Sign]) -> None:
        self.by_word: dict[str, list[_Sign]] = defaultdict(list)
        self.beside: set[str] = set()
        self.by_sound: dict[Sounds, list[str]] = defaultdict(list)
        self.by_most: dict[Sounds, list[str]] = defaultdict(list)
        for sign in signs:
            self.beside.update(sign.beside)
            for word in sign.words:
                self.by_word[word].append(sign)
        words = self.by_word.keys() | self.beside
        self.lengths = sorted({len(word) for word in words})
        for word in sorted(word for word in words if len(word) > 1):
            for sound in {_sounds(word), _read(word)}:
                self.by_sound[sound].append(word)
                for at in range(len(word) if len(word) > _LEAST_FOR_ONE_WRONG else 0):
                    self.by_most[(at, *sound[:at], *sound[at + 1 :])].append(word)


@cache
def _all_signs() -> _Signs:
    return _Signs(
        _Sign(label, int(weight), tuple(words.split()), tuple(beside[0].split()) if beside else ())
        for label, weight, words, *beside in rows(Path(__file__).with_name("urgent.tsv"))
    )
