"""How well and how dearly a recognizer writes down a folder of recordings whose words are known."""

from __future__ import annotations

import csv
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from speech.audio import read_audio
from speech.channel import CONDITIONS
from speech.error_rate import average_over_speakers, character_error_rate
from speech.errors import SpeechError
from speech.recognize import Recognizer

MANIFEST = "manifest.tsv"
LONGEST_FIELD = 1 << 20
NO_STYLE = "–"


@dataclass(frozen=True)
class Clip:
    """One recording, what is said in it, who says it and how (read, spontaneous, …)."""

    path: Path
    transcript: str
    speaker: str
    style: str


@dataclass(frozen=True)
class Heard:
    """What a recognizer wrote for one clip under one condition; `cost` is CPU seconds, of all threads."""

    clip: Clip
    condition: str
    text: str
    confidence: float
    wrong: float
    seconds: float
    cost: float


@dataclass(frozen=True)
class Average:
    """Over some clips: errors by character, each speaker weighing the same, and CPU seconds a second."""

    clips: int
    speakers: int
    seconds: float
    wrong: float
    cost: float


def read_manifest(folder: Path) -> tuple[Clip, ...]:
    """The clips that `manifest.tsv` names: columns file and transcript, and if there are any speaker, style.

    A clip without a speaker is a speaker of its own. Of a style only what stands before a semicolon counts.
    Raises SpeechError (permanent) where there is no such list or where it has no rows.
    """
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with (folder / MANIFEST).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (OSError, UnicodeError, csv.Error) as error:
        raise SpeechError(f"{folder / MANIFEST} can't be read: {error}", permanent=True) from error
    if not rows or not {"file", "transcript"} <= rows[0].keys():
        raise SpeechError(f"{folder / MANIFEST} needs rows with file and transcript", permanent=True)
    return tuple(
        Clip(
            folder / (row["file"] or ""),
            row["transcript"] or "",
            row.get("speaker") or row["file"] or "",
            (row.get("style") or NO_STYLE).split(";")[0].strip(),
        )
        for row in rows
    )


def sample(clips: Sequence[Clip], limit: int) -> tuple[Clip, ...]:
    """At most so many clips, the first of every speaker before the second of any."""
    own: defaultdict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        own[clip.speaker].append(clip)
    rounds = (clip for row in zip_longest(*own.values()) for clip in row if clip is not None)
    return tuple(rounds)[:limit]


def listen(recognizer: Recognizer, clip: Clip, condition: str, language: str) -> Heard:
    """One clip under one of `CONDITIONS`. The noise follows from the file's name. Raises SpeechError."""
    sound = CONDITIONS[condition](read_audio(clip.path), zlib.crc32(clip.path.name.encode()))
    started = time.process_time()
    heard = recognizer.transcribe(sound, language)
    cost = time.process_time() - started
    wrong = character_error_rate(clip.transcript, heard.text)
    return Heard(clip, condition, heard.text, heard.confidence, wrong, sound.seconds, cost)


def average(heard: Iterable[Heard]) -> Average:
    """Of one clip or more."""
    all_of = list(heard)
    seconds = sum(one.seconds for one in all_of)
    return Average(
        len(all_of),
        len({one.clip.speaker for one in all_of}),
        round(seconds, 2),
        average_over_speakers((one.clip.speaker, one.wrong) for one in all_of),
        sum(one.cost for one in all_of) / max(seconds, 1e-9),
    )


def averages(heard: Sequence[Heard]) -> Iterator[tuple[str, str, Average]]:
    """For each condition every style, the one with most speakers first, and last all of them ('all')."""
    for condition in dict.fromkeys(one.condition for one in heard):
        own = [one for one in heard if one.condition == condition]
        styles: defaultdict[str, list[Heard]] = defaultdict(list)
        for one in own:
            styles[one.clip.style].append(one)
        told = [(style, average(some)) for style, some in styles.items()]
        for style, mean in sorted(told, key=lambda row: -row[1].speakers):
            yield condition, style, mean
        yield condition, "all", average(own)
