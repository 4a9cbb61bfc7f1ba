"""A town with a real SIP line: web's part, a running exchange, and the line in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ivr.exchange.sip.settings import LineSettings, ProviderAccount
from tests.exchange.sip_phone import Network, RawPhone, raw_phone
from tests.exchange.town import TOKEN, Town, free_port, town

START_SECONDS = 30


@dataclass
class SipTown(Town):
    """And where the line is. `process` is the line's."""

    at: tuple[str, int]
    process: asyncio.subprocess.Process
    settings: LineSettings

    def raw(self, network: Network | None = None, **options: Any) -> Any:
        """A telephone of raw packets, to be entered; it calls the line, or another one `at` some address."""
        return raw_phone(options.pop("at", self.at), network=network, **options)

    @asynccontextmanager
    async def another_line(self, folder: Path, **changes: Any) -> AsyncIterator[SipTown]:
        """A second line, set otherwise, at the same exchange; the town as seen from there."""
        settings = replace(self.settings, port=free_port(), rtp_ports=free_udp_ports(), **changes)
        log, before = folder / f"line-{settings.port}.log", self.exchange._board.count
        async with line_process(settings, log) as process:
            await self.web.until(lambda: self.exchange._board.count > before, START_SECONDS)
            yield SipTown(self.web, self.exchange, (settings.host, settings.port), process, settings)

    @contextmanager
    def changed(self, **changes: Any) -> Iterator[None]:
        """The exchange's settings otherwise, for a while."""
        exchange, before = self.exchange, self.exchange.desk
        exchange.settings = replace(exchange.settings, **changes)
        exchange.desk = replace(before, settings=exchange.settings)
        try:
            yield
        finally:
            exchange.settings, exchange.desk = before.settings, before


__all__ = ["Network", "RawPhone", "SipTown", "Stage", "free_udp_ports", "line_process", "sip_town", "stage"]


def free_udp_ports(count: int = 60) -> tuple[int, int]:
    """A range of UDP ports below the ones the kernel hands out, none of them taken just now."""
    for first in range(20000 + os.getpid() % 97 * 100, 32000, count):
        try:
            for port in range(first, first + count):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                    one.bind(("0.0.0.0", port))
        except OSError:
            continue
        return first, first + count - 1
    raise OSError("no free UDP ports")


@asynccontextmanager
async def line_process(settings: LineSettings, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """The line in a process of its own, ended afterwards."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.exchange.sip_town", json.dumps(asdict(settings), default=str),
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 8)
            except TimeoutError:
                process.kill()
                await process.wait()


@asynccontextmanager
async def sip_town(
    folder: Path, line: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[SipTown]:
    """A town in real time whose line is plugged in; `line` changes the line, `changes` the exchange."""
    async with town(folder / "spool", **({"speed": 1.0} | changes)) as plain:
        settings = LineSettings(
            **{
                "exchange": f"ws://127.0.0.1:{plain.exchange.port}/line/ws",
                "token": TOKEN,
                "port": free_port(),
                "rtp_ports": free_udp_ports(),
            }
            | (line or {})
        )
        async with line_process(settings, folder / "line.log") as process:
            board = plain.exchange._board
            try:
                await plain.web.until(
                    lambda: board.count > 0 or process.returncode is not None, START_SECONDS
                )
                assert process.returncode is None
                yield SipTown(plain.web, plain.exchange, (settings.host, settings.port), process, settings)
            except BaseException as problem:
                problem.add_note((folder / "line.log").read_text("utf-8", "replace")[-4000:])
                raise


class Stage:
    """A town that stays up from scene to scene; every scene begins with nothing known of the last one."""

    def __init__(self, runner: asyncio.Runner, place: SipTown) -> None:
        self._runner, self._town = runner, place

    def play(self, scene: Callable[[SipTown], Coroutine[Any, Any, None]]) -> None:
        """Run one scene."""
        self._runner.run(self._clear())
        self._runner.run(scene(self._town))

    async def _clear(self) -> None:
        """Let the last scene's calls end and web hear of it; then forget."""
        exchange, side = self._town.exchange, self._town.web
        side.delay_seconds, side.is_down, side.fails = 0.0, False, 0
        with suppress(TimeoutError):
            await side.until(lambda: not exchange._handsets, 1)
        for handset in list(exchange._handsets):
            await handset.hang_up()
        with suppress(TimeoutError):
            await side.until(lambda: exchange.desk.errands.count() == 0, 2)
        await exchange.desk.errands.stop()
        for left in exchange.settings.spool.glob("errands/*"):
            left.unlink()
        side.pages.clear()
        side.sounds.clear()
        side.knocks.clear()


@contextmanager
def stage(folder: Path, line: dict[str, Any] | None = None, **changes: Any) -> Iterator[Stage]:
    """A stage for the scenes of one file."""
    with asyncio.Runner() as runner:
        doors = sip_town(folder, line, **changes)
        place = runner.run(doors.__aenter__())
        try:
            yield Stage(runner, place)
        finally:
            runner.run(doors.__aexit__(None, None, None))


def main() -> None:
    """Run a line as told on the command line."""
    import logging

    from ivr.exchange.sip.line import run_line

    logging.basicConfig(level=logging.INFO)
    told = json.loads(sys.argv[1])
    account = told.pop("account")
    told["sentences"] = {name: Path(file) for name, file in told["sentences"].items()}
    lists = {name: tuple(told.pop(name)) for name in ("trunks", "rtp_ports", "codecs")}
    run_line(LineSettings(**told, **lists, account=ProviderAccount(**account) if account else None))


if __name__ == "__main__":
    main()
