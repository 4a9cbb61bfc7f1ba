"""Programmes as files: the stick and its timetable, folders that devices play from, the certified place."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from sqlalchemy import select

from admin.cli import main
from admin.parts import open_archive
from admin.settings import Settings
from ivr.broadcast.carrying import TIMETABLE, Approved, Slot, named, page
from ivr.broadcast.exporting import community_files, programme_files
from ivr.broadcast.files import FileLoudspeakers
from ivr.broadcast.loudspeakers import BroadcastError, Job, SoundFile, Wiring, open_kind
from ivr.broadcast.lying import LIST, read_index
from ivr.broadcast.store import SoundStore
from speech.audio import Audio
from sync.archive import Archive
from sync.broadcasting import Item, Rule, When, add_rule, approve, compose, schedule, set_schedule_state
from sync.desk import Actor, DeskError
from sync.records.tables import Audit, Community, Programme
from tests.broadcast.jobs import Ledger, job, phone_sound

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)  # a Saturday, noon in China
SUNDAY = date(2026, 11, 22)
STAFF = Actor("st1", "cm_test")
DIGEST = "ab" * 32


def sounding(archive: Archive, sounds: SoundStore, title: str, digest: str = DIGEST, **more: object) -> str:
    """A programme whose sound is there and approved."""
    tone = np.sin(np.arange(24_000 * 2) * 2 * np.pi * 440 / 24_000).astype(np.float32) / 4
    seconds = sounds.write(digest, Audio(tone, 24_000))
    with archive.database.begin() as session:
        programme_id = compose(session, STAFF, title, [Item("notice", "明天停水。")], NOW)
        row = session.get_one(Programme, programme_id)
        row.sound_state, row.sound_digest, row.sound_seconds = "ready", digest, seconds
        approve(session, STAFF, programme_id, digest, NOW)
        for name, value in more.items():
            setattr(row, name, value)
    return programme_id


def exported(archive: Archive, sounds: SoundStore, days: int = 2) -> dict[str, bytes]:
    """What a stick made on Saturday for the days from Sunday on holds, by name."""
    with archive.database.read() as session:
        files = community_files(session, sounds, "cm_test", SUNDAY, days, NOW)
        return {name: b"".join(pieces) for name, pieces in files}


def test_a_stick_holds_what_is_approved_and_due_named_so_that_it_sorts(
    any_archive: Archive, any_community: Community, tmp_path: Path
) -> None:
    archive, sounds = any_archive, SoundStore.under(tmp_path)
    morning = sounding(archive, sounds, "早间播报")
    evening = sounding(archive, sounds, "晚间/播报: *?", digest="cd" * 32)
    over = sounding(archive, sounds, "昨天为止", digest="ef" * 32, last_day="2026-11-21")
    with archive.database.begin() as session:
        draft = compose(session, STAFF, "没有批准", [Item("notice", "明天停水。")], NOW)
        for one, time in ((evening, "18:30"), (morning, "09:00"), (draft, "10:00"), (over, "11:00")):
            schedule(session, STAFF, one, When([time], "2026-11-01", repeats=2, volume=70), NOW)
        schedule(session, STAFF, morning, When(["12:30", "22:00"], "2026-11-01"), NOW)  # rest, night
        ended = schedule(session, STAFF, morning, When(["15:00"], "2026-11-01"), NOW)
        set_schedule_state(session, STAFF, ended, "ended", NOW)
        rule = add_rule(session, STAFF, "每日变化", Rule(), When(["17:00"], "2026-11-01"), NOW)
    sounding(archive, sounds, "今天有什么", digest="01" * 32, schedule_id=rule, day="2026-11-23 17:00")
    held = exported(archive, sounds)
    assert [name for name in held if name.endswith(".mp3")] == [
        "2026-11-22_周日/0900_早间播报.mp3",
        "2026-11-22_周日/1830_晚间_播报.mp3",
        "2026-11-23_周一/0900_早间播报.mp3",
        "2026-11-23_周一/1700_今天有什么.mp3",
        "2026-11-23_周一/1830_晚间_播报.mp3",
    ]
    first = held["2026-11-22_周日/0900_早间播报.mp3"]
    assert first == sounds.file(DIGEST, "mp3").path.read_bytes()
    assert soundfile.info(io.BytesIO(first)).format == "MP3"
    rows = list(csv.DictReader(io.StringIO(held[TIMETABLE].decode("utf-8-sig"))))
    assert rows[0] == {
        "日期": "2026-11-22", "星期": "周日", "时间": "09:00", "文件": "2026-11-22_周日/0900_早间播报.mp3",
        "节目": "早间播报", "时长": "0:02", "次数": "2", "区域": "全部", "音量": "70",
    }  # fmt: skip
    sums = json.loads(held["programmes.json"])
    assert {one["sha256"] for one in sums if one["title"] == "早间播报"} == {
        sounds.file(DIGEST, "mp3").sha256
    }
    assert sums[0]["approved_by"] == "st1"
    shown = held["节目时间表.html"].decode()
    assert "桃源社区 · 节目时间表" in shown
    assert "用到 2026-11-23 为止" in shown
    assert "2026-11-22 周日" in shown


def test_what_nobody_approved_or_what_was_withdrawn_does_not_leave(
    archive: Archive, community: Community, tmp_path: Path
) -> None:
    sounds = SoundStore.under(tmp_path)
    programme = sounding(archive, sounds, "通知")

    def refusal() -> str:
        with archive.database.read() as session, pytest.raises(DeskError) as refused:
            programme_files(session, sounds, "cm_test", programme, NOW)
        return refused.value.code

    with archive.database.read() as session:
        names = [name for name, _ in programme_files(session, sounds, "cm_test", programme, NOW)]
        assert names[-1] == "通知.mp3"
        with pytest.raises(DeskError):
            community_files(session, sounds, "cm_test", SUNDAY, 99, NOW)
    changes: list[tuple[str, dict[str, object]]] = [
        ("not_approved", {"priority": "emergency"}),  # one person is not enough
        ("sound_not_ready", {"priority": "normal", "sound_digest": "77" * 32}),
        ("not_approved", {"state": "draft", "sound_digest": DIGEST}),
        ("programme_withdrawn", {"state": "withdrawn"}),
        ("programme_withdrawn", {"state": "approved", "last_day": "2026-11-20"}),
    ]
    for code, change in changes:
        with archive.database.begin() as session:
            row = session.get_one(Programme, programme)
            for name, value in change.items():
                setattr(row, name, value)
        assert refusal() == code


def test_names_fit_every_stick_and_never_meet() -> None:
    made = Approved("pg", "A/B", Path("x"), "", 125.4, "", "st1", NOW)
    titles = ["A/B", "a?b", "..", "长" * 60, "=1+1", "<b>&"]
    slots = [
        Slot(Approved("pg", title, Path("x"), "", 125.4, "", "st1", NOW), SUNDAY, "07:30") for title in titles
    ]
    carried = named([Slot(made), *slots])
    names = [one.name for one in carried]
    assert len({name.lower() for name in names}) == 7
    assert all(not set(name.partition("/")[2]) & set('\\/:*?"<>|') for name in names)
    assert max(len(name) for name in names) < 60
    assert names[0] == "A_B.mp3"
    assert "2026-11-22_周日/0730_节目.mp3" in names
    assert "&lt;b&gt;&amp;" in page(carried, "桃源社区", NOW)
    assert "随时可以放" in page(carried, "桃源社区", NOW)
    assert "要先有人批准" in page([], "桃源社区", NOW)


def test_the_command_writes_a_folder_or_a_zip_and_that_is_written_down(tmp_path: Path) -> None:
    home, typed = tmp_path / "home", CliRunner()
    environment = {"TINGJIAN_HOME": str(home)}

    def type_in(*words: str) -> tuple[int, str]:
        told = typed.invoke(main, ["programme", *words], env=environment)
        return told.exit_code, told.output

    archive = open_archive(Settings.from_environment(environment))
    archive.database.create()
    with archive.database.begin() as session:
        session.add(Community(id="cm_test", name="桃源社区", dialled_number="+8657112345678", created_at=NOW))
    sounds = SoundStore.under(home)
    programme = sounding(archive, sounds, "早间播报")
    with archive.database.begin() as session:
        schedule(session, STAFF, programme, When(["09:00"], "2026-11-01"), NOW)
    folder, zipped = tmp_path / "stick", tmp_path / "stick.zip"
    days = ("--from", "2026-11-22", "--days", "3")
    assert type_in("export", "--to", str(folder), *days)[0] == 0
    assert type_in("export", "--to", str(zipped), *days)[0] == 0
    inside = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(zipped) as packed:
        assert set(packed.namelist()) == inside
        assert packed.testzip() is None
    assert len(inside) == 6
    code, told = type_in("export", "--to", str(folder), *days)  # somebody's stick is never written over
    assert code == 1
    assert "not empty" in told
    assert len(list(tmp_path.iterdir())) == 3  # nothing half-made lies about
    assert type_in("export", programme, "--to", str(tmp_path / "one"))[0] == 0
    assert (tmp_path / "one" / "早间播报.mp3").is_file()
    assert type_in("export", "pg_none", "--to", str(tmp_path / "none"))[0] == 1
    assert programme in type_in("list")[1]
    with archive.database.read() as session:
        acts = session.scalars(select(Audit.subject).where(Audit.act == "programme.exported")).all()
    assert acts == ["cm_test", "cm_test", programme]
    archive.close()


# --- folders devices play from ---
@pytest.fixture
def sound(tmp_path: Path) -> SoundFile:
    return phone_sound(tmp_path, 1.0)


def airing(root: Path, *jobs: Job, clock: Callable[[], datetime] | None = None) -> Ledger:
    """What a fresh adapter tells of these jobs, handed down one after another."""
    ledger = Ledger()

    async def scene() -> None:
        adapter = FileLoudspeakers(
            root, clock or (lambda: datetime.now(UTC)), lambda community: ZoneInfo("Asia/Shanghai")
        )
        await adapter.start(ledger)
        for one in jobs:
            await adapter.air(one)
        await adapter.close()

    asyncio.run(scene())
    return ledger


def sounds_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix in (".wav", ".mp3"))


def test_a_file_lies_in_its_folder_from_its_time_until_it_is_over(tmp_path: Path, sound: SoundFile) -> None:
    root, folder = tmp_path / "root", tmp_path / "root" / "小学"
    at = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
    times = {"at": at, "expires_at": at + timedelta(minutes=10), "title": "早间播报"}
    once = job(sound, {"folder": "小学"}, "pl1", **times)
    ledger = airing(root, once, once, clock=lambda: at)
    assert ledger.of("pl1") == [("received", ""), ("received", "")]
    (name,) = sounds_in(folder)
    assert name.startswith("20261122_0900_早间播报_")  # the community's own time
    assert (folder / name).read_bytes() == sound.path.read_bytes()
    assert "早间播报,2026-11-22 09:00,2026-11-22 09:10,1,100" in (folder / LIST).read_text("utf-8-sig")
    airing(root, once, clock=lambda: at + timedelta(minutes=9))
    assert sounds_in(folder) == [name]
    late = airing(root, once, clock=lambda: at + timedelta(minutes=10))
    assert late.of("pl1") == [("finished", "unconfirmed"), ("received", "")]
    never = job(sound, {"folder": "小学"}, "pl2", airing="ai2", **times)
    ledger = airing(root, never, clock=lambda: at + timedelta(minutes=10))
    assert ledger.of("pl2") == [("failed", "expired")]
    assert sounds_in(folder) == []  # the start took it away
    assert (folder / LIST).read_text("utf-8-sig").strip() == "文件,节目,开始,最迟,次数,音量"


def test_two_loudspeakers_of_one_folder_have_one_file(tmp_path: Path, sound: SoundFile) -> None:
    first, second = (job(sound, {"folder": "村口"}, f"pl{n}", speaker=f"ls{n}") for n in (1, 2))
    ledger = airing(tmp_path / "root", first, second)
    assert ledger.of("pl1") == ledger.of("pl2") == [("received", "")]
    assert len(sounds_in(tmp_path / "root" / "村口")) == 1
    later = datetime.now(UTC) + timedelta(minutes=5)
    ledger = airing(tmp_path / "root", clock=lambda: later)  # a new announcer tells of both
    assert [(one.play_id, one.loudspeaker_id, one.what) for one in ledger.told] == [
        ("pl1", "ls1", "finished"),
        ("pl2", "ls2", "finished"),
    ]


def test_a_folder_that_can_not_be_reached_is_not_silent(tmp_path: Path, sound: SoundFile) -> None:
    root = tmp_path / "root"

    async def scene() -> None:
        adapter = FileLoudspeakers(root)
        await adapter.start(Ledger())
        await adapter.air(job(sound, {}, "pl1", speaker="ls1"))
        (name,) = sounds_in(root / "ls1")
        (root / "ls1" / name).unlink()
        (root / "ls1" / name).mkdir()  # what can't be removed
        with pytest.raises(BroadcastError):
            await adapter.stop("ai1")
        (root / "ls1" / name).rmdir()
        await adapter.stop("ai1")
        await adapter.close()

    asyncio.run(scene())


def test_what_was_played_or_stopped_is_not_put_there_again_what_was_cut_off_is(
    tmp_path: Path, sound: SoundFile
) -> None:
    root, once = tmp_path / "root", job(sound, {}, "pl1", speaker="ls1")
    airing(root, once)
    folder = root / "ls1"
    (name,) = sounds_in(folder)
    (folder / name).unlink()  # the device takes what it has played
    airing(root, once)
    assert sounds_in(folder) == []
    (folder / ".programmes.json").write_text(
        (folder / ".programmes.json").read_text().replace('"lying"', '"coming"')
    )  # killed before the file was there
    airing(root, once)
    assert sounds_in(folder) == [name]

    async def stopped() -> None:
        adapter = FileLoudspeakers(root)
        await adapter.start(Ledger())
        await adapter.stop("ai1")
        assert sounds_in(folder) == []
        await adapter.air(once)
        await adapter.close()

    asyncio.run(stopped())
    assert sounds_in(folder) == []
    assert [one.state for one in read_index(folder)] == ["gone"]


@pytest.mark.parametrize("folder", ["../up", "/etc", "a/b", ".", "..", " a", "x" * 90])
def test_nothing_is_written_outside_the_root(tmp_path: Path, sound: SoundFile, folder: str) -> None:
    ledger = airing(tmp_path / "root", job(sound, {"folder": folder}))
    assert ledger.of("pl1") == [("failed", "refused")]
    assert not (tmp_path / "root").exists()


def test_another_sound_than_the_approved_one_and_a_full_disk_are_told(
    tmp_path: Path, sound: SoundFile
) -> None:
    (tmp_path / "file").write_text("no folder")
    other = phone_sound(tmp_path, 0.5)
    other.path.write_bytes(b"something else")
    assert airing(tmp_path / "root", job(other, {})).of("pl1") == [("failed", "wrong_sum")]
    assert airing(tmp_path / "file", job(sound, {})).of("pl1") == [("failed", "unreachable")]


# --- a certified system ---
class County:
    """An integrator's adapter, as far as it has to be one here."""

    @classmethod
    def opened(cls, wiring: Wiring) -> County:
        return cls()

    start = air = stop = close = lambda self, *_: None


class NoAdapter:
    """Something else."""


def test_a_certified_system_is_the_integrators_and_without_one_nothing_is_claimed(
    archive: Archive, tmp_path: Path
) -> None:
    def opened(name: str) -> object:
        settings = {"certified_adapter": name} if name else {}
        return open_kind("certified", Wiring(archive, tmp_path, "http://127.0.0.1", settings))

    assert type(opened(f"{__name__}:County")).__name__ == "County"
    for name in ("", "nowhere", "no.such.module:Thing", f"{__name__}:Nobody", f"{__name__}:NoAdapter"):
        with pytest.raises(BroadcastError):
            opened(name)
