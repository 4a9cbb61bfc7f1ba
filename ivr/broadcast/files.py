"""Loudspeakers that play from a folder: a file is put there when it is due and taken away afterwards.

The folder may be a shared drive, or one that is synchronised with the device. Nothing comes back from it, so
`finished` carries the detail `unconfirmed`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import NoResultFound

from ivr.broadcast.airing import total_seconds
from ivr.broadcast.carrying import fit
from ivr.broadcast.loudspeakers import BroadcastError, Form, Job, Report, Told, What, Wiring
from ivr.broadcast.multicast import UNCONFIRMED
from sync.archive import Archive
from sync.errors import RecordsError
from sync.export.cells import csv_lines
from sync.records.tables import Community

log = logging.getLogger(__name__)

INDEX, LIST = ".programmes.json", "播放清单.csv"
COLUMNS = ("文件", "节目", "开始", "最迟", "次数", "音量")
SWEEP_SECONDS = 20.0
SPARE_SECONDS = 30.0
"""What the device may need to notice a file, on top of its length."""
_FOLDER = re.compile(r"[\w\- ]{1,60}")


@dataclass(frozen=True)
class Lying:
    """One file in a folder, as the index in it tells: until when (UTC) it may lie there.

    `state`: coming → lying → gone.
    """

    play_id: str
    airing_id: str
    file: str
    title: str
    at: str
    latest: str
    until: str
    repeats: int
    volume: int
    state: str = "coming"


def utc_now() -> datetime:
    """Now."""
    return datetime.now(UTC)


class FileLoudspeakers:
    """`Loudspeakers` by folders below one root. A play is in the index before its file is there, so that a
    job handed down again puts nothing there twice.
    """

    form: Form = "mp3"
    knows_repeats = True

    def __init__(
        self,
        root: Path,
        clock: Callable[[], datetime] = utc_now,
        zone_of: Callable[[str], tzinfo] = lambda community_id: UTC,
    ) -> None:
        self._root, self._clock, self._zone_of = root, clock, zone_of
        self._report: Report = lambda told: None
        self._sweeping: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()

    @classmethod
    def opened(cls, wiring: Wiring) -> FileLoudspeakers:
        """As the settings want it: `files_folder`, else a folder in our home."""
        folder = wiring.settings.get("files_folder", "")
        root = Path(folder) if folder else wiring.home / "broadcast" / "files"
        return cls(root, zone_of=lambda community_id: zone_of(wiring.archive, community_id))

    async def start(self, report: Report) -> None:
        """Take away what an earlier life left lying too long, and go on doing so."""
        self._report = report
        await self._sweep()
        self._sweeping = asyncio.create_task(self._keep_sweeping())

    async def air(self, job: Job) -> None:
        """Put the file there, named by its time."""
        if self._clock() >= job.expires_at:
            self._tell(job, "failed", "expired")
            return
        try:
            folder = folder_of(job, self._root)
            async with self._lock:
                await asyncio.to_thread(self._put, folder, job)
        except BroadcastError as error:
            self._tell(job, "failed", str(error))
        except OSError as error:
            log.warning("play %s: its folder takes no file: %s", job.play_id, type(error).__name__)
            self._tell(job, "failed", "unreachable")
        else:
            self._tell(job, "received")
            self._tell(job, "finished", UNCONFIRMED)

    async def stop(self, airing_id: str) -> None:
        """Take its files away. What the device has begun already can't be reached."""
        async with self._lock:
            await asyncio.to_thread(self._take_away, lambda lying: lying.airing_id == airing_id)

    async def close(self) -> None:
        """Leave the files where they are: the next start takes them away in time."""
        if self._sweeping:
            self._sweeping.cancel()
            await asyncio.gather(self._sweeping, return_exceptions=True)

    # --- folders ---
    def _put(self, folder: Path, job: Job) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        index = {one.play_id: one for one in read_index(folder)}
        if (known := index.get(job.play_id)) and known.state != "coming":
            return
        data = job.sound.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != job.sound.sha256:
            raise BroadcastError("wrong_sum")
        lying = known or _lying(job, self._zone_of(job.loudspeaker.community_id))
        _write(folder, [*(index | {job.play_id: lying}).values()])
        draft = folder / f".{lying.file}.part"
        draft.write_bytes(data)
        draft.replace(folder / lying.file)
        _write(folder, [*(index | {job.play_id: replace(lying, state="lying")}).values()])

    def _take_away(self, is_over: Callable[[Lying], bool]) -> None:
        """Files go, their plays stay in the index until nobody may hand them down again."""
        long_ago = self._clock() - timedelta(hours=1)
        for path in self._root.glob(f"*/{INDEX}"):
            index = read_index(path.parent)
            kept = []
            for lying in index:
                if lying.state != "gone" and is_over(lying):
                    (path.parent / lying.file).unlink(missing_ok=True)
                    lying = replace(lying, state="gone")
                if _moment(lying.until) > long_ago:
                    kept.append(lying)
            if kept != index:
                _write(path.parent, kept)

    async def _sweep(self) -> None:
        async with self._lock:
            now = self._clock()
            try:
                await asyncio.to_thread(self._take_away, lambda lying: _moment(lying.until) <= now)
            except OSError as error:
                log.warning("old programmes could not be taken away: %s", type(error).__name__)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._sweep()

    def _tell(self, job: Job, what: What, detail: str = "") -> None:
        self._report(Told(job.play_id, job.loudspeaker.id, what, self._clock(), detail))


