"""How well and how dearly the default recognizer hears real voices, beside plain faster-whisper.

Needs `../shared/audio` with a manifest. Error rates are means over speakers, a clip at most 200 %, by
characters without marks, figures as they are said. The cost is processor time of this process for clips of
at most `SHORT_SECONDS`, each clip by both, one right after the other.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks import speech_trust, speech_vocabulary
from benchmarks.report import Measured
from benchmarks.speech_clips import FOLDER, Clip, clips
from benchmarks.speech_plain import Plain
from speech.error_rate import average_over_speakers, character_error_rate
from speech.models import check, models_folder
from speech.recognize import Transcript, load_recognizer

RATIO_TARGET, READ_TARGET, COST_TARGET = 0.85, 1.0, 0.4
SHORT_SECONDS = 15.0


@dataclass(frozen=True)
class Heard:
    """One clip, heard by ours and by the plain one, with what it cost them (processor seconds)."""

    clip: Clip
    ours: Transcript
    plain: str
    ours_seconds: float
    plain_seconds: float

    @property
    def ours_rate(self) -> float:
        return character_error_rate(self.clip.said, self.ours.text)

    @property
    def plain_rate(self) -> float:
        return character_error_rate(self.clip.said, self.plain)


def measure() -> Iterator[Measured]:
    """Both conditions, then what the confidence is worth, then the vocabulary."""
    models = models_folder()
    if not (FOLDER / "manifest.tsv").is_file():
        _tell(f"!! NO TEST SOUND HERE ({FOLDER.parent.name}/{FOLDER.name}): speech is not measured")
        return
    if problems := check(models):
        _tell(f"!! NO WEIGHTS HERE ({problems[0]}): speech is not measured")
        return
    ours, plain = load_recognizer("faster-whisper", models), Plain(models)
    for condition in ("phone", "clean"):
        heard = [_hear(clip, ours.transcribe, plain.text) for clip in clips(condition)]
        _table(condition, heard)
        yield from _error_rates(condition, heard)
        if condition == "phone":
            yield _cost(heard)
            yield from speech_trust.measure([(one.clip, one.ours) for one in heard])
            yield from speech_vocabulary.measure(ours, [(one.clip, one.ours) for one in heard])


def _hear(clip: Clip, ours: Callable[..., Transcript], plain: Callable[..., str]) -> Heard:
    began = time.process_time()
    transcript = ours(clip.sound)
    between = time.process_time()
    text = plain(clip.sound)
    return Heard(clip, transcript, text, between - began, time.process_time() - between)


def _error_rates(condition: str, heard: Sequence[Heard]) -> Iterator[Measured]:
    ours, plain = _means(heard)
    target = RATIO_TARGET if condition == "phone" else 1.0
    yield Measured(f"speech.cer_{condition}", 100 * ours, "%", target, ours / plain, is_at_most=True)
    ours, plain = _means([one for one in heard if one.clip.style == "read"])
    yield Measured(
        f"speech.cer_read_{condition}", 100 * ours, "%", READ_TARGET, ours / plain, is_at_most=True
    )


def _cost(heard: Sequence[Heard]) -> Measured:
    short = [one for one in heard if one.clip.sound.seconds <= SHORT_SECONDS]
    seconds = sum(one.clip.sound.seconds for one in short)
    ours, plain = sum(one.ours_seconds for one in short), sum(one.plain_seconds for one in short)
    return Measured("speech.cost", ours / seconds, "cpu s/s", COST_TARGET, ours / plain, is_at_most=True)


def _means(heard: Sequence[Heard]) -> tuple[float, float]:
    """Ours and plain, by speaker; plain never quite nothing, because ours is divided by it."""
    ours = average_over_speakers((one.clip.speaker, one.ours_rate) for one in heard)
    plain = average_over_speakers((one.clip.speaker, one.plain_rate) for one in heard)
    return ours, max(plain, 1e-4)


def _table(condition: str, heard: Sequence[Heard]) -> None:
    """By style, and by the two halves of the speakers: how much speakers differ."""
    _tell(f"# {condition}: CER % by speaker    speakers  plain   ours")
    styles = dict.fromkeys(one.clip.style for one in heard)
    groups = {style: [one for one in heard if one.clip.style == style] for style in styles}
    for half in (0, 1):
        groups[f"speakers, half {half + 1}"] = [one for one in heard if one.clip.half == half]
    for name, group in {**groups, "all": list(heard)}.items():
        ours, plain = _means(group)
        speakers = len({one.clip.speaker for one in group})
        _tell(f"#   {name:<28} {speakers:>5} {100 * plain:>8.1f} {100 * ours:>6.1f}")


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
