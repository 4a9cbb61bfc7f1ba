"""`tingjian broadcast` as a process: at work, well, killed, started again; one at a time."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from admin.cli import main
from sync import broadcasting
from sync.archive import Archive
from tests.broadcast.studio import WANG, Hand, Village, copied_archive

pytestmark = pytest.mark.slow


def environment(home: Path) -> dict[str, str]:
    return {"TINGJIAN_HOME": str(home), "DATABASE_URL": f"sqlite:///{home}/records.db"}


@contextmanager
def announcing(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended afterwards."""
    with (home / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "admin", "broadcast"],
            env=os.environ | environment(home),
            stdout=said,
            stderr=said,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def until(is_so: Callable[[], bool], seconds: float = 150.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def ask(village: Village, programme_id: str, request_id: str, *areas: str) -> str:
    village.hand.at = at = datetime.now(UTC)
    with village.archive.database.begin() as session:
        return broadcasting.cut_in(session, WANG, programme_id, request_id, at, areas=areas, repeats=1)


def has_arrived(archive: Archive, airing_id: str) -> bool:
    with archive.database.read() as session:
        return [one.state for one in broadcasting.plays_of(session, airing_id)] == ["received"]


def test_the_process_plays_is_well_is_killed_and_goes_on(tmp_path: Path) -> None:
    with closing(copied_archive(tmp_path)) as archives:
        archive = next(archives)
        village = Village(archive, tmp_path, Hand(datetime.now(UTC)))
        with archive.database.begin() as session:
            for area in ("小学", "村口"):
                broadcasting.add_loudspeaker(
                    session, archive, WANG, area, "files", village.hand.at, area=area
                )
        alarm = village.programme("涨水", priority="emergency")  # the tests may run at night
        with announcing(tmp_path) as first:
            school = ask(village, alarm, "form 1", "小学")
            until(lambda: has_arrived(archive, school))
            told = CliRunner().invoke(main, ["health", "broadcast"], env=environment(tmp_path))
            assert told.exit_code == 0
            with announcing(tmp_path) as second:
                until(lambda: "standing by" in (tmp_path / "said.txt").read_text())
                first.kill()
                first.wait()
                gate = ask(village, alarm, "form 2", "村口")
                until(lambda: has_arrived(archive, gate))
                assert second.poll() is None
        assert (first.returncode, second.returncode) == (-9, 0)
        assert has_arrived(archive, school)
        lying = [path.parent.name for path in (tmp_path / "broadcast").rglob("*.mp3")]
        assert len(lying) == len(set(lying)) == 2


def test_the_commands_say_who_was_silent_stop_and_set_the_pin(tmp_path: Path) -> None:
    archives = copied_archive(tmp_path)
    village = Village(next(archives), tmp_path, Hand(datetime.now(UTC)))
    village.loudspeakers("村口1号", "村口2号")
    village.devices.moods = {"村口1号": "sounds", "村口2号": "broken"}
    airing_id = ask(village, village.programme("涨水", priority="emergency"), "form 1")
    village.look(village.announcer())

    def run(*words: str, typed: str = "") -> str:
        told = CliRunner().invoke(main, ["programme", *words], input=typed, env=environment(tmp_path))
        return told.output

    assert "airing  0/2  涨水，没响 / silent: 村口2号" in run("played")
    assert "stopped" in run("stop", airing_id)
    assert "cut (stopped)" in run("played")
    assert "no such airing" in run("stop", "air_1")
    assert "six" in run("pin", typed="123\n123\n") or "6" in run("pin", typed="123\n123\n")
    assert "the PIN is set" in run("pin", typed="246810\n246810\n")
    next(archives, None)