def folder_of(job: Job, root: Path) -> Path:
    """The loudspeaker's folder: what its address says under `folder`, else its id. Raises BroadcastError for
    one that is not a plain name: nothing is written outside the root.
    """
    name = str(job.loudspeaker.address.get("folder") or job.loudspeaker.id)
    if not _FOLDER.fullmatch(name) or name != name.strip():
        raise BroadcastError("refused")
    return root / name


def zone_of(archive: Archive, community_id: str) -> ZoneInfo:
    """The time zone of a community; raises OSError while the records don't answer."""
    try:
        with archive.database.read() as session:
            return ZoneInfo(session.get_one(Community, community_id).time_zone)
    except (RecordsError, NoResultFound) as error:
        raise OSError("the community's time zone is not to be had") from error


def read_index(folder: Path) -> list[Lying]:
    """What lies in a folder, or lay there lately; nothing where there is no index, or a spoiled one."""
    try:
        return [Lying(**one) for one in json.loads((folder / INDEX).read_text("utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _lying(job: Job, zone: tzinfo) -> Lying:
    """It lies there until it has been played, and at least as long as it may be begun."""
    lasts = timedelta(seconds=total_seconds(job.sound.seconds, job.repeat) + SPARE_SECONDS)
    suffix = ".mp3" if job.sound.media_type == "audio/mpeg" else ".wav"
    mark = hashlib.sha256(job.play_id.encode()).hexdigest()[:4]
    at, latest = job.at.astimezone(zone), job.expires_at.astimezone(zone)
    return Lying(
        job.play_id,
        job.airing_id,
        f"{at:%Y%m%d_%H%M}_{fit(job.title)}_{mark}{suffix}",
        job.title,
        f"{at:%Y-%m-%d %H:%M}",
        f"{latest:%Y-%m-%d %H:%M}",
        max(job.expires_at, job.at + lasts).isoformat(),
        job.repeat,
        job.loudspeaker.volume,
    )


def _write(folder: Path, index: list[Lying]) -> None:
    """The index for us and the list for people, each in one step."""
    told = json.dumps([asdict(one) for one in index], ensure_ascii=False, indent=1).encode()
    rows = (
        dict(zip(COLUMNS, (one.file, one.title, one.at, one.latest, one.repeats, one.volume), strict=True))
        for one in index
        if one.state == "lying"
    )
    for name, data in ((INDEX, told), (LIST, b"".join(csv_lines(COLUMNS, rows)))):
        draft = folder / f"{name}.part"
        draft.write_bytes(data)
        os.replace(draft, folder / name)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
