"""The town that the line benchmark calls: demo community, processes, sentences, and the bare rival."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from admin.demo.seed import COMMUNITY_ID, read_story, seed
from admin.health import is_serving
from admin.parts import exchange_token, open_archive, open_clips, open_synthesizer
from admin.processes import Child, Keeper
from admin.settings import Settings
from admin.supervised import VARIABLE, redis_command
from ivr.exchange.tickets import make_ticket
from ivr.prompts.tones import write_tones
from ivr.prompts.voice import voice_of
from speech.audio import write_phone_wav, write_wav
from speech.pacing import Pace, speak
from sync.archive import Archive
from sync.queue import RECORDS

READY_SECONDS = 120.0


@dataclass(frozen=True)
class Line:
    """Where phones call: the exchange's WebSocket, the line's token, the number to dial."""

    url: str
    token: str
    dialled: str

    @property
    def ticket(self) -> str:
        """A ticket for one call."""
        return make_ticket(self.token, "terminal")


@dataclass(frozen=True)
class Town:
    """Two exchanges of the same kind: `ours` asks the real web, `bare` the server that only repeats."""

    ours: Line
    bare: Line
    bare_base: str
    settings: Settings
    archive: Archive

    def render(self, sentences: Iterable[str]) -> int:
        """Make clips of those of `sentences` that have none yet; how many were made. Raises SpeechError."""
        clips = open_clips(self.settings, self.archive)
        with self.archive.database.read() as session:
            voice = voice_of(session, COMMUNITY_ID)
        missing = [text for text in sentences if not clips.has(clips.name(text, voice))]
        if missing:
            engine = open_synthesizer(self.settings)
        for text in missing:
            sound = speak(text, engine, voice, Pace.NORMAL, "zh")
            clips.write(clips.name(text, voice), write_phone_wav(sound), write_wav(sound), text)
        return len(missing)


@contextmanager
def line_town(folder: Path) -> Iterator[Town]:
    """The town with all its processes; everything is ended afterwards."""
    usual = Settings.from_environment()
    ours, rival = _settings(usual, folder / "ours"), _settings(usual, folder / "bare")
    bare_base = f"http://127.0.0.1:{rival.port}"
    rival = replace(rival, database_url=ours.database_url, public_base=ours.public_base, web_url=bare_base)
    _borrow_clips(usual, ours)
    archive = open_archive(ours)
    archive.database.create()
    seed(archive, ours.home)
    shutil.copy2(ours.home / "keys.json", rival.home)
    write_tones(open_clips(ours, archive))
    keepers = (_keeper(ours), _keeper(rival))
    try:
        _start(keepers, ours, rival)
        token, number = exchange_token(archive), read_story()["community"]["number"]
        near, far = (Line(one.phone_url, token, number) for one in (ours, rival))
        yield Town(near, far, bare_base, ours, archive)
    finally:
        for keeper in keepers:
            keeper.stop()
        archive.close()


def _settings(usual: Settings, home: Path) -> Settings:
    home.mkdir(parents=True, exist_ok=True)
    port, exchange_port = free_ports(2)
    kept = {"TINGJIAN_MODELS": str(usual.models)} if usual.models else {}
    return Settings.from_environment(
        kept
        | {
            "TINGJIAN_HOME": str(home),
            "TINGJIAN_PORT": str(port),
            "TINGJIAN_EXCHANGE_PORT": str(exchange_port),
            "TINGJIAN_SYNTHESIZER": usual.synthesizer,
            "TINGJIAN_LOG_LEVEL": "WARNING",
        }
    )


def _borrow_clips(usual: Settings, ours: Settings) -> None:
    """Clips that a run has rendered already serve here too: under the same keys they have the same names."""
    if (usual.home / "keys.json").is_file() and usual.clips_folder.is_dir():
        shutil.copy2(usual.home / "keys.json", ours.home)
        shutil.copytree(usual.clips_folder, ours.clips_folder)


def _keeper(settings: Settings) -> Keeper:
    """Its children end with this process, however that ends."""
    environment = {**os.environ, **settings.to_environment(), VARIABLE: str(os.getpid())}
    return Keeper(lambda line: print(f"# {line}", file=sys.stderr), environment)


def _start(keepers: tuple[Keeper, Keeper], ours: Settings, rival: Settings) -> None:
    socket_path = Path(ours.redis_url.removeprefix("unix://"))
    socket_path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    redis = [sys.executable, "-m", "admin.supervised", *redis_command(socket_path, ours.home)]
    tingjian = [sys.executable, "-m", "admin"]
    bare = [sys.executable, "-m", "benchmarks.line_bare", str(rival.port), ours.public_base]
    for keeper, name, command, home in (
        (keepers[0], "redis", redis, ours.home),
        (keepers[0], "web", [*tingjian, "web"], ours.home),
        (keepers[0], "exchange", [*tingjian, "exchange"], ours.home),
        (keepers[0], "worker", [*tingjian, "worker", "--queue", RECORDS], ours.home),
        (keepers[1], "bare", bare, rival.home),
        (keepers[1], "exchange", [*tingjian, "exchange"], rival.home),
    ):
        keeper.start(Child(name, command, home / f"{name}.log", may_be_cut=True))
    for settings in (ours, rival):
        _wait_for(f"http://127.0.0.1:{settings.exchange_port}/health", settings)
    _wait_for(f"{ours.public_base}/health", ours)


def _wait_for(address: str, settings: Settings) -> None:
    until = time.monotonic() + READY_SECONDS
    while not is_serving(address):
        if time.monotonic() > until:
            raise RuntimeError(f"{address} does not answer; see the logs in {settings.home}")
        time.sleep(0.2)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [int(one.getsockname()[1]) for one in held]
    finally:
        for one in held:
            one.close()
