"""The promises every adapter keeps, whichever way its loudspeakers are reached; all kinds at the same time.

The adapter that is called by telephone number is the one that pages by SIP, with other words in its order.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from benchmarks.broadcast_ear import Ear, listening
from ivr.broadcast import files, lying, one_page
from ivr.broadcast.announcer import Announcer
from ivr.broadcast.clock import now
from ivr.broadcast.loudspeakers import BroadcastError, SoundFile, Wiring, open_kind
from ivr.broadcast.plays import ENDS, forward, state_told
from ivr.broadcast.sound_links import SoundLinks
from sync.archive import Archive
from sync.broadcasting import Item, add_loudspeaker, play_now, plays_of
from sync.community_settings import change_setting
from sync.records.tables import Programme
from tests.broadcast.broker import MOSQUITTO, RealBroker, real_broker
from tests.broadcast.jobs import pcm_of, phone_sound
from tests.broadcast.paging_town import ACCOUNT, COMMUNITY, serving
from tests.broadcast.paging_town import Village as Called
from tests.broadcast.rigs import FilesRig, MqttRig, MulticastRig, Rig, SipRig, working
from tests.broadcast.studio import WANG, Hand, Village
from tests.broadcast.village import SoundServer, sound_server
from tests.conftest import fresh_archive
from tests.exchange.sip_person import person
from tests.exchange.sip_phone import decoded
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.test_sip_line import resemblance
from tests.exchange.town import TOKEN
from tests.live import LIVE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
GROUPS = [("239.255.71.1", 30_000 + os.getpid() % 1000 * 20 + 2 * n) for n in range(8)]
SECRETS = {f"ls_{n}": f"secret {n}" for n in range(1, 60)}
QUIET_SECONDS = 0.4


@dataclass
class Things:
    """What the rigs stand on, for the whole file."""

    folder: Path
    archive: Archive
    village: Called
    stage: Stage
    ear: Ear
    web: SoundServer
    sound: SoundFile
    broker: RealBroker | None


@pytest.fixture(scope="module")
def things(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Things]:
    """Everything real, once."""
    folder = tmp_path_factory.mktemp("promises")
    archives = fresh_archive(folder)
    archive: Archive = next(archives)
    sound = phone_sound(folder, 0.5)
    with ExitStack() as open_things:
        village = open_things.enter_context(serving(Called(archive, folder)))
        village.record(0.5)
        line = {"dead_seconds": 2, "most_calls": 40}
        here = open_things.enter_context(
            stage(folder, line, max_calls=24, max_placed=16, public_base=village.base)
        )
        ear = open_things.enter_context(listening(GROUPS))
        web = open_things.enter_context(sound_server(sound.path.read_bytes()))
        brokers = real_broker(folder / "broker", SECRETS) if MOSQUITTO else iter([None])
        yield Things(folder, archive, village, here, ear, web, sound, next(brokers))
        next(brokers, None)
    next(archives, None)


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes its time in a village need not here."""
    for name, seconds in (("LOOK", 0.15), ("AGAIN", 0.3), ("LAST_WORD", 0.6), ("AWAY", 0.2)):
        monkeypatch.setattr(one_page, f"{name}_SECONDS", seconds)
    monkeypatch.setattr(lying, "SPARE_SECONDS", 0.1)
    monkeypatch.setattr(files, "SWEEP_SECONDS", 0.1)


@asynccontextmanager
async def rigs(things: Things, town: SipTown, folder: Path) -> AsyncIterator[list[Rig]]:
    """One of each kind, at work."""
    async with AsyncExitStack() as stack:
        all_kinds: list[Rig] = [
            MulticastRig(things.ear, list(GROUPS), things.sound),
            FilesRig(folder / "root", things.sound),
            SipRig(things.village, town),
        ]
        if things.broker is not None:
            links = SoundLinks(things.archive, "http://127.0.0.1:9")
            all_kinds.append(MqttRig(things.broker, SECRETS, links, things.web, things.sound, stack))
        things.ear.packets.clear()
        things.village.given.clear()
        async with working(*all_kinds):
            yield all_kinds


