"""What lies in a loudspeaker's folder: an index for us, a list for people."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

from ivr.broadcast.airing import total_seconds
from ivr.broadcast.carrying import fit
from ivr.broadcast.loudspeakers import Job
from sync.export.cells import csv_lines

INDEX, LIST = ".programmes.json", "播放清单.csv"
COLUMNS = ("文件", "节目", "开始", "最迟", "次数", "音量")
SPARE_SECONDS = 30.0
"""What the device may need to notice a file, on top of its length."""


@dataclass(frozen=True)
class Lying:
    """One file in a folder, as the index in it tells: until when (UTC) it may lie there.

    `state`: coming → lying → gone.
    """

    play_id: str
    airing_id: str
    loudspeaker_id: str
    file: str
    title: str
    at: str
    latest: str
    until: str
    repeats: int
    volume: int
    state: str = "coming"

    @property
    def until_at(self) -> datetime:
        """As a moment."""
        return datetime.fromisoformat(self.until)


def read_index(folder: Path) -> list[Lying]:
    """What lies in a folder, or lay there lately; nothing where there is no index, or a spoiled one."""
    try:
        return [Lying(**one) for one in json.loads((folder / INDEX).read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def lying_of(job: Job, zone: tzinfo) -> Lying:
    """A job's file, named in local time. It lies there until it is played, and while it may begin."""
    lasts = timedelta(seconds=total_seconds(job.sound.seconds, job.repeat) + SPARE_SECONDS)
    suffix = ".mp3" if job.sound.media_type == "audio/mpeg" else ".wav"
    mark = hashlib.sha256(job.play_id.encode()).hexdigest()[:4]
    at, latest = job.at.astimezone(zone), job.expires_at.astimezone(zone)
    return Lying(
        job.play_id,
        job.airing_id,
        job.loudspeaker.id,
        f"{at:%Y%m%d_%H%M}_{fit(job.title)}_{mark}{suffix}",
        job.title,
        f"{at:%Y-%m-%d %H:%M}",
        f"{latest:%Y-%m-%d %H:%M}",
        max(job.expires_at, job.at + lasts).isoformat(),
        job.repeat,
        job.loudspeaker.volume,
    )


def write_index(folder: Path, index: Iterable[Lying]) -> None:
    """The index, and the list of what is there. Raises OSError."""
    index = list(index)
    there = {one.file: one for one in index if one.state == "lying"}
    told = json.dumps([asdict(one) for one in index], ensure_ascii=False, indent=1).encode()
    rows = (
        dict(zip(COLUMNS, (one.file, one.title, one.at, one.latest, one.repeats, one.volume), strict=True))
        for one in there.values()
    )
    for name, data in ((INDEX, told), (LIST, b"".join(csv_lines(COLUMNS, rows)))):
        draft = folder / f"{name}.part"
        draft.write_bytes(data)
        os.replace(draft, folder / name)


def take_away(folder: Path, is_over: Callable[[Lying], bool], long_ago: datetime) -> list[Lying]:
    """Remove the files of what is over; what has gone now. What was over `long_ago` is forgotten.

    Raises OSError.
    """
    index, kept, ended = read_index(folder), [], []
    for lying in index:
        if lying.state != "gone" and is_over(lying):
            (folder / lying.file).unlink(missing_ok=True)
            lying = replace(lying, state="gone")
            ended.append(lying)
        if lying.until_at > long_ago:
            kept.append(lying)
    if kept != index:
        write_index(folder, kept)
    return ended
