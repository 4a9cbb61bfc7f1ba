"""The test sound beside the project, clean and as a telephone carries it; nothing of it is in the project."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from speech.audio import Audio, read_audio
from speech.channel import CONDITIONS

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "audio"


@dataclass(frozen=True, eq=False)
class Clip:
    """One recording, what is said in it, by whom and in what style."""

    name: str
    said: str
    speaker: str
    style: str
    sound: Audio

    @property
    def half(self) -> int:
        """0 or 1: the half of the speakers that its speaker belongs to, by chance and for ever."""
        return hashlib.sha256(self.speaker.encode()).digest()[0] % 2


def clips(condition: str, folder: Path = FOLDER) -> Iterator[Clip]:
    """Every clip of `folder`'s manifest under one of `CONDITIONS`; none where there is no manifest.

    The manifest is a TSV with the columns file, transcript, speaker and style (its first word counts).
    """
    manifest = folder / "manifest.tsv"
    if not manifest.is_file():
        return
    with manifest.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    for row in rows:
        sound = CONDITIONS[condition](read_audio(folder / row["file"]), 0)
        style = row["style"].partition(";")[0]
        yield Clip(row["file"], row["transcript"], row["speaker"], style, sound)
