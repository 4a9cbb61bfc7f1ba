"""`tingjian run`: everything on one machine, started in order, shown as it comes up, stopped cleanly."""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from rich.console import Console
from sqlalchemy import select

from admin.demo.seed import Account, seed
from admin.doctor import answers
from admin.health import is_serving, near
from admin.line_choice import is_line_free
from admin.parts import models_of, open_archive, open_clips
from admin.processes import Child, Keeper
from admin.progress import Rendering, fetching
from admin.settings import Settings
from admin.supervised import VARIABLE, redis_command
from admin.welcome import welcome
from speech.errors import SpeechError
from speech.models import check, fetch
from sync.archive import Archive
from sync.queue import PROMPTS, RECORDS, SPEECH, WEBHOOKS, WorkQueue
from sync.records.tables import Community

PROCESSES: Mapping[str, Sequence[str]] = {
    "web": ("web",),
    "exchange": ("exchange",),
    "line": ("line",),
    "placer": ("placer",),
    "broadcast": ("broadcast",),
    "worker": ("worker", "--queue", RECORDS, "--queue", SPEECH),
    "webhooks": ("worker", "--queue", WEBHOOKS),
    "prompts": ("worker", "--queue", PROMPTS),
}
"""What `tingjian run` starts, by name, as arguments of the command itself."""

_READY_SECONDS = 60.0
_LOOK_SECONDS = 0.25
_LARGEST_LOG_BYTES = 10 * 1024 * 1024


class RunError(Exception):
    """Something outside us is in the way; the message says what and what to do."""


