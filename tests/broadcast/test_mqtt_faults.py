"""Broker, network and loudspeaker going away at each step: every job ends, once, in a known way."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import soundfile

from ivr.broadcast.broker_address import Broker
from ivr.broadcast.loudspeakers import BroadcastError, SoundFile
from sync.archive import Archive
from tests.broadcast.broker import RealBroker, needs_mosquitto
from tests.broadcast.jobs import Ledger
from tests.broadcast.orders import DEVICES, course, order
from tests.broadcast.village import Mouth, SoundServer, announcer, loudspeaker, until

pytestmark = needs_mosquitto
WHOLE = [("received", ""), ("started", ""), ("finished", "")]


class Wire:
    """The network between a loudspeaker and the broker: it may be cut, and it may be slow."""

    def __init__(self, broker: RealBroker) -> None:
        self.pause, self.is_cut = 0.0, False
        self._broker = broker
        self._ends: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def laid(self) -> AsyncIterator[Wire]:
        server = await asyncio.start_server(self._join, "127.0.0.1", 0)
        self.port: int = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            self.cut()
            server.close()

    def cut(self) -> None:
        self.is_cut = True
        for end in self._ends:
            end.close()
        self._ends.clear()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.is_cut:
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._broker.port)
        self._ends |= {writer, far_writer}
        await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(4096):
                await asyncio.sleep(self.pause)
                writer.write(data)
        except OSError:
            pass
        writer.close()


@pytest.mark.slow
def test_a_broker_that_dies_and_comes_back_loses_no_job_and_plays_none_twice(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(), broker.address("ls_1", DEVICES["ls_1"])

        async def back() -> None:
            await asyncio.to_thread(broker.start)
            await until(lambda: ours.is_up and speaker.is_up, 30)

        async with announcer(broker.ours, archive, ledger) as ours:
            async with loudspeaker(device, mouth) as speaker:
                broker.kill()
                await until(lambda: not ours.is_up and not speaker.is_up)
                await ours.air(order(web, sound, "pl_before", "ls_1"))
                soon = datetime.now(UTC) + timedelta(seconds=0.5)
                await ours.air(order(web, sound, "pl_never", "ls_1", expires_at=soon))
                await ours.air(order(web, sound, "pl_stopped", "ls_1", airing="air_x"))
                await ours.stop("air_x")
                assert ledger.of("pl_stopped") == [("failed", "stopped")]
                await ledger.until(lambda: ledger.ended("pl_never"))
                assert ledger.of("pl_never") == [("failed", "unreachable")]
                await back()
                await ledger.until(lambda: ledger.ended("pl_before"))
                web.pause = 1.0
                await ours.air(order(web, sound, "pl_fetching", "ls_1"))
                await until(lambda: web.asked == 2)
                broker.kill()
                await back()
                await ledger.until(lambda: ledger.ended("pl_fetching"))
                web.pause, mouth.seconds = 0.0, 1.0
                await ours.air(order(web, sound, "pl_playing", "ls_1"))
                await ours.air(order(web, sound, "pl_waiting", "ls_1", airing="air_y"))
                await until(lambda: mouth.begun == 3)
                broker.kill()
                await until(lambda: not ours.is_up)
                with pytest.raises(BroadcastError):
                    await ours.stop("air_y")  # it may be playing: we say so, and say it again
                await back()
                await ledger.until(lambda: ledger.ended("pl_playing") and ledger.ended("pl_waiting"))
            for play in ("pl_before", "pl_fetching", "pl_playing"):
                assert course(ledger, play) == WHOLE
            assert course(ledger, "pl_waiting")[-1] in (("failed", "stopped"), ("finished", ""))
            assert len(mouth.played) in (3, 4)
            before, mouth.seconds = len(mouth.played), 0.0
            await ours.air(order(web, sound, "pl_forgotten", "ls_1"))
            broker.kill()
            (broker.folder / "mosquitto.db").unlink()  # its disk is gone as well
            await asyncio.to_thread(broker.start)
            await until(lambda: ours.is_up)
            async with loudspeaker(device, mouth):
                await ledger.until(lambda: ledger.ended("pl_forgotten"))
            assert len(mouth.played) == before + 1

    asyncio.run(scene())


def test_a_loudspeaker_that_is_cut_off_plays_on_and_tells_later_a_slow_one_all_the_same(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    async def scene() -> None:
        ledger, mouth = Ledger(), Mouth(1.0)
        async with Wire(broker).laid() as wire, announcer(broker.ours, archive, ledger) as ours:
            device = Broker("127.0.0.1", wire.port, "ls_3", DEVICES["ls_3"])
            async with loudspeaker(device, mouth) as speaker:
                await ours.air(order(web, sound, "pl_1", "ls_3"))
                await ledger.until(lambda: ("started", "") in ledger.of("pl_1"))
                wire.cut()
                await ledger.until(lambda: any(one.what == "gone" for one in ledger.told[-3:]))
                await ours.air(order(web, sound, "pl_2", "ls_3"))
                await until(lambda: len(mouth.played) == 1)
                assert not ledger.ended("pl_1")
                wire.is_cut, wire.pause, mouth.seconds = False, 0.15, 0.0
                await until(lambda: speaker.is_up, 30)
                await ledger.until(lambda: ledger.ended("pl_1") and ledger.ended("pl_2"))
        assert course(ledger, "pl_1") == course(ledger, "pl_2") == WHOLE
        assert len(mouth.played) == 2

    asyncio.run(scene())


def test_an_announcer_that_was_away_hears_what_was_told_meanwhile(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile, tmp_path: Path
) -> None:
    async def scene() -> None:
        first, second, mouth = Ledger(), Ledger(), Mouth(0.5)
        one = order(web, sound, "pl_1", "ls_4")
        device = broker.address("ls_4", DEVICES["ls_4"])
        async with loudspeaker(device, mouth, tmp_path / "memory"):
            async with announcer(broker.ours, archive, first) as ours:
                await ours.air(one)
                await first.until(lambda: ("started", "") in first.of("pl_1"))
            await until(lambda: len(mouth.played) == 1)
            async with announcer(broker.ours, archive, second) as ours:
                await second.until(lambda: second.ended("pl_1"))
                await ours.air(one)
                await second.until(lambda: second.of("pl_1").count(("finished", "")) >= 2)
        assert not first.ended("pl_1")
        assert mouth.begun == 1
        lines = (tmp_path / "memory").read_text().splitlines()
        torn = "\n".join([*lines, lines[-1][:20]])
        (tmp_path / "memory").write_text(torn)  # the power failed in the middle of a line
        third = Ledger()
        async with (
            announcer(broker.ours, archive, third) as ours,
            loudspeaker(device, mouth, tmp_path / "memory"),
        ):
            await ours.air(one)
            await third.until(lambda: third.ended("pl_1"))
        assert mouth.begun == 1

    asyncio.run(scene())


@contextmanager
def process(broker: RealBroker, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`tingjian speaker simulate` as people start it; killed afterwards."""
    (folder / "secret").write_text(f"{DEVICES['ls_5']}\n")
    command = [
        sys.executable, "-m", "admin", "speaker", "simulate",
        "--mqtt", f"mqtt://ls_5@127.0.0.1:{broker.port}", "--secret-file", str(folder / "secret"),
        "--wav", str(folder / "heard.wav"), "--memory", str(folder / "memory"),
    ]  # fmt: skip
    child = subprocess.Popen(
        command, env={**os.environ, "TINGJIAN_HOME": str(folder)}, stdout=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        child.kill()
        child.wait()


@pytest.mark.slow
def test_a_loudspeaker_killed_while_it_fetches_goes_on_and_killed_while_it_plays_does_not_begin_again(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile, tmp_path: Path
) -> None:
    async def scene() -> None:
        ledger = Ledger()
        long = order(web, sound, "pl_long", "ls_5", repeat=9)
        async with announcer(broker.ours, archive, ledger) as ours:
            with process(broker, tmp_path):
                web.pause = 5.0
                await ours.air(order(web, sound, "pl_short", "ls_5"))
                await until(lambda: web.asked == 1 and bool(ledger.of("pl_short")), 30)
            assert course(ledger, "pl_short") == [("received", "")]
            web.pause = 0.0
            with process(broker, tmp_path):
                await ledger.until(lambda: ledger.ended("pl_short"), 30)
                assert course(ledger, "pl_short") == WHOLE
                await ours.air(long)
                await ledger.until(lambda: ("started", "") in ledger.of("pl_long"), 30)
            await ledger.until(lambda: any(one.what == "gone" for one in ledger.told[-3:]))
            with process(broker, tmp_path) as child:
                await ledger.until(lambda: ledger.ended("pl_long"), 30)
                assert course(ledger, "pl_long")[-1] == ("failed", "interrupted")
                length = soundfile.info(tmp_path / "heard.wav").duration
                assert 0.5 <= length < 2.5  # the short one whole, of the long one what was heard
                await ours._send(ours._handed["pl_long"])
                await ours.air(order(web, sound, "pl_after", "ls_5"))
                await ledger.until(lambda: ledger.ended("pl_after"), 30)
                child.terminate()
                assert await asyncio.to_thread(child.wait, 20) == 0
            await ledger.until(lambda: any(one.what == "gone" for one in ledger.told[-3:]))
        assert soundfile.info(tmp_path / "heard.wav").duration == pytest.approx(length + 0.5, abs=0.05)
        assert course(ledger, "pl_after") == WHOLE

    asyncio.run(scene())
