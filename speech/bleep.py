"""Hiding in the sound what is hidden in its text: a soft tone over the words that must not be heard."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import Match, SequenceMatcher
from itertools import groupby

import numpy as np

from speech.audio import Audio
from speech.errors import SpeechError
from speech.private_digits import figure
from speech.private_sounds import sound_of
from speech.recognize import Word
from speech.redact import redact

TONE_HERTZ = 480.0
TONE_LEVEL = 0.06  # softer than speech: listeners should not be startled
FADE_SECONDS = 0.02
# Recognizers are late with the end of a word more than with its start. Measured: benchmarks/private.py.
BEFORE_SECONDS, AFTER_SECONDS = 0.1, 0.2
LEAST_ALIKE = 0.5  # share of the letters that words and text must have in common to be laid side by side
_SECONDS_A_LETTER = 0.12  # nobody says a syllable faster
_LEAST_SURE = 3  # letters in a row
_SAID = "零一二三四五六七八九"
_JOINED_SECONDS = 0.25  # between two tones nothing could be made out


@dataclass(frozen=True, order=True)
class Interval:
    """A stretch of sound, in seconds from its start."""

    start_seconds: float
    end_seconds: float


Hidden = frozenset[int]  # places in a text


def hidden_letters(text: str, shown: str) -> Hidden:
    """The places in `text` that others may not read: all that is not in `shown`, and what redaction finds."""
    found = redact(text)
    places = {place for span in found.spans for place in range(span.start, span.end)}
    if found.text != shown:
        matcher = SequenceMatcher(None, text, shown, autojunk=False)
        kept = {
            place for block in matcher.get_matching_blocks() for place in range(block.a, block.a + block.size)
        }
        places |= set(range(len(text))) - kept
    return frozenset(places)


def hidden_intervals(
    text: str, hidden: Hidden, words: Sequence[Word], seconds: float
) -> tuple[Interval, ...]:
    """When the hidden places of `text` are heard, in a sound of so many seconds in which `words` were.

    The words may be a machine's and the text a person's: they are laid side by side by their longest common
    stretches, by sound. Everything between what may be heard before a hidden place and what may be heard
    after it is hidden, and so is what was heard and stands nowhere in the text. Raises SpeechError
    (permanent) where words and text are too different to tell what is where.
    """
    plain = list(_sounding(text))
    heard = [(word, sound) for word in words for _, sound in _sounding(word.text)]
    written, said = "".join(one for _, one in plain), "".join(one for _, one in heard)
    matcher = SequenceMatcher(None, written, said, autojunk=False)
    blocks = matcher.get_matching_blocks()
    alike = sum(block.size for block in blocks)
    if not heard or alike < LEAST_ALIKE * max(len(plain), len(heard)):
        raise SpeechError("the words and the sound can't be laid side by side", permanent=True)
    match = {block.a + n: heard[block.b + n][0] for block in blocks for n in range(block.size)}
    sure = {n for block in blocks for n in _sure(written, said, block)}
    letters = [_Letter(place in hidden, match.get(n), n in sure) for n, (place, _) in enumerate(plain)]
    found = [_around(letters, first, last, seconds) for first, last in _hidden_runs(letters)]
    timeline = [word for word, _ in heard]
    for kind, _, _, j1, j2 in matcher.get_opcodes():
        if kind == "insert":
            found.append(_between(timeline, j1, j2, seconds))
    return _widened(found, seconds)


def bleep(audio: Audio, intervals: Iterable[Interval]) -> Audio:
    """The same sound with a soft tone in place of each interval, of which nothing is left to hear."""
    cover = np.zeros(len(audio.samples), np.float32)
    fade = max(1, round(FADE_SECONDS * audio.rate))
    slope = (0.5 - 0.5 * np.cos(np.linspace(0, np.pi, fade))).astype(np.float32)
    for one in intervals:
        start = max(0, int(one.start_seconds * audio.rate))
        end = min(len(cover), int(np.ceil(one.end_seconds * audio.rate)))
        cover[start:end] = 1
        first, last = max(0, start - fade), min(len(cover), end + fade)
        cover[first:start] = np.maximum(cover[first:start], slope[fade - (start - first) :])
        cover[end:last] = np.maximum(cover[end:last], slope[::-1][: last - end])
    times = np.arange(len(cover), dtype=np.float64) / audio.rate
    tone = (TONE_LEVEL * np.sin(2 * np.pi * TONE_HERTZ * times)).astype(np.float32)
    return Audio(audio.samples * (1 - cover) + tone * cover, audio.rate)


@dataclass(frozen=True)
class _Letter:
    """A letter of the text: whether others must not hear it; in which word it was heard, and if for sure."""

    is_hidden: bool
    word: Word | None
    is_sure: bool

    @property
    def may_be_heard(self) -> bool:
        return self.is_sure and not self.is_hidden


def _sure(text: str, heard: str, block: Match) -> range:
    """The letters of a common stretch that can only be meant there: it is long, and found nowhere else.

    Its ends are not: a letter said twice and heard once could be either.
    """
    common = text[block.a : block.a + block.size]
    if block.size < _LEAST_SURE or _is_repeated(text, common) or _is_repeated(heard, common):
        return range(0)
    begins = block.a == block.b == 0
    ends = (block.a + block.size, block.b + block.size) == (len(text), len(heard))
    return range(block.a + (not begins), block.a + block.size - (not ends))


def _is_repeated(text: str, part: str) -> bool:
    return part in text[text.find(part) + 1 :]


def _hidden_runs(letters: Sequence[_Letter]) -> Iterator[tuple[int, int]]:
    """The first and the last of hidden letters that follow one another."""
    for is_hidden, run in groupby(range(len(letters)), key=lambda n: letters[n].is_hidden):
        if is_hidden:
            places = list(run)
            yield places[0], places[-1]


def _around(letters: Sequence[_Letter], first: int, last: int, seconds: float) -> Interval:
    """From the last word that may be heard before these letters to the first after them.

    These too, where the time between is too short for so many letters: then theirs are wrong.
    """
    before = next((one.word for one in letters[:first][::-1] if one.may_be_heard), None)
    after = next((one.word for one in letters[last + 1 :] if one.may_be_heard), None)
    start, end = before.end_seconds if before else 0.0, after.start_seconds if after else seconds
    if end - start < (last + 1 - first) * _SECONDS_A_LETTER:
        start, end = before.start_seconds if before else 0.0, after.end_seconds if after else seconds
    own = [one.word for one in letters[first : last + 1] if one.word]
    starts, ends = [word.start_seconds for word in own], [word.end_seconds for word in own]
    return Interval(min([start, *starts]), max([end, *ends]))


def _between(words: Sequence[Word], first: int, last: int, seconds: float) -> Interval:
    """The words from `first` up to `last`, with the silence around them."""
    start = words[first - 1].end_seconds if first else 0.0
    end = words[last].start_seconds if last < len(words) else seconds
    own = words[first:last]
    return Interval(
        min(start, *(word.start_seconds for word in own)), max(end, *(word.end_seconds for word in own))
    )


def _widened(intervals: Iterable[Interval], seconds: float) -> tuple[Interval, ...]:
    """With a margin around each, those that then touch made one."""
    joined: list[Interval] = []
    for one in sorted(intervals):
        start, end = (
            max(0.0, one.start_seconds - BEFORE_SECONDS),
            min(seconds, one.end_seconds + AFTER_SECONDS),
        )
        if joined and start <= joined[-1].end_seconds + _JOINED_SECONDS:
            joined[-1] = Interval(joined[-1].start_seconds, max(end, joined[-1].end_seconds))
        else:
            joined.append(Interval(start, end))
    return tuple(joined)


def _sounding(text: str) -> Iterator[tuple[int, str]]:
    """Place and sound of each letter and figure; figures sound as they are said, 幺 and 1 as 一."""
    for place, letter in enumerate(text):
        plain = (unicodedata.normalize("NFKC", letter) or letter)[0].lower()[:1]
        if plain.isalnum():
            yield place, sound_of(_SAID[int(digit)] if (digit := figure(plain)) else plain)
