"""Programmes to be carried away on a stick: MP3s whose names sort by time, a timetable, a page to read. Pure.

2026-11-22_周日/0900_早间播报.mp3      one folder a day, as timers and USB players read them
节目时间表.csv                         the same for spreadsheets and timer software
节目时间表.html                        for people, to be printed
programmes.json                        sums and approvals, for whoever takes them over into another system
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape

from sync.export.cells import csv_lines, json_lines
from sync.export.zipped import File

WEEKDAYS = "一二三四五六日"
LONGEST_NAME = 30
TIMETABLE, PAGE, SUMS = "节目时间表.csv", "节目时间表.html", "programmes.json"
COLUMNS = ("日期", "星期", "时间", "文件", "节目", "时长", "次数", "区域", "音量")
SUM_COLUMNS = (
    "file", "programme_id", "title", "sha256", "seconds", "digest", "approved_by", "approved_at",
    "second_approved_by", "second_approved_at",
)  # fmt: skip
_PIECE = 1 << 16
_UNFIT = re.compile(r'[\\/:*?"<>|\x00-\x1f\x7f]')
"""What FAT and exFAT, the file systems of sticks, don't take in a name."""


@dataclass(frozen=True)
class Approved:
    """One programme that may be loud: its MP3, and who let it be."""

    programme_id: str
    title: str
    path: Path
    sha256: str
    seconds: float
    digest: str
    approved_by: str
    approved_at: datetime
    second_approved_by: str | None = None
    second_approved_at: datetime | None = None


@dataclass(frozen=True)
class Slot:
    """One moment a programme is to be played: local day and time (09:00). No day: whenever somebody likes."""

    programme: Approved
    day: date | None = None
    time: str = ""
    repeats: int = 1
    areas: tuple[str, ...] = ()
    volume: int | None = None


@dataclass(frozen=True)
class Carried:
    """A slot and the name its file has."""

    slot: Slot
    name: str

    @property
    def day(self) -> str:
        """The day as a folder and a heading: 2026-11-22_周日."""
        return folder_of(self.slot.day)

    @property
    def length(self) -> str:
        """Minutes and seconds, 3:05."""
        minutes, seconds = divmod(round(self.slot.programme.seconds), 60)
        return f"{minutes}:{seconds:02}"

    @property
    def area(self) -> str:
        """Where it is for."""
        return "、".join(self.slot.areas) or "全部"


def named(slots: Iterable[Slot]) -> list[Carried]:
    """Every slot with its file's name, in the order of time; names that would be the same are numbered."""
    found: list[Carried] = []
    taken: set[str] = set()
    ordered = sorted(slots, key=lambda slot: (slot.day or date.min, slot.time, slot.programme.title))
    for slot in ordered:
        folder = f"{folder_of(slot.day)}/" if slot.day else ""
        stem = "_".join(part for part in (slot.time.replace(":", ""), fit(slot.programme.title)) if part)
        name, number = f"{folder}{stem}.mp3", 1
        while name.lower() in taken:  # FAT knows no difference between large and small letters
            number += 1
            name = f"{folder}{stem}_{number}.mp3"
        taken.add(name.lower())
        found.append(Carried(slot, name))
    return found


def files(carried: Sequence[Carried], community: str, made_at: datetime) -> Iterator[File]:
    """Everything that goes into the folder or zip, by name. `made_at` is local.

    Sounds come in pieces, as they are read: raises OSError where one is gone.
    """
    yield PAGE, [page(carried, community, made_at).encode()]
    yield TIMETABLE, csv_lines(COLUMNS, map(_row, carried))
    yield SUMS, json_lines(SUM_COLUMNS, map(_sums, carried))
    for one in carried:
        yield one.name, _pieces(one.slot.programme.path)


def write_folder(content: Iterable[File], target: Path) -> None:
    """Write it all into a folder, in which nothing else may lie. An export that breaks off leaves none.

    Raises OSError; FileExistsError where the folder is not empty.
    """
    if target.exists() and any(target.iterdir()):
        raise FileExistsError(f"{target.name} is not empty")
    draft = target.with_name(f".{target.name}.part")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        for name, pieces in content:
            path = draft / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as file:
                file.writelines(pieces)
        if target.exists():
            target.rmdir()
        draft.replace(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def page(carried: Sequence[Carried], community: str, made_at: datetime) -> str:
    """The timetable for people, one HTML file for A4 that needs no network."""
    environment = Environment(loader=PackageLoader("ivr.broadcast", "pages"), autoescape=select_autoescape())
    days: dict[str, list[Carried]] = {}
    for one in carried:
        days.setdefault(one.day, []).append(one)
    last = max((one.slot.day for one in carried if one.slot.day), default=None)
    return environment.get_template("carried.html").render(
        community=community, days=days, made_at=f"{made_at:%Y-%m-%d %H:%M}", last=last
    )


def fit(title: str) -> str:
    """A title as part of a file's name, on any stick."""
    plain = "_".join(_UNFIT.sub(" ", title).split())
    return plain[:LONGEST_NAME].strip("._ ") or "节目"


def folder_of(day: date | None) -> str:
    """The folder of a day: 2026-11-22_周日."""
    return f"{day.isoformat()}_周{WEEKDAYS[day.weekday()]}" if day else ""


def _row(one: Carried) -> dict[str, object]:
    slot = one.slot
    values = (
        slot.day.isoformat() if slot.day else "",
        f"周{WEEKDAYS[slot.day.weekday()]}" if slot.day else "",
        slot.time,
        one.name,
        slot.programme.title,
        one.length,
        slot.repeats,
        one.area,
        "" if slot.volume is None else slot.volume,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _sums(one: Carried) -> dict[str, object]:
    made, second_at = one.slot.programme, one.slot.programme.second_approved_at
    values = (
        one.name,
        made.programme_id,
        made.title,
        made.sha256,
        round(made.seconds, 1),
        made.digest,
        made.approved_by,
        made.approved_at.isoformat(),
        made.second_approved_by,
        second_at.isoformat() if second_at else None,
    )
    return dict(zip(SUM_COLUMNS, values, strict=True))


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
