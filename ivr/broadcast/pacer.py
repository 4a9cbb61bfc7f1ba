"""The announcer's end of the pacing process: started when first needed, and again when it was killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Literal, get_args

from ivr.broadcast.loudspeakers import BroadcastError
from ivr.broadcast.pacing import LENGTHS

log = logging.getLogger(__name__)

CLOSE_SECONDS = 3.0
Became = Literal["started", "finished", "stopped", "failed"]
OnTold = Callable[[str, Became], None]
OnDead = Callable[[], None]


class Pacer:
    """Sends streams through the pacing process. `on_told` gets a stream's name and what became of it;
    `on_dead` is called when the process is gone: whatever it was sending is silent.
    """

    def __init__(self, on_told: OnTold, on_dead: OnDead) -> None:
        self._on_told, self._on_dead = on_told, on_dead
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int:
        """The process; 0 when there is none."""
        return self._process.pid if self._process else 0

    async def send(self, name: str, sound: bytes, to: tuple[str, int], more: Mapping[str, object]) -> None:
        """Begin a stream of G.711; `more` is its `law`, `ttl` and `interface`. Raises BroadcastError when the
        process does not start.
        """
        order = {"do": "send", "stream": name, "to": to, **more}
        await self._order(await self._running(), order, sound)

    async def stop(self, name: str) -> None:
        """Fall silent; `stopped` follows, or the process is dead anyway."""
        if self._process:
            with contextlib.suppress(BroadcastError):
                await self._order(self._process, {"do": "stop", "stream": name}, b"")

    async def close(self) -> None:
        """End the process, and every stream with it. Nothing is told any more."""
        process, self._process = self._process, None
        if process is None or process.stdin is None:
            return
        process.stdin.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if self._reading:
            await self._reading

    async def _running(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._process is None:
                try:
                    self._process = await asyncio.create_subprocess_exec(
                        sys.executable, "-m", "ivr.broadcast.pacing",
                        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                    )  # fmt: skip
                except OSError as error:
                    raise BroadcastError("the pacing process does not start") from error
                self._reading = asyncio.create_task(self._read(self._process))
            return self._process

    async def _order(
        self, process: asyncio.subprocess.Process, order: Mapping[str, object], sound: bytes
    ) -> None:
        assert process.stdin is not None
        words = json.dumps(order).encode()
        try:
            process.stdin.write(LENGTHS.pack(len(words), len(sound)) + words + sound)
            await process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise BroadcastError("the pacing process is gone") from error

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            told = json.loads(line)
            if self._process is process and told["what"] in get_args(Became):
                self._on_told(told["stream"], told["what"])
        await process.wait()
        if self._process is process:
            log.warning("the pacing process is gone: what it was sending is silent")
            self._process = None
            self._on_dead()
