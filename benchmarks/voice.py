"""How well the rendered voice is understood over the telephone, how fast it speaks, how evenly loud it is.

Every sentence of the Chinese book, rendered as for a call, goes through the phone channel to a frozen judge
(`voice_judge`); the character error rate of each sentence counts once. What was rendered and heard is kept,
so that a run that was broken off goes on where it was, and only what changed costs time again. `MINUTES=20`
stops after so long and tells what is known of the sentences judged so far; `MINUTES=0` only tells. `SMALL=1`
takes every eighth sentence. A table of all sentences, the worst first, is left beside the kept sounds.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import fmean, median

from benchmarks.report import Measured, percentile
from benchmarks.voice_book import Heard, sentences, spare_sentences
from benchmarks.voice_judge import Judge
from benchmarks.voice_loudness import loudness
from benchmarks.voice_patience import OutOfTimeError, Patience
from benchmarks.voice_studio import RememberingKokoro, clips_of, kept_folder
from ivr.prompts.book import Book
from ivr.prompts.pieces import Spoken
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
    clips: tuple[tuple[Spoken, Audio], ...] = ()


def measure() -> Iterator[Measured | str]:
    """For each pace and voice: intelligibility, then pace and loudness. Needs the models."""
    book = [*sentences(Book.load("zh")), *spare_sentences()][::EVERY]
    kept, patience = kept_folder(), Patience.of_run()
    synthesizer = RememberingKokoro(models_folder(), kept / "phrases", patience)
    judge = Judge(models_folder(), kept / "heard", patience)
    normal: dict[str, dict[str, Judged]] = {}
    for pace, (name, voice) in product(Pace, VOICES.items()):
        at = f"voice.{name}.{pace.name.lower()}"
        judged = list(_all_judged(book, synthesizer, voice, pace, judge))
        usual = normal.setdefault(name, {one.name: one for one in judged})
        yield Measured(f"{at}.judged", len(judged), f"of {len(book)} sentences", len(book))
        if judged:
            yield from _intelligibility(at, judged)
            if pace is not Pace.NORMAL:
                yield from _beside(at, [(one, usual[one.name]) for one in judged if one.name in usual])
            yield from _pace(at, judged, pace)
            yield from _evenness(at, judged)
            yield from _worst(at, judged, kept)


def _all_judged(
    book: Sequence[Heard], synthesizer: RememberingKokoro, voice: str, pace: Pace, judge: Judge
) -> Iterator[Judged]:
    """Each sentence that there is time for, or that was judged before."""
    for one in book:
        try:
            clips = clips_of(one, synthesizer, voice, pace is Pace.SLOW)
            heard = judge.hear(phone(join(clips)))
        except OutOfTimeError:
            continue
        error = 100 * character_error_rate(one.words, heard)
        yield Judged(one.name, one.words, heard, error, tuple(zip(one.clips, clips, strict=True)))


def _intelligibility(at: str, judged: Sequence[Judged]) -> Iterator[Measured]:
    """Median, mean, worst, and the share of sentences beyond the worst allowed."""
    errors = [one.error for one in judged]
    above = 100 * sum(error > WORST_TARGET for error in errors) / len(errors)
    yield Measured(f"{at}.error_median", median(errors), "%", MEDIAN_TARGET, is_at_most=True)
    yield Measured(f"{at}.error_mean", fmean(errors), "%", MEDIAN_TARGET, is_at_most=True)
    yield Measured(f"{at}.error_worst", max(errors), "%", WORST_TARGET, is_at_most=True)
    yield Measured(f"{at}.above_{WORST_TARGET:.0f}", above, "%", 0, is_at_most=True)


def _beside(at: str, pairs: Sequence[tuple[Judged, Judged]]) -> Iterator[Measured]:
    """The mean beside that of the normal pace, over the sentences judged at both."""
    if pairs and (usual := fmean(normal.error for _, normal in pairs)):
        mean = fmean(slow.error for slow, _ in pairs)
        yield Measured(f"{at}.error_beside_normal", mean, "%", 1.0, mean / usual, is_at_most=True)


def _pace(at: str, judged: Sequence[Judged], pace: Pace) -> Iterator[Measured]:
    """Characters a minute over all clips that are said at this pace (receipts are slow at any)."""
    of_pace = [
        (characters(normalise(clip.text)), sound.seconds)
        for one in judged
        for clip, sound in one.clips
        if clip.is_slow is False
    ]
    a_minute = sum(count for count, _ in of_pace) * 60 / sum(seconds for _, seconds in of_pace)
    off = 100 * abs(a_minute / pace.characters_a_minute - 1)
    yield Measured(f"{at}.pace", a_minute, "characters/min", 0)
    yield Measured(f"{at}.pace_off", off, "%", PACE_TARGET, is_at_most=True)


def _evenness(at: str, judged: Sequence[Judged]) -> Iterator[Measured]:
    """How far apart in loudness nine of ten clips are (EBU R 128, sentences of a second or more)."""
    loud = [loudness(clip) for one in judged for _, clip in one.clips if clip.seconds >= 1]
    yield Measured(
        f"{at}.loudness_spread", percentile(loud, 95) - percentile(loud, 5), "LU", LOUDNESS_TARGET,
        is_at_most=True,
    )  # fmt: skip


def _worst(at: str, judged: Sequence[Judged], kept: Path) -> Iterator[str]:
    ordered = sorted(judged, key=lambda one: -one.error)
    rows = [f"{one.error:.0f}\t{one.name}\t{one.said}\t{one.heard}" for one in ordered]
    (kept / f"{at}.tsv").write_text("\n".join(rows) + "\n", "utf-8")
    yield from (f"# {at} {row}" for row in rows[:WORST])
