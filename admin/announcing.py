"""The announcer's process, put together from the settings."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from functools import partial

from admin.parts import EXCHANGE_ACCOUNT, exchange_token, open_archive
from admin.settings import Settings
from ivr.broadcast.alone import Alone
from ivr.broadcast.announcer import Announcer
from ivr.broadcast.loudspeakers import Wiring, open_kind
from ivr.broadcast.store import SoundStore
from sync.archive import Archive

LOG = logging.getLogger("tingjian.broadcast")
ALIVE = "broadcast.alive"
ALIVE_SECONDS = 30.0
_LOOK_SECONDS = 5.0
_STANDBY_SECONDS = 2.0


def announce(settings: Settings) -> None:
    """Announce until SIGTERM or Ctrl-C. Where another announcer works already, stand by until it is gone."""
    archive = open_archive(settings)
    lock = Alone(archive.database, settings.home)
    try:
        asyncio.run(_announce(settings, archive, lock))
    finally:
        lock.release()
        archive.close()


def is_announcing(settings: Settings) -> bool:
    """Whether an announcer of this home has looked lately."""
    try:
        return time.time() - (settings.home / ALIVE).stat().st_mtime < ALIVE_SECONDS
    except OSError:
        return False


def wiring(settings: Settings, archive: Archive) -> Wiring:
    """What the adapters of loudspeakers are opened with."""
    line = {
        "line_url": settings.exchange_url,
        "line_account": EXCHANGE_ACCOUNT,
        "line_token": exchange_token(archive),
    }
    return Wiring(archive, settings.home, settings.public_base, {**settings.for_loudspeakers, **line})


async def _announce(settings: Settings, archive: Archive, lock: Alone) -> None:
    stopping = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    if not await _is_ours(lock, stopping):
        return
    announcer = Announcer(
        archive,
        SoundStore.under(settings.home),
        partial(open_kind, wiring=wiring(settings, archive)),
        alive=settings.home / ALIVE,
    )
    watching = asyncio.create_task(_watch(lock, stopping))
    try:
        await announcer.run(stopping)
    finally:
        watching.cancel()


async def _is_ours(lock: Alone, stopping: asyncio.Event) -> bool:
    has_said = False
    while not stopping.is_set():
        if await asyncio.to_thread(lock.take):
            return True
        if not has_said:
            LOG.warning("another announcer is at work: standing by")
            has_said = True
        await _pause(stopping, _STANDBY_SECONDS)
    return False


async def _watch(lock: Alone, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await _pause(stopping, _LOOK_SECONDS)
        if not await asyncio.to_thread(lock.is_held):
            LOG.error("the right to announce was lost: ending")
            stopping.set()


async def _pause(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
