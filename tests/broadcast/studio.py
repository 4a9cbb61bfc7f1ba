"""A village for tests of the announcer: a clock that is set by hand, devices that behave as they are told."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import select

from ivr.broadcast.announcer import Announcer
from ivr.broadcast.clock import Look
from ivr.broadcast.loudspeakers import BroadcastError, Form, Job, Loudspeakers, Report, Told, Wiring
from ivr.broadcast.rendering import Studio, render_programme, wanted
from ivr.broadcast.store import SoundStore
from ivr.prompts.clips import ClipStore
from sync import broadcasting
from sync.archive import Archive
from sync.broadcasting import Item, When
from sync.desk import Actor
from sync.records.tables import Airing, Play, Programme
from tests.conftest import found_community, fresh_archive
from tests.prompts.tone_synthesizer import ToneSynthesizer

ZONE = ZoneInfo("Asia/Shanghai")
COMMUNITY = "cm_test"
WANG, LI = Actor("st_wang", COMMUNITY), Actor("st_li", COMMUNITY)
NOTICE = (Item("chime"), Item("greeting"), Item("notice", "明天上午九点停水。"), Item("call"))


def local(text: str) -> datetime:
    """A moment of the village, as 2026-05-06 18:30."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@cache
def _made() -> Path:
    """An archive with a community in it, made once: its tables take longer than most of these tests."""
    home = Path(tempfile.mkdtemp(prefix="village"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    for archive in fresh_archive(home):
        found_community(archive)
    return home


def copied_archive(home: Path) -> Iterator[Archive]:
    """An archive of its own on SQLite, closed afterwards."""
    for name in ("records.db", "keys.json"):
        shutil.copy(_made() / name, home / name)
    archive = Archive.open(f"sqlite:///{home}/records.db", home)
    yield archive
    archive.close()


@dataclass
class Devices:
    """The other side: what was handed down, by play, and how each loudspeaker behaves.

    `moods` by loudspeaker: obeys (the usual) · silent (takes it and says nothing) · hears (says received) ·
    sounds (says started) · broken (can't be reached).
    """

    moods: dict[str, str] = field(default_factory=dict)
    given: list[Job] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    report: Report | None = None
    obeyed: dict[str, str] = field(default_factory=dict)  # the mood in which each play was taken

    def tell(self, job: Job, what: str, at: datetime, detail: str = "") -> None:
        assert self.report is not None
        self.report(Told(job.play_id, job.loudspeaker.id, what, at, detail))  # type: ignore[arg-type]

    def sounded(self) -> list[tuple[str, str]]:
        """(loudspeaker's name, programme's title), each as often as it would have been heard."""
        return [(job.loudspeaker.name, job.title) for job in self.given]


@dataclass
class Hand:
    """Both clocks, moved by hand."""

    at: datetime
    steady: float = 1_000.0

    def __call__(self) -> Look:
        return Look(self.at, self.steady)

    def pass_by(self, **time: float) -> None:
        """Time goes by."""
        self.at += timedelta(**time)
        self.steady += timedelta(**time).total_seconds()

    def jump(self, **time: float) -> None:
        """Only the clock on the wall is moved."""
        self.at += timedelta(**time)


class TamedLoudspeakers:
    """An adapter before `devices`, told at once what becomes of a job."""

    form: Form = "mp3"

    def __init__(self, devices: Devices, hand: Hand, knows_repeats: bool = True) -> None:
        self.devices, self.hand, self.knows_repeats = devices, hand, knows_repeats

    @classmethod
    def opened(cls, wiring: Wiring) -> Loudspeakers:
        raise NotImplementedError

    async def start(self, report: Report) -> None:
        self.devices.report = report

    async def air(self, job: Job) -> None:
        mood = self.devices.moods.get(job.loudspeaker.name, "obeys")
        if mood == "broken":
            raise BroadcastError("nobody is there")
        assert self.hand.at < job.expires_at
        mood = self.devices.obeyed.setdefault(job.play_id, mood)
        if not self.knows_repeats or all(one.play_id != job.play_id for one in self.devices.given):
            self.devices.given.append(job)
        told = {"obeys": 3, "sounds": 2, "hears": 1, "silent": 0}[mood]
        for what in ("received", "started", "finished")[:told]:
            self.devices.tell(job, what, self.hand.at)

    async def stop(self, airing_id: str) -> None:
        self.devices.stopped.append(airing_id)

    async def close(self) -> None: ...


@dataclass
class Village:
    """An archive with a studio, devices and a clock; `announcer` is what runs over them."""

    archive: Archive
    home: Path
    hand: Hand
    devices: Devices = field(default_factory=Devices)
    knows_repeats: bool = True
    broken_kinds: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.sounds = SoundStore.under(self.home)
        self.synthesizer = ToneSynthesizer()
        clips = ClipStore(self.home / "clips", b"secret", "kokoro")
        self.studio = Studio(self.archive, clips, self.sounds, lambda: self.synthesizer)

    def announcer(self, me: str | None = None) -> Announcer:
        """A fresh one, as after a start; `me` where it is to be told from those before."""
        tamed = TamedLoudspeakers(self.devices, self.hand, self.knows_repeats)

        def opened(kind: str) -> Loudspeakers:
            if kind in self.broken_kinds:
                raise ZeroDivisionError(kind)  # a mistake of ours
            return tamed

        return Announcer(self.archive, self.sounds, opened, self.hand, me=me)

    def loudspeakers(self, *names: str, area: str = "", volume: int = 60) -> list[str]:
        """Hang some up; their ids."""
        with self.archive.database.begin() as session:
            return [
                broadcasting.add_loudspeaker(
                    session, self.archive, WANG, name, "mqtt", self.hand.at, area=area, volume=volume
                )[0]
                for name in names
            ]

    def programme(
        self, title: str = "停水", items: Sequence[Item] = NOTICE, is_approved: bool = True, **more: str
    ) -> str:
        """A programme with its sound, approved by 王 (an emergency by 李, too)."""
        with self.archive.database.begin() as session:
            programme_id = broadcasting.compose(session, WANG, title, items, self.hand.at, **more)
        self.render()
        if is_approved:
            self.approve(programme_id)
        return programme_id

    def approve(self, programme_id: str) -> None:
        """As heard now, by everybody who must."""
        with self.archive.database.begin() as session:
            programme = session.get_one(Programme, programme_id)
            people = (WANG, LI) if programme.priority == "emergency" else (WANG,)
            for actor in people:
                broadcasting.approve(session, actor, programme_id, programme.sound_digest or "", self.hand.at)

    def render(self) -> None:
        """Let the job make every sound that is wanted."""
        for programme_id in wanted(self.archive):
            render_programme(self.studio, programme_id)

    def schedule(self, programme_id: str, *times: str, **more: object) -> str:
        """Every day at these local times from today on."""
        when = When(times, self.hand.at.astimezone(ZONE).date().isoformat(), **more)  # type: ignore[arg-type]
        with self.archive.database.begin() as session:
            return broadcasting.schedule(session, WANG, programme_id, when, self.hand.at)

    def cut_in(self, programme_id: str, request_id: str = "form 1", **more: int) -> str:
        with self.archive.database.begin() as session:
            return broadcasting.cut_in(session, LI, programme_id, request_id, self.hand.at, **more)

    def look(self, announcer: Announcer, rounds: int = 3, seconds: float = 1.0) -> None:
        """So many rounds, a second apart."""

        async def rounds_of() -> None:
            for _ in range(rounds):
                await announcer.round()
                self.hand.pass_by(seconds=seconds)

        asyncio.run(rounds_of())

    def airings(self) -> list[tuple[str, str | None]]:
        """(state, reason) of every airing, by when it was due."""
        with self.archive.database.read() as session:
            rows = session.execute(select(Airing.state, Airing.reason).order_by(Airing.due_at, Airing.id))
            return [(row[0], row[1]) for row in rows]

    def plays(self) -> list[tuple[str, str | None]]:
        """(state, error) of every play."""
        with self.archive.database.read() as session:
            rows = session.execute(select(Play.state, Play.error).order_by(Play.due_at, Play.id))
            return [(row[0], row[1]) for row in rows]

    def told(self) -> broadcasting.Outcome:
        """The latest airing as staff see it."""
        with self.archive.database.read() as session:
            return broadcasting.outcomes(session, COMMUNITY)[0]