def every_kind(things: Things, folder: Path, promise: Callable[[Rig], Awaitable[None]]) -> None:
    """Hold all kinds to a promise, at the same time; who breaks it is named."""

    async def one(rig: Rig) -> None:
        try:
            async with asyncio.timeout(30):
                await promise(rig)
        except BaseException as problem:
            problem.add_note(f"{type(rig).__name__} has told {rig.ledger.told}")
            raise

    async def scene(town: SipTown) -> None:
        async with rigs(things, town, folder) as all_kinds:
            results = await asyncio.gather(*map(one, all_kinds), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    things.stage.play(scene)


def end_of(rig: Rig, play_id: str) -> str:
    """The state the records would show: whatever was told, in its order, moves it forward only."""
    state = "sent"
    for told in rig.ledger.told:
        word = state_told(told) if told.play_id == play_id else None
        if word is not None:
            assert forward(state, word) in (state, word)
            state = forward(state, word)
    return state


def test_a_job_sounds_once_however_often_it_is_handed_down(things: Things, tmp_path: Path) -> None:
    async def promise(rig: Rig) -> None:
        job = await rig.job()
        await rig.adapter.air(job)
        await rig.adapter.air(job)
        await rig.ledger.until(lambda: rig.ledger.ended(job.play_id))
        await rig.adapter.air(job)
        await asyncio.sleep(QUIET_SECONDS)
        assert rig.begun(job) == 1
        assert end_of(rig, job.play_id) == "finished"
        ends = {told for told in rig.ledger.of(job.play_id) if told[0] in ("finished", "failed")}
        assert ends == {("finished", "" if rig.says_so else "unconfirmed")}
        if rig.says_so:
            assert ("started", "") in rig.ledger.of(job.play_id)

    every_kind(things, tmp_path, promise)


def test_what_has_expired_sounds_nowhere(things: Things, tmp_path: Path) -> None:
    async def promise(rig: Rig) -> None:
        late, never = await rig.job(expires=-1), await rig.job(wait=0.4, expires=0.2)
        for job in (late, never):
            await rig.adapter.air(job)
        await rig.ledger.until(lambda: rig.ledger.ended(late.play_id) and rig.ledger.ended(never.play_id))
        await asyncio.sleep(QUIET_SECONDS)
        for job in (late, never):
            assert end_of(rig, job.play_id) == "expired"
            assert rig.begun(job) == 0

    every_kind(things, tmp_path, promise)


def test_stop_is_silence_and_what_was_stopped_does_not_begin_again(things: Things, tmp_path: Path) -> None:
    async def promise(rig: Rig) -> None:
        job, other, waiting = await rig.job(times=5), await rig.job(), await rig.job(wait=5)
        for one in (job, waiting):
            await rig.adapter.air(one)
        await rig.ledger.until(lambda: rig.begun(job) == 1)
        await asyncio.gather(rig.adapter.stop(job.airing_id), rig.adapter.stop(waiting.airing_id))
        await rig.ledger.until(lambda: rig.ledger.ended(job.play_id))
        await rig.adapter.air(job)
        await rig.adapter.air(other)  # another airing goes on
        await rig.ledger.until(lambda: rig.ledger.ended(other.play_id))
        assert end_of(rig, other.play_id) == "finished"
        assert end_of(rig, job.play_id) == end_of(rig, waiting.play_id) == "cut"
        assert (rig.begun(job), rig.begun(waiting)) == (1, 0)
        if isinstance(rig, FilesRig):
            assert not list((rig.root / job.loudspeaker.id).glob("*.wav"))

    every_kind(things, tmp_path, promise)


def test_who_is_gone_in_the_middle_is_known_and_the_next_programme_is_tried(
    things: Things, tmp_path: Path
) -> None:
    async def promise(rig: Rig) -> None:
        job = await rig.job(times=12)
        await rig.adapter.air(job)
        await rig.ledger.until(lambda: rig.begun(job) == 1)
        await rig.die(job)
        if isinstance(rig, MqttRig):  # its end is known when it is back, or when nobody waits any more
            await rig.ledger.until(lambda: any(one.what == "gone" for one in rig.ledger.told))
            return
        if isinstance(rig, FilesRig):
            job = await rig.job()
            await rig.adapter.air(job)
        await rig.ledger.until(lambda: end_of(rig, job.play_id) in ENDS)
        assert end_of(rig, job.play_id) == "failed"
        if isinstance(rig, MulticastRig):
            again = await rig.job()
            await rig.adapter.air(again)
            await rig.ledger.until(lambda: rig.ledger.ended(again.play_id))
            assert end_of(rig, again.play_id) == "finished"

    every_kind(things, tmp_path, promise)


def test_a_closed_adapter_says_nothing_more(things: Things, tmp_path: Path) -> None:
    async def promise(rig: Rig) -> None:
        job = await rig.job(times=3)
        await rig.adapter.air(job)
        await rig.ledger.until(lambda: rig.begun(job) == 1)
        await rig.adapter.close()
        told = len(rig.ledger.told)
        await asyncio.sleep(QUIET_SECONDS)
        assert len(rig.ledger.told) == told

    every_kind(things, tmp_path, promise)


def test_from_approval_to_the_loudspeakers_through_the_announcer_and_the_settings(
    things: Things, tmp_path: Path
) -> None:
    """Adapters opened as the settings say, by the announcer itself, for one programme played by hand."""
    heard: dict[str, bytes] = {}

    async def scene(town: SipTown) -> None:
        studio = Village(things.archive, things.folder, Hand(now().at))
        with things.archive.database.begin() as session:
            for silence in ("broadcast_quiet_hours", "broadcast_noon_rest"):
                change_setting(session, COMMUNITY, silence, "", WANG.id)
        programme = studio.programme("停水", [Item("notice", "停水。")])
        async with person() as telephone:
            group, port = GROUPS[7]
            addresses: dict[str, dict[str, Any]] = {
                "sip": {"uri": telephone.address},
                "multicast": {"group": group, "port": port},
                "files": {"folder": "小学"},
            }
            with things.archive.database.begin() as session:
                for kind, address in addresses.items():
                    add_loudspeaker(
                        session, things.archive, WANG, kind, kind, now().at, address, area="广场", volume=100
                    )
            settings = {
                "line_url": f"http://127.0.0.1:{town.exchange.port}",
                "line_account": ACCOUNT,
                "line_token": TOKEN,
                "multicast_interface": "127.0.0.1",
                "files_folder": str(tmp_path),
            }
            wiring = Wiring(things.archive, things.folder, things.village.base, settings)
            announcer = Announcer(
                things.archive, studio.sounds, partial(open_kind, wiring=wiring), me="announcer of the test"
            )
            things.ear.packets.clear()
            with things.archive.database.begin() as session:
                airing = play_now(session, WANG, programme, "form 1", now().at, areas=("广场",))

            def states() -> set[tuple[str, str, str | None]]:
                with things.archive.database.read() as session:
                    return {(one.name, one.state, one.error) for one in plays_of(session, airing)}

            stopping = asyncio.Event()
            announcing = asyncio.create_task(announcer.run(stopping))
            async with asyncio.timeout(40):
                while {name for name, state, _ in states() if state == "finished"} < {"sip", "multicast"}:
                    await asyncio.sleep(0.1)
            stopping.set()
            await announcing
            assert states() == {
                ("sip", "finished", None),
                ("multicast", "finished", "unconfirmed"),
                ("files", "received", None),  # as long as its file lies there
            }
            heard["sip"] = bytes(telephone.heard)
            heard["multicast"] = decoded(b"".join(packet.body for packet in things.ear.of(7)), "alaw")
        with things.archive.database.read() as session:
            digest = session.get_one(Programme, programme).approved_digest or ""
        programme_pcm = pcm_of(studio.sounds.file(digest, "phone"))
        for sound in heard.values():
            assert resemblance(programme_pcm[1600:], sound) > 0.95
        (file,) = (tmp_path / "小学").glob("*.mp3")
        assert file.read_bytes() == studio.sounds.file(digest, "mp3").path.read_bytes()

    things.stage.play(scene)


def test_without_a_line_nobody_is_called(archive: Archive, tmp_path: Path) -> None:
    for kind in ("sip", "callin"):
        with pytest.raises(BroadcastError):
            open_kind(kind, Wiring(archive, tmp_path, "http://127.0.0.1"))
