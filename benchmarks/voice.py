"""How well the rendered voice is understood over the telephone, how fast it speaks, how evenly loud it is.

Every sentence of the Chinese book, rendered as for a call, goes through the phone channel to a frozen judge
(`voice_judge`); the character error rate of each sentence counts once. What was rendered and heard is kept,
so that only what changed costs time again. `SMALL=1` takes every eighth sentence. A table of all sentences,
the worst first, is left beside the kept sounds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

from benchmarks.report import Measured, percentile
from benchmarks.voice_book import Heard, sentences, spare_sentences
from benchmarks.voice_judge import Judge
from benchmarks.voice_loudness import loudness
from benchmarks.voice_studio import RememberingKokoro, clips_of, kept_folder
from ivr.prompts.book import Book
from speech.audio import Audio, join
from speech.channel import phone
from speech.error_rate import character_error_rate
from speech.models import models_folder
from speech.pacing import Pace, characters
from speech.reading import normalise
from speech.synthesize import FEMALE, MALE

VOICES = {"female": FEMALE, "male": MALE}
EVERY = 8 if os.environ.get("SMALL") else 1
WORST = 10
MEDIAN_TARGET, WORST_TARGET, PACE_TARGET, LOUDNESS_TARGET = 12.0, 40.0, 7.0, 3.0


@dataclass(frozen=True)
class Judged:
    """One sentence, what the judge heard, and how far that is from it (% of its characters)."""

    name: str
    said: str
    heard: str
    error: float


def measure() -> Iterator[Measured | str]:
    """For each voice: intelligibility at both paces, then pace and loudness. Needs the models."""
    book = [*sentences(Book.load("zh")), *spare_sentences()][::EVERY]
    kept = kept_folder()
    synthesizer = RememberingKokoro(models_folder(), kept / "phrases")
    judge = Judge(models_folder(), kept / "heard")
    for name, voice in VOICES.items():
        normal: list[Judged] = []
        for pace in Pace:
            sounds = [clips_of(one, synthesizer, voice, pace is Pace.SLOW) for one in book]
            judged = [_judge(one, sound, judge) for one, sound in zip(book, sounds, strict=True)]
            normal = normal or judged
            at = f"voice.{name}.{pace.name.lower()}"
            yield from _intelligibility(at, judged, normal)
            yield from _pace(at, book, sounds, pace)
            yield from _evenness(at, sounds)
            yield from _worst(at, judged, kept)


def _judge(one: Heard, clips: Sequence[Audio], judge: Judge) -> Judged:
    heard = judge.hear(phone(join(clips)))
    return Judged(one.name, one.words, heard, 100 * character_error_rate(one.words, heard))


def _intelligibility(at: str, judged: Sequence[Judged], normal: Sequence[Judged]) -> Iterator[Measured]:
    """Median, worst, share of sentences beyond the worst allowed, and the mean beside the normal pace."""
    errors = [one.error for one in judged]
    above = 100 * sum(error > WORST_TARGET for error in errors) / len(errors)
    yield Measured(f"{at}.error_median", median(errors), "%", MEDIAN_TARGET, is_at_most=True)
    yield Measured(f"{at}.error_worst", max(errors), "%", WORST_TARGET, is_at_most=True)
    yield Measured(f"{at}.above_{WORST_TARGET:.0f}", above, "%", 0, is_at_most=True)
    mean, usual = fmean(errors), fmean(one.error for one in normal)
    if judged is not normal:
        yield Measured(f"{at}.error_mean", mean, "%", 1.0, mean / usual, is_at_most=True)
    else:
        yield Measured(f"{at}.error_mean", mean, "%", MEDIAN_TARGET, is_at_most=True)


def _pace(
    at: str, book: Sequence[Heard], sounds: Sequence[Sequence[Audio]], pace: Pace
) -> Iterator[Measured]:
    """Characters a minute over all clips that are said at this pace (receipts are slow at any)."""
    of_pace = [
        (characters(normalise(clip.text)), sound.seconds)
        for one, clips in zip(book, sounds, strict=True)
        for clip, sound in zip(one.clips, clips, strict=True)
        if clip.is_slow is False
    ]
    a_minute = sum(count for count, _ in of_pace) * 60 / sum(seconds for _, seconds in of_pace)
    off = 100 * abs(a_minute / pace.characters_a_minute - 1)
    yield Measured(f"{at}.pace", a_minute, "characters/min", 0)
    yield Measured(f"{at}.pace_off", off, "%", PACE_TARGET, is_at_most=True)


def _evenness(at: str, sounds: Sequence[Sequence[Audio]]) -> Iterator[Measured]:
    """How far apart in loudness nine of ten clips are (EBU R 128, sentences of a second or more)."""
    loud = [loudness(clip) for clips in sounds for clip in clips if clip.seconds >= 1]
    yield Measured(
        f"{at}.loudness_spread", percentile(loud, 95) - percentile(loud, 5), "LU", LOUDNESS_TARGET,
        is_at_most=True,
    )  # fmt: skip


def _worst(at: str, judged: Sequence[Judged], kept: Path) -> Iterator[str]:
    ordered = sorted(judged, key=lambda one: -one.error)
    rows = [f"{one.error:.0f}\t{one.name}\t{one.said}\t{one.heard}" for one in ordered]
    (kept / f"{at}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    yield from (f"# {at} {row}" for row in rows[:WORST])
