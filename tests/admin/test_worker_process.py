"""The worker as it is really started: after the calls, in bounds, and not held up by broken recordings."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from admin.parts import open_archive
from admin.settings import Settings, SettingsError
from speech.audio import write_wav
from speech.channel import phone
from speech.models import check, models_folder
from speech.synthesize import load_synthesizer
from sync import problems
from sync.archive import Archive
from sync.due import due
from sync.making_room import THREAD_VARIABLES
from sync.records.tables import Opinion, Recording, Transcript
from sync.settle import settle_batch
from sync.storing import store_recording
from tests.conftest import found_community
from tests.speech.test_bad_input import REFUSED, WAV
from tests.sync.recording_source import RecordingSource, credentials, source
from tests.sync.redis_server import RedisServer, redis_server
from tests.sync.voices import NOW, Said, say

__all__ = ["redis_server", "source"]

pytestmark = pytest.mark.slow

MOST_THREADS = 24  # of Python, Redis, Whisper; a library left alone starts one for every processor, or more
MEMORY_MEBIBYTES = 3072
STEP = 1  # back from the calls; at the ten of the default a machine full of tests would starve it
BROKEN = ("infinities", "a gzip", "bytes of chance", "a chunk of negative size")


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer) -> Settings:
    models = models_folder()
    if missing := check(models):
        pytest.skip(f"run `python -m speech.models` first: {missing[0]}")
    return Settings.from_environment(
        {
            "TINGJIAN_HOME": str(tmp_path),
            "TINGJIAN_MODELS": str(models),
            "TINGJIAN_SHELF": "off",
            "REDIS_URL": redis_server.url,
            "TINGJIAN_WORKER_NICENESS": str(STEP),
            "TINGJIAN_WORKER_MEMORY": str(MEMORY_MEBIBYTES),
        }
    )


@pytest.fixture
def said(settings: Settings, source: RecordingSource) -> Iterator[tuple[Archive, dict[str, Said]]]:
    """Opinions whose sound is stored and waits for words: one that is spoken, a tone, and broken ones."""
    archive = open_archive(settings)
    archive.database.create()
    community = found_community(archive)
    voice = phone(load_synthesizer("espeak").say("Please repair the lamp.", "en"))
    sounds = {"spoken": write_wav(voice), "a tone": WAV}
    sounds |= {kind: REFUSED[kind] for kind in BROKEN}
    found = {}
    for n, (kind, sound) in enumerate(sounds.items()):
        found[kind] = say(archive, community, [source.add(f"RE{n}", sound)], key=str(n))
        settle_batch(archive, now=NOW)
        store_recording(archive, found[kind].recordings[0], credentials, lambda: NOW, pauses=())
    with archive.database.begin() as session:  # a store whose check was passed by what the recognizer refuses
        session.get_one(Recording, found["infinities"].recordings[0]).state = "stored"
    yield archive, found
    archive.close()


@pytest.fixture
def worker(settings: Settings, said: object, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`tingjian worker` in a session of its own, as `tingjian run` starts it."""
    environment = {**os.environ, **settings.to_environment(), "TINGJIAN_MODELS": str(settings.models)}
    environment |= {"REDIS_URL": settings.redis_url}
    for variable in THREAD_VARIABLES:
        environment.pop(variable, None)
    command = [sys.executable, "-m", "admin", "worker", "--queue", "records", "--queue", "speech"]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    yield process
    process.terminate()
    try:
        assert process.wait(60) == 0
    finally:
        process.kill()


def until(is_so: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    ends = time.monotonic() + 240
    while not is_so():
        assert process.poll() is None, log.read_text(errors="replace")[-3000:]
        assert time.monotonic() < ends, log.read_text(errors="replace")[-3000:]
        time.sleep(0.1)


def test_the_worker_leaves_room_and_gets_through_broken_recordings(
    worker: subprocess.Popen[bytes], said: tuple[Archive, dict[str, Said]], tmp_path: Path
) -> None:
    archive, opinions = said

    def states() -> dict[str, tuple[str, str | None]]:
        with archive.database.read() as session:
            rows = {one.id: (one.state, one.problem) for one in session.scalars(select(Opinion))}
        return {kind: rows[one.opinion_id] for kind, one in opinions.items()}

    until(lambda: all(state == "review" for state, _ in states().values()), worker, tmp_path / "worker.log")
    told = states()
    assert all(told[kind] == ("review", problems.BROKEN) for kind in BROKEN), told
    assert told["a tone"] == ("review", problems.SILENT)
    with archive.database.read() as session:
        words = list(session.scalars(select(Transcript)))
        tries = set(session.scalars(select(Opinion.tries)))
        waits = [one.job for one in due(session, datetime.now(UTC)) if one.job == "transcribe"]
    assert [one.opinion_id for one in words if one.speech_seconds] == [opinions["spoken"].opinion_id]
    assert all(one.engine.startswith("faster-whisper") for one in words)
    assert tries == {0}, "no job was begun again"
    assert waits == []
    _held_to_its_bounds(worker.pid)


def _held_to_its_bounds(pid: int) -> None:
    threads = [int(one.name) for one in Path(f"/proc/{pid}/task").iterdir()]
    assert 1 < len(threads) <= MOST_THREADS
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {STEP}, "every thread"
    limit, _ = resource.prlimit(pid, resource.RLIMIT_DATA)
    assert limit == MEMORY_MEBIBYTES * 1024 * 1024
    session = Path(f"/proc/{pid}/autogroup")
    if session.is_file() and session.read_text().strip():
        assert session.read_text().split()[-1] == str(STEP), "among sessions, too"


def test_workers_stand_back_by_ten_unless_told_otherwise() -> None:
    assert Settings.from_environment({}).worker_niceness == 10
    assert Settings.from_environment({"TINGJIAN_WORKER_NICENESS": "19"}).worker_niceness == 19
    for wrong in ("20", "-5", "much"):
        with pytest.raises(SettingsError, match="TINGJIAN_WORKER_NICENESS"):
            Settings.from_environment({"TINGJIAN_WORKER_NICENESS": wrong})


def test_what_an_operator_chose_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is nicer already stays so, a variable that is set keeps its value, a bound only falls."""
    work = (
        "import os, resource\n"
        "from sync.making_room import bound_memory, make_room\n"
        "os.setpriority(os.PRIO_PROCESS, 0, 15)\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (2**30, 2**31))\n"
        "make_room(); make_room(); bound_memory(4096); bound_memory(1536)\n"
        "print(os.nice(0), os.environ['OMP_NUM_THREADS'], os.environ['OPENBLAS_NUM_THREADS'])\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA))\n"
    )
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    done = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["15 7 2", f"({2**30}, {2**31})"]
