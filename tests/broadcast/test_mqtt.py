"""Loudspeakers behind a real broker: jobs once and in time, answers that count, strangers that don't."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ivr.broadcast.loudspeakers import Job, SoundFile
from ivr.broadcast.wire import Answer
from sync.archive import Archive
from tests.broadcast.broker import Device, RealBroker, needs_mosquitto
from tests.broadcast.jobs import Ledger
from tests.broadcast.orders import DEVICES, course, order
from tests.broadcast.village import Mouth, SoundServer, announcer, loudspeaker, sound_server, until

pytestmark = needs_mosquitto


def test_a_job_is_received_started_finished_and_played_once_however_often_it_comes(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile, tmp_path: Path
) -> None:
    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(), broker.address("ls_1", DEVICES["ls_1"])
        async with announcer(broker.ours, archive, ledger) as ours:
            async with loudspeaker(device, mouth, tmp_path / "memory"):
                await ledger.until(lambda: any(one.what == "seen" for one in ledger.told))
                one = order(web, sound, "pl_1", "ls_1", volume=40, repeat=2)
                await ours.air(one)
                await ledger.until(lambda: ledger.ended("pl_1"))
                assert course(ledger, "pl_1") == [("received", ""), ("started", ""), ("finished", "")]
                assert [volume for volume, _ in mouth.played] == [40, 40]
                await ours.air(one)
                await ours._send(ours._handed["pl_1"])
                await ledger.until(lambda: ledger.of("pl_1").count(("finished", "")) >= 2)
            async with loudspeaker(device, mouth, tmp_path / "memory"):
                await ours._send(ours._handed["pl_1"])
                await ledger.until(lambda: ledger.of("pl_1").count(("finished", "")) >= 3)
            await ledger.until(lambda: any(one.what == "gone" for one in ledger.told))
        assert len(mouth.played) == 2
        assert web.asked == 1

    asyncio.run(scene())


def test_what_has_expired_sounds_nowhere_however_it_comes(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(), broker.address("ls_2", DEVICES["ls_2"])
        past, soon = (datetime.now(UTC) + timedelta(seconds=seconds) for seconds in (-1, 1.2))
        async with announcer(broker.ours, archive, ledger) as ours:
            await ours.air(order(web, sound, "pl_late", "ls_2", expires_at=past))
            assert ledger.of("pl_late") == [("failed", "expired")]
            async with loudspeaker(device, mouth):
                pass  # from now on the broker keeps its jobs
            await ours.air(order(web, sound, "pl_off", "ls_2", expires_at=soon))
            stale = ours._order(order(web, sound, "pl_stale", "ls_2", expires_at=past))
            await ours._link.publish("tingjian/ls_2/job", stale.to_bytes())
            await until(lambda: datetime.now(UTC) > soon + timedelta(seconds=1))
            async with loudspeaker(device, mouth):
                await ledger.until(lambda: ledger.ended("pl_stale"))
                assert course(ledger, "pl_stale") == [("received", ""), ("failed", "expired")]
                web.pause = 1.0
                slow = datetime.now(UTC) + timedelta(seconds=0.6)
                await ours.air(order(web, sound, "pl_slow", "ls_2", expires_at=slow))
                await ledger.until(lambda: ledger.ended("pl_slow"))
        assert ledger.of("pl_slow")[0] == ("received", "")
        assert ledger.of("pl_slow")[-1][0] == "failed"
        assert ledger.of("pl_off") == []  # the broker itself forgot it
        assert mouth.begun == 0

    asyncio.run(scene())


def test_stop_stops_what_sounds_what_waits_and_what_is_still_on_its_way(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile, tmp_path: Path
) -> None:
    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(30), broker.address("ls_3", DEVICES["ls_3"])
        async with announcer(broker.ours, archive, ledger) as ours:
            async with loudspeaker(device, mouth, tmp_path / "memory"):
                await ours.air(order(web, sound, "pl_a", "ls_3", airing="air_1"))
                await ledger.until(lambda: ("started", "") in ledger.of("pl_a"))
                await ours.air(order(web, sound, "pl_b", "ls_3", airing="air_2"))
                later = datetime.now(UTC) + timedelta(seconds=40)
                await ours.air(order(web, sound, "pl_c", "ls_3", airing="air_1", at=later))
                await ledger.until(lambda: web.asked >= 2 and bool(ledger.of("pl_c")))
                await ours.stop("air_1")
                await ledger.until(lambda: ledger.ended("pl_a") and ledger.ended("pl_c"))
                assert course(ledger, "pl_a") == [("received", ""), ("started", ""), ("failed", "stopped")]
                assert course(ledger, "pl_c") == [("received", ""), ("failed", "stopped")]
                await ledger.until(lambda: ("started", "") in ledger.of("pl_b"))  # another airing goes on
                await ours.air(order(web, sound, "pl_d", "ls_3", airing="air_1"))
                assert ledger.of("pl_d") == [("failed", "stopped")]
            assert not ledger.ended("pl_b")
            await ours.air(order(web, sound, "pl_e", "ls_3", airing="air_3"))
            await ours.stop("air_3")
            async with loudspeaker(device, mouth, tmp_path / "memory"):
                await ledger.until(lambda: ledger.ended("pl_e") and ledger.ended("pl_b"))
            assert course(ledger, "pl_e") == [("received", ""), ("failed", "stopped")]
            assert ledger.of("pl_b")[-1] == ("failed", "interrupted")
        assert mouth.begun == 2
        assert mouth.played == []

    asyncio.run(scene())


def test_an_emergency_cuts_in_and_goes_before_what_waits(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(30), broker.address("ls_4", DEVICES["ls_4"])
        async with announcer(broker.ours, archive, ledger) as ours, loudspeaker(device, mouth):
            await ours.air(order(web, sound, "pl_now", "ls_4"))
            await ledger.until(lambda: ("started", "") in ledger.of("pl_now"))
            await ours.air(order(web, sound, "pl_next", "ls_4"))
            await until(lambda: web.asked == 2)
            mouth.seconds = 0.2
            await ours.air(order(web, sound, "pl_fire", "ls_4", is_emergency=True))
            await ledger.until(lambda: ledger.ended("pl_next"))
        assert ledger.of("pl_now")[-1] == ("failed", "interrupted")
        ends = [one.play_id for one in ledger.told if one.what == "finished"]
        assert ends == ["pl_fire", "pl_next"]

    asyncio.run(scene())


def test_a_sound_that_is_not_as_it_should_be_is_not_played(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile, tmp_path: Path
) -> None:
    wrong = SoundFile(sound.path, "0" * 64, 1.0, "audio/wav")
    with sound_server(b"no sound at all") as silent:
        text = tmp_path / "text"
        text.write_bytes(silent.data)
        no_sound = SoundFile(text, hashlib.sha256(silent.data).hexdigest(), 1.0, "audio/wav")

        async def scene() -> None:
            ledger, mouth, device = Ledger(), Mouth(), broker.address("ls_5", DEVICES["ls_5"])
            async with announcer(broker.ours, archive, ledger) as ours, loudspeaker(device, mouth):

                async def told(play: str, one: Job) -> str:
                    await ours.air(one)
                    await ledger.until(lambda: ledger.ended(play))
                    return ":".join(ledger.of(play)[-1])

                assert await told("pl_1", order(web, wrong, "pl_1", "ls_5")) == "failed:wrong_sum"
                assert await told("pl_2", order(silent, no_sound, "pl_2", "ls_5")) == "failed:no_sound"
                web.moods = [404]
                assert await told("pl_3", order(web, sound, "pl_3", "ls_5")) == "failed:refused"
                web.clock = 3600.0
                assert await told("pl_4", order(web, sound, "pl_4", "ls_5")) == "failed:wrong_clock"
                web.clock, soon = 0.0, datetime.now(UTC) + timedelta(seconds=1)
                nobody = replace(web, port=9)
                assert await told("pl_5", order(nobody, sound, "pl_5", "ls_5", expires_at=soon)) in (
                    "failed:unreachable", "failed:expired",
                )  # fmt: skip
                assert mouth.begun == 0
                web.moods = [503, 500]
                assert await told("pl_6", order(web, sound, "pl_6", "ls_5")) == "finished:"
                assert mouth.begun == 1

        asyncio.run(scene())


def test_noise_on_the_wire_is_passed_over_and_a_retained_job_is_none(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    noise = [b"", b"{", b"[" * 3000, b"null", b'{"id": 7}', b'{"here": 1}', b'{"id":"pl_1","what":"won"}',
             b'{"id":"pl_1","what":"finished","at":NaN}', b"\xff\xfe" * 100, b"x" * 200_000]  # fmt: skip

    async def scene() -> None:
        ledger, mouth, device = Ledger(), Mouth(), broker.address("ls_6", DEVICES["ls_6"])
        async with announcer(broker.ours, archive, ledger) as ours:
            retained = ours._order(order(web, sound, "pl_kept", "ls_6")).to_bytes()
            liar = await asyncio.to_thread(Device, device)
            for one in noise:
                await asyncio.to_thread(liar.say, "tingjian/ls_6/told", one)
                await asyncio.to_thread(liar.say, "tingjian/ls_6/presence", one)
            kept = b'{"id":"pl_1","what":"finished","at":1}'
            await asyncio.to_thread(liar.say, "tingjian/ls_6/told", kept, True)
            await asyncio.to_thread(liar.close)
            before = len(ledger.told)
            link = ours._link
            await link._until_taken(link._send("tingjian/ls_6/job", retained, 60, is_retained=True))
            async with loudspeaker(device, mouth):
                for one in noise:
                    await link.publish("tingjian/ls_6/job", one)
                    await link.publish("tingjian/all/stop", one)
                await ours.air(order(web, sound, "pl_good", "ls_6"))
                await ledger.until(lambda: ledger.ended("pl_good"))
            link.say("tingjian/ls_6/job", b"", is_retained=True)
        assert ledger.of("pl_good")[-1] == ("finished", "")
        assert ledger.of("pl_kept") == []
        assert len(mouth.played) == 1
        assert [
            one.what for one in ledger.told[:before] if one.what not in ("seen", "gone", "finished")
        ] == []
        assert len(ledger.of("pl_1")) <= 1  # said live once; the retained copy counts for nothing
        async with announcer(broker.ours, archive, again := Ledger()):
            await again.until(lambda: bool(again.told))
        assert again.of("pl_1") == []

    asyncio.run(scene())


def test_a_stranger_neither_gives_jobs_nor_reads_them_nor_answers_for_others(
    broker: RealBroker, archive: Archive, web: SoundServer, sound: SoundFile
) -> None:
    async def scene() -> None:
        ledger, mouth = Ledger(), Mouth()
        honest, stranger = (broker.address(one, DEVICES[one]) for one in ("ls_0", "ls_7"))
        everything = ("tingjian/#", "tingjian/ls_0/job", "tingjian/+/told", "#", "$SYS/#")
        async with announcer(broker.ours, archive, ledger) as ours, loudspeaker(honest, mouth) as device:
            for bad in (broker.address("ls_0", "wrong"), broker.address("", ""), broker.address("ls_x", "")):
                refused = await asyncio.to_thread(Device, bad)
                assert not refused.is_in
                await asyncio.to_thread(refused.close)
            liar = await asyncio.to_thread(Device, stranger, everything)
            assert liar.is_in
            await until(lambda: liar.granted)
            forged = ours._order(order(web, sound, "pl_forged", "ls_0")).to_bytes()
            answer = Answer("pl_mine", "finished", time.time()).to_bytes()
            for topic, payload in (
                ("tingjian/ls_0/job", forged),
                ("tingjian/all/stop", b'{"airing": "air_pl_mine"}'),
                ("tingjian/ls_0/presence", b'{"here": false}'),
                ("tingjian/ls_0/told", answer),
                ("tingjian/ls_7/job", forged),
            ):
                await asyncio.to_thread(liar.say, topic, payload)
            mouth.seconds = 0.5
            await ours.air(order(web, sound, "pl_mine", "ls_0"))
            await asyncio.to_thread(liar.say, "tingjian/ls_7/told", answer)  # on its own topic it may speak
            await ledger.until(lambda: ledger.ended("pl_mine"))
            await asyncio.to_thread(liar.say, "tingjian/ls_7/presence", b'{"here": true}')
            await ledger.until(lambda: any(one.loudspeaker_id == "ls_7" for one in ledger.told))
            assert device.is_up
            assert not [one for one in ledger.told if one.loudspeaker_id == "ls_0" and one.what == "gone"]
            await asyncio.to_thread(liar.close)
        assert course(ledger, "pl_mine") == [("received", ""), ("started", ""), ("finished", "")]
        assert [one for one in ledger.told if one.loudspeaker_id == "ls_7" and one.play_id] == []
        assert len(mouth.played) == 1
        assert {topic for topic, _ in liar.heard} <= {"tingjian/all/stop"}
        assert not any(b"pl_" in payload for _, payload in liar.heard)

    asyncio.run(scene())