@dataclass
class _Stop:
    """Set by Ctrl-C or SIGTERM."""

    is_asked: bool = False

    def ask(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_asked = True


def run_everything(settings: Settings, has_demo: bool = True, console: Console | None = None) -> int:
    """Start, watch and stop the whole of it; 0 after Ctrl-C, 1 when something is in the way."""
    out = console or Console(highlight=False)
    stop = _Stop()
    before = {name: signal.signal(name, stop.ask) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        with _alone(settings.home):
            return _run(settings, has_demo, out, stop)
    except RunError as problem:
        out.print(f"[bold red]✗[/] {problem}", soft_wrap=True)
        return 1
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


@contextmanager
def running(settings: Settings, out: Console) -> Iterator[Archive]:
    """The whole of it with its demo, from the moment a call can be taken, until the block is left."""
    stop = _Stop()
    with _alone(settings.home):
        _need_ports(settings)
        _need_models(settings, out)
        archive = open_archive(settings)
        keeper = Keeper(
            lambda line: out.print(f"[yellow]![/] {line}", soft_wrap=True), _environment(settings)
        )
        try:
            archive.database.create()
            seed(archive, settings.home)
            _start(keeper, settings)
            _be_ready(keeper, settings, stop)
            _rendering(settings, archive, out).show_first(lambda: stop.is_asked)
            yield archive
        finally:
            keeper.stop()
            archive.close()


def _run(settings: Settings, has_demo: bool, out: Console, stop: _Stop) -> int:
    _need_ports(settings)
    _need_models(settings, out)
    archive = open_archive(settings)
    archive.database.create()
    account = seed(archive, settings.home) if has_demo else None
    keeper = Keeper(lambda line: out.print(f"[yellow]![/] {line}", soft_wrap=True), _environment(settings))
    try:
        out.print("· 正在启动 · starting")
        _start(keeper, settings)
        _come_up(keeper, settings, archive, account, out, stop)
        while not stop.is_asked:
            keeper.watch()
            time.sleep(_LOOK_SECONDS)
        out.print("\n· 正在停止 · stopping")
    finally:
        keeper.stop()
        archive.close()
    out.print("· 已全部停止，记录都在 · stopped; everything is kept")
    return 0


def _come_up(
    keeper: Keeper, settings: Settings, archive: Archive, account: Account | None, out: Console, stop: _Stop
) -> None:
    """Wait for web and exchange, then for the first prompts; greet; show the rest of the rendering."""

    def is_over() -> bool:
        keeper.watch()
        return stop.is_asked

    _be_ready(keeper, settings, stop)
    if is_over():
        return
    rendering = _rendering(settings, archive, out)
    rendering.show_first(is_over)
    if not is_over():
        welcome(out, settings, archive, account)
        rendering.show_rest(is_over)


def _be_ready(keeper: Keeper, settings: Settings, stop: _Stop) -> None:
    """Wait until web and exchange answer. RunError when they don't, unless somebody asked to stop."""
    for name, port in (("web", settings.port), ("exchange", settings.exchange_port)):
        is_up = _until(partial(is_serving, f"{near(settings, port)}/health"), keeper, stop)
        if not is_up and not stop.is_asked:
            raise RunError(f"{name} 没有起来 · {name} did not come up; see {_log(settings, name)}")


def _rendering(settings: Settings, archive: Archive, out: Console) -> Rendering:
    """Ask for every community's prompts; what shows them arrive."""
    queue, communities = WorkQueue(settings.redis_url), _communities(archive)
    for community_id in communities:
        queue.put("render", community_id=community_id)
    return Rendering(archive, open_clips(settings, archive), communities, out)


def _start(keeper: Keeper, settings: Settings) -> None:
    me = [sys.executable, "-m", "admin"]
    if settings.owns_redis:
        socket = Path(settings.redis_url.removeprefix("unix://"))
        socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        command = [sys.executable, "-m", "admin.supervised", *redis_command(socket, settings.home)]
        keeper.start(Child("redis", command, _log(settings, "redis"), is_needed=True))
    for name, arguments in PROCESSES.items():
        if name == "line" and not is_line_free(settings.line, keeper.tell):
            continue
        if name == "placer" and settings.out is None:
            continue
        # a prompt half-way is made again, a webhook is sent again: no reason to wait for them
        may_be_cut, is_needed = name in {"prompts", "webhooks"}, name == "web"
        command = [*me, *arguments]
        keeper.start(Child(name, command, _log(settings, name), may_be_cut=may_be_cut, is_needed=is_needed))


def _environment(settings: Settings) -> dict[str, str]:
    ours = {VARIABLE: str(os.getpid()), "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **settings.to_environment(), **ours}


def _log(settings: Settings, name: str) -> Path:
    path = settings.home / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path


def _need_ports(settings: Settings) -> None:
    for variable, port in (
        ("TINGJIAN_PORT", settings.port),
        ("TINGJIAN_EXCHANGE_PORT", settings.exchange_port),
    ):
        if answers(settings.host, port):
            raise RunError(
                f"{port} 端口已被占用，请先停掉占用者，或设置 {variable}"
                f" · port {port} is taken: end what listens there, or set {variable}"
            )


def _need_models(settings: Settings, out: Console) -> None:
    """Fetch what is missing. Without models the calls still work: the fallback voice speaks, words wait."""
    folder = models_of(settings)
    if not check(folder):
        return
    try:
        with fetching(out) as report:
            fetch(folder, report)
    except SpeechError as error:
        out.print(f"[yellow]![/] 语音模型没有取到，先用备用声音 · no speech models: {error}")


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """One `tingjian run` at a time in one home."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RunError(f"{home} 已在运行 · tingjian already runs in {home}") from error
        yield


def _communities(archive: Archive) -> list[str]:
    with archive.database.read() as session:
        return list(session.scalars(select(Community.id).order_by(Community.created_at)))


def _until(is_done: Callable[[], bool], keeper: Keeper, stop: _Stop) -> bool:
    give_up_at = time.monotonic() + _READY_SECONDS
    while not stop.is_asked and time.monotonic() < give_up_at:
        if is_done():
            return True
        keeper.watch()
        time.sleep(_LOOK_SECONDS)
    return False
