"""Loudspeakers that play from a folder: a file is put there when it is due and taken away afterwards.

The folder may be a shared drive, or one that is synchronised with the device. Nothing comes back from it: a
play is `received` while its file lies there, and `finished` with the detail `unconfirmed` when it has gone.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.exc import NoResultFound

from ivr.broadcast.loudspeakers import (
    UNCONFIRMED,
    BroadcastError,
    Form,
    Job,
    Report,
    Told,
    What,
    Wiring,
)
from ivr.broadcast.lying import INDEX, Lying, lying_of, read_index, take_away, write_index
from sync.archive import Archive
from sync.errors import RecordsError
from sync.records.tables import Community

log = logging.getLogger(__name__)

SWEEP_SECONDS = 5.0
REMEMBERED = timedelta(hours=1)
_FOLDER = re.compile(r"[\w\- ]{1,60}")


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
        self._waiting: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._stopped: dict[str, datetime] = {}
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
        """Put the file there when its time has come, named by it."""
        if job.airing_id in self._stopped or job.play_id in self._waiting:
            return
        if self._clock() < job.at:
            self._waiting[job.play_id] = (job, asyncio.create_task(self._wait_for(job)))
        else:
            await self._lay(job)

    async def _wait_for(self, job: Job) -> None:
        while (left := (job.at - self._clock()).total_seconds()) > 0:
            await asyncio.sleep(min(left, 1.0))
        del self._waiting[job.play_id]
        await self._lay(job)

    async def _lay(self, job: Job) -> None:
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

    async def stop(self, airing_id: str) -> None:
        """Take its files away. What the device has begun already can't be reached."""
        self._stopped[airing_id] = self._clock()
        for job, task in [one for one in self._waiting.values() if one[0].airing_id == airing_id]:
            task.cancel()
            del self._waiting[job.play_id]
            self._tell(job, "failed", "stopped")
        async with self._lock:
            ended, is_sure = await asyncio.to_thread(self._take_away, lambda one: one.airing_id == airing_id)
        self._tell_end(ended, "failed", "stopped")
        if not is_sure:
            raise BroadcastError("a folder can't be reached")

    async def close(self) -> None:
        """Leave the files where they are: the next start takes them away in time."""
        for job, _ in self._waiting.values():
            self._tell(job, "failed", "interrupted")
        ours = [task for _, task in self._waiting.values()] + ([self._sweeping] if self._sweeping else [])
        self._waiting.clear()
        for task in ours:
            task.cancel()
        await asyncio.gather(*ours, return_exceptions=True)

    # --- folders ---
    def _put(self, folder: Path, job: Job) -> None:
        """Lay the file there, unless it lies or lay there, for this loudspeaker or another one of the folder.

        Raises BroadcastError, OSError.
        """
        index = {one.play_id: one for one in read_index(folder)}
        if job.play_id in index and index[job.play_id].state != "coming":
            return
        if self._clock() >= job.expires_at:
            raise BroadcastError("expired")
        known = index.get(job.play_id) or next(
            (one for one in index.values() if one.airing_id == job.airing_id), None
        )
        folder.mkdir(parents=True, exist_ok=True)
        data = job.sound.path.read_bytes()
        if hashlib.sha256(data).hexdigest() != job.sound.sha256:
            raise BroadcastError("wrong_sum")
        lying = known or lying_of(job, self._zone_of(job.loudspeaker.community_id))
        lying = replace(lying, play_id=job.play_id, loudspeaker_id=job.loudspeaker.id)
        write_index(folder, (index | {job.play_id: lying}).values())
        if lying.state == "coming":
            draft = folder / f".{lying.file}.part"
            draft.write_bytes(data)
            draft.replace(folder / lying.file)
            write_index(folder, (index | {job.play_id: replace(lying, state="lying")}).values())

    def _take_away(self, is_over: Callable[[Lying], bool]) -> tuple[list[Lying], bool]:
        """Files go, their plays stay in the index until nobody may hand them down again.

        What has gone now, and whether every folder could be reached.
        """
        ended: list[Lying] = []
        is_sure = True
        for path in self._root.glob(f"*/{INDEX}"):
            try:
                ended += take_away(path.parent, is_over, self._clock() - REMEMBERED)
            except OSError as error:
                log.warning("a folder of programmes can't be reached: %s", type(error).__name__)
                is_sure = False
        return ended, is_sure

    async def _sweep(self) -> None:
        now = self._clock()
        self._stopped = {one: at for one, at in self._stopped.items() if at > now - REMEMBERED}
        async with self._lock:
            ended, _ = await asyncio.to_thread(self._take_away, lambda one: one.until_at <= now)
        self._tell_end(ended, "finished", UNCONFIRMED)

    async def _keep_sweeping(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._sweep()

    def _tell_end(self, ended: Sequence[Lying], what: What, detail: str) -> None:
        for one in ended:
            self._report(Told(one.play_id, one.loudspeaker_id, what, self._clock(), detail))

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
