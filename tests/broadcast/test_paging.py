"""Loudspeakers that are called, over a real SIP line: what they hear, how they are opened, how calls end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import numpy as np
import pytest
import requests
import soundfile
from twilio.request_validator import RequestValidator

from ivr.broadcast import one_page
from ivr.broadcast.page_links import PageLinks
from ivr.broadcast.paging import CalledLoudspeakers, PagedLoudspeakers
from sync.archive import Archive
from sync.records.tables import Airing, Play, Programme
from tests.broadcast.jobs import pcm_of
from tests.broadcast.paging_town import ACCOUNT, NUMBER, Village, WrittenLedger, serving
from tests.conftest import fresh_archive
from tests.exchange.sip_person import Person, person
from tests.exchange.sip_town import SipTown, Stage, stage
from tests.exchange.test_sip_line import resemblance
from tests.exchange.town import TOKEN, free_port
from tests.live import LIVE
from tests.whole.debian_phone import BARESIP, debian_phone

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), LIVE]
TRUNK_PORT = free_port()


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    """Records and web."""
    home = tmp_path_factory.mktemp("village")
    archives = fresh_archive(home)
    archive: Archive = next(archives)
    with serving(Village(archive, home)) as here:
        yield here
    next(archives, None)


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory, village: Village) -> Iterator[Stage]:
    """An exchange and its line; numbers are called through a trunk, two loudspeakers' addresses are known."""
    line = {
        "out": f"127.0.0.1:{TRUNK_PORT}",
        "most_calls": 40,
        "dead_seconds": 3,
        "speakers": ("127.0.0.3/32",),
    }
    folder = tmp_path_factory.mktemp("paging")
    with stage(folder, line, max_calls=24, max_placed=16, public_base=village.base) as here:
        yield here


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes its time in a village need not here."""
    for name, seconds in (("LOOK", 0.15), ("AGAIN", 0.3), ("LAST_WORD", 0.6), ("AWAY", 0.2)):
        monkeypatch.setattr(one_page, f"{name}_SECONDS", seconds)


@dataclass
class Desk:
    """The adapters of both kinds, and what they told."""

    village: Village
    paged: PagedLoudspeakers
    called: CalledLoudspeakers
    ledger: WrittenLedger

    async def ended(self, *plays: str) -> None:
        await self.ledger.until(lambda: all(self.ledger.ended(play) for play in plays), 20)


@asynccontextmanager
async def desk(village: Village, t: SipTown) -> AsyncIterator[Desk]:
    """Adapters at this exchange, closed afterwards."""
    ledger = WrittenLedger(village=village)
    paged = village.adapter(PagedLoudspeakers, t.exchange.port)
    called = village.adapter(CalledLoudspeakers, t.exchange.port)
    for one in (paged, called):
        await one.start(ledger)
    try:
        yield Desk(village, paged, called, ledger)
    finally:
        for one in (paged, called):
            await one.close()


def loud_seconds(heard: bytes) -> float:
    """How long something was to be heard, in tenths of a second."""
    samples = np.abs(np.frombuffer(heard[: len(heard) // 1600 * 1600], "<i2").astype(int))
    return float(sum(tenth.mean() > 100 for tenth in samples.reshape(-1, 800)) / 10)


def energy(heard: bytes) -> float:
    """How much there was to be heard, wherever it lies."""
    return float(np.square(np.frombuffer(heard[: len(heard) // 2 * 2], "<i2").astype(float)).sum())


def played(village: Village, heard: bytes, times: int = 1) -> bool:
    """Whether the programme was heard, so often and not more often."""
    programme = pcm_of(village.sound)
    is_all = resemblance(programme[1600:], heard) > 0.95
    return is_all and abs(energy(heard) / energy(programme) / times - 1) < 0.3


@pytest.mark.skipif(BARESIP is None, reason="no baresip on this machine")
def test_a_telephone_that_picks_up_by_itself_plays_the_programme_once_and_one_that_dies_is_told(
    scenes: Stage, village: Village, tmp_path: Path
) -> None:
    silence = tmp_path / "silence.wav"
    soundfile.write(silence, np.zeros(8000 * 30, np.int16), 8000)

    async def scene(t: SipTown) -> None:
        async with desk(village, t) as d:
            job, dying = village.job({"uri": good.address}), village.job({"uri": bad.address}, repeat=20)
            for one in (job, job, dying):
                await d.paged.air(one)
            await d.ended(job.play_id)
            await d.paged.air(job)  # it comes once more, after the end
            await d.ledger.until(lambda: ("started", "") in d.ledger.of(dying.play_id))
            bad.kill()
            await d.ended(dying.play_id)
            assert d.ledger.of(job.play_id) == [("started", ""), ("finished", "")]
            assert village.state(job.play_id) == "finished"
            assert d.ledger.of(dying.play_id) == [("started", ""), ("failed", "interrupted")]
            assert village.state(dying.play_id) == "failed"
            assert len([path for path in village.asked if path.endswith("/done")]) == 1

    with (
        debian_phone(tmp_path / "good", silence, "801", manner="auto") as good,
        debian_phone(tmp_path / "bad", silence, "802", manner="auto") as bad,
    ):
        village.asked.clear()
        scenes.play(scene)
        assert played(village, good.heard().tobytes())


@asynccontextmanager
async def trunk_person() -> AsyncIterator[Person]:
    """Who picks up behind the trunk."""
    one = Person()
    await one.open(TRUNK_PORT)
    try:
        yield one
    finally:
        one.close()


def test_headers_say_that_it_is_to_pick_up_and_the_community_calls(scenes: Stage, village: Village) -> None:
    async def scene(t: SipTown) -> None:
        async with trunk_person() as trunk, person() as first, person() as second, desk(village, t) as d:
            second.speaking = asyncio.create_task(asyncio.sleep(0))  # has no microphone: sends no sound
            jobs = [
                village.job({"uri": first.address}, repeat=2),
                village.job({"uri": second.address, "auto_answer": "alert-info"}, repeat=3),
                village.job({"uri": "8001"}),  # an extension of the PBX behind the trunk
            ]
            for job in jobs:
                await d.paged.air(job)
            await d.ended(*(job.play_id for job in jobs))
            assert [d.ledger.of(job.play_id)[-1] for job in jobs] == [("finished", "")] * 3
            asked = first.invite.headers
            assert asked["call-info"] == "<sip:127.0.0.1>;answer-after=0"
            assert asked["alert-info"] == "<http://127.0.0.1>;info=alert-autoanswer;delay=0"
            assert f"sip:{NUMBER}@" in asked["p-asserted-identity"]
            assert "call-info" not in second.invite.headers
            assert second.invite.headers["alert-info"].endswith(";info=alert-autoanswer;delay=0")
            assert trunk.invite.first.startswith("INVITE sip:8001@")
            assert played(village, bytes(first.heard), times=2)
            assert played(village, bytes(second.heard), times=3)

    scenes.play(scene)


@contextmanager
def adapter_with_pin(wav: Path, port: int, pin: str) -> Iterator[None]:
    """A village adapter: a telephone that plays nothing until its keys have come."""
    command = ["speaker", "simulate", "--sip", f"127.0.0.1:{port}", "--pin", pin, "--wav", str(wav)]
    process = subprocess.Popen(
        [sys.executable, "-m", "admin", *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    told = b""
    while "在等电话".encode() not in told:
        line = process.stdout.readline()
        assert line, told.decode()
        told += line
    try:
        yield
    finally:
        process.terminate()
        process.wait(10)


def test_an_adapter_on_the_telephone_is_opened_by_its_keys(
    scenes: Stage, village: Village, tmp_path: Path
) -> None:
    async def scene(t: SipTown) -> None:
        async with desk(village, t) as d:
            right = village.job({"number": "0571 8888 0000", "keys": "w{pin}#w"}, "4711", kind="callin")
            await d.called.air(right)
            await d.ended(right.play_id)
            assert d.ledger.of(right.play_id)[-1] == ("finished", "")
            no_pin = village.job({"number": "057188880000", "keys": "{pin}"}, "made-up", kind="callin")
            no_number = village.job({"number": "村口"}, kind="callin")
            for job in (no_pin, no_number):
                await d.called.air(job)
                await d.ended(job.play_id)
                assert d.ledger.of(job.play_id) == [("failed", "refused")]

    with adapter_with_pin(tmp_path / "adapter.wav", TRUNK_PORT, "4711#"):
        scenes.play(scene)
    samples, rate = soundfile.read(tmp_path / "adapter.wav", dtype="int16")
    assert played(village, samples[:: rate // 8000].tobytes())


def test_who_is_busy_or_does_not_pick_up_is_called_once_more_and_then_told(
    scenes: Stage, village: Village, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ivr.broadcast.paged.PAGE_RING_SECONDS", 1)

    async def scene(t: SipTown) -> None:
        async with (
            person("486 Busy Here") as busy,
            person("rings") as deaf,
            person("404 Not Found") as nobody,
            person("486 Busy Here") as free_later,
            desk(village, t) as d,
        ):
            people = (busy, deaf, nobody, free_later)
            jobs = [village.job({"uri": one.address}) for one in people]
            for job in jobs:
                await d.paged.air(job)
            await d.ledger.until(lambda: free_later.came("INVITE"))
            free_later.manner = "answers"
            last = village.job({"uri": busy.address}, expires=0.2)  # no time for a second try
            await d.paged.air(last)
            await d.ended(*(job.play_id for job in (*jobs, last)))
            ends = [d.ledger.of(job.play_id)[-1] for job in jobs]
            assert ends == [
                ("failed", "busy"),
                ("failed", "no_answer"),
                ("failed", "refused"),
                ("finished", ""),
            ]
            assert [village.state(job.play_id) for job in jobs] == ["failed"] * 3 + ["finished"]
            for one in (deaf, nobody, free_later):
                assert len({m.headers["call-id"] for m in one.requests if m.method == "INVITE"}) == 2
            assert len({m.headers["call-id"] for m in busy.requests if m.method == "INVITE"}) == 3
            assert deaf.came("CANCEL")
            assert d.ledger.of(last.play_id) == [("failed", "busy")]

    scenes.play(scene)


def test_stop_hangs_up_at_once_whether_it_rings_or_plays(scenes: Stage, village: Village) -> None:
    async def scene(t: SipTown) -> None:
        async with person() as playing, person("rings") as ringing, desk(village, t) as d:
            jobs = [village.job({"uri": one.address}, repeat=9) for one in (playing, ringing)]
            later = village.job({"uri": playing.address})
            for job in jobs:
                await d.paged.air(job)
            await d.ledger.until(lambda: loud_seconds(bytes(playing.heard)) > 0.5 and ringing.came("INVITE"))
            await asyncio.gather(*(d.paged.stop(job.airing_id) for job in jobs))
            began = time.monotonic()
            await d.ledger.until(lambda: playing.came("BYE") and ringing.came("CANCEL"), 5)
            assert time.monotonic() - began < 1.5
            assert [d.ledger.of(job.play_id)[-1] for job in jobs] == [("failed", "stopped")] * 2
            assert village.state(jobs[0].play_id) == "cut"
            assert loud_seconds(bytes(playing.heard)) < 4
            await d.paged.air(jobs[0])
            village.change(Airing, later.airing_id, state="cut")
            await d.paged.stop(later.airing_id)  # nothing of it is under way
            assert len([m for m in playing.requests if m.method == "INVITE"]) == 1

    scenes.play(scene)


def test_a_loudspeaker_that_hangs_up_in_the_middle_is_told(scenes: Stage, village: Village) -> None:
    async def scene(t: SipTown) -> None:
        async with person() as one, desk(village, t) as d:
            job = village.job({"uri": one.address}, repeat=9)
            await d.paged.air(job)
            await d.ledger.until(lambda: loud_seconds(bytes(one.heard)) > 0.3)
            one.hang_up()
            await d.ended(job.play_id)
            assert d.ledger.of(job.play_id) == [("started", ""), ("failed", "interrupted")]

    scenes.play(scene)


def test_what_may_not_be_heard_any_more_when_it_picks_up_is_not_heard(
    scenes: Stage, village: Village
) -> None:
    """Cut, expired, not approved any more, its sound gone, web away: the call ends in silence, without a word
    of the exchange's own.
    """

    async def scene(t: SipTown) -> None:
        people = [Person(after=0.8) for _ in range(5)]
        for one in people:
            await one.open()
        async with desk(village, t) as d:
            cut, late, draft, away, lost = jobs = [village.job({"uri": one.address}) for one in people]
            for job in (cut, late):
                await d.paged.air(job)
            await d.ledger.until(lambda: all(one.came("INVITE") for one in people[:2]))
            village.change(Airing, cut.airing_id, state="cut")
            village.change(Airing, late.airing_id, expires_at=late.at)
            await d.ended(cut.play_id, late.play_id)
            village.change(Programme, "pg1", state="draft", approved_digest=None)
            await d.paged.air(draft)
            await d.ended(draft.play_id)
            village.change(Programme, "pg1", state="approved", approved_digest="5e" * 32)
            with t.changed(patience_seconds=0.5):
                village.is_down = True
                await d.paged.air(away)
                await d.ended(away.play_id)
                village.is_down = False
            village.is_soundless = True
            await d.paged.air(lost)
            await d.ended(lost.play_id)
            village.is_soundless = False
            assert d.ledger.of(lost.play_id).pop(0) == ("started", "")
            for job, one in zip(jobs, people, strict=True):
                assert d.ledger.of(job.play_id)[-1] == ("failed", "interrupted"), job.play_id
                assert loud_seconds(bytes(one.heard)) == 0
                assert one.came("BYE")
                one.close()

    scenes.play(scene)


def signed(village: Village, path: str, token: str = TOKEN, **form: str) -> tuple[int, str]:
    """What web answers to the exchange, or to somebody who has another secret."""
    params = {"AccountSid": ACCOUNT, "CallSid": "CA1"} | form
    url = village.base + path
    signature = RequestValidator(token).compute_signature(url, params)
    headers = {"X-Twilio-Signature": signature, "Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(url, data=urlencode(params), headers=headers, timeout=5)
    return answer.status_code, answer.text


def test_the_document_is_given_to_one_call_of_the_exchange_and_to_no_stranger(
    any_archive: Archive, tmp_path: Path
) -> None:
    with serving(Village(any_archive, tmp_path)) as village:
        asks_for_the_document(village)


def asks_for_the_document(village: Village) -> None:
    job, other = village.job({"uri": "sip:a@127.0.0.1"}), village.job({"uri": "sip:b@127.0.0.1"})
    links = PageLinks(village.archive)
    path = links.url(job.play_id, job.loudspeaker.id)
    assert signed(village, path, "another secret")[0] == 403
    assert signed(village, path, AccountSid="ACother")[0] == 403
    assert signed(village, "/calls/paged/forged")[0] == 403
    assert requests.post(village.base + path, timeout=5).status_code == 403
    assert "<Play" not in signed(village, links.url(job.play_id, other.loudspeaker.id))[1]
    assert village.state(job.play_id) == "sent"
    first = signed(village, path)[1]
    assert "<Play" in first
    assert signed(village, path)[1] == first  # its answer was lost
    assert "<Play" not in signed(village, path, CallSid="CA2")[1]
    assert signed(village, f"{path}/done")[0] == 200
    assert "<Play" not in signed(village, path)[1]
    assert village.state(job.play_id) == "finished"
    for state in ("waiting", "unknown", "failed", "cut", "expired"):
        village.change(Play, other.play_id, state=state)
        assert "<Play" not in signed(village, links.url(other.play_id, other.loudspeaker.id))[1], state


def test_a_stranger_makes_no_loudspeaker_speak(scenes: Stage, village: Village) -> None:
    async def scene(t: SipTown) -> None:
        async with person() as one:
            ledger = WrittenLedger(village=village)
            stranger = village.adapter(PagedLoudspeakers, t.exchange.port, token="guessed")
            await stranger.start(ledger)
            outside = village.job({"uri": "sip:speaker@203.0.113.9"})
            theirs = village.job({"uri": one.address})
            nonsense = village.job({"uri": "sip:a@b c"})
            ours = village.adapter(PagedLoudspeakers, t.exchange.port)
            await ours.start(ledger)
            await stranger.air(theirs)
            for job in (outside, nonsense):
                await ours.air(job)
            plays = [job.play_id for job in (theirs, outside, nonsense)]
            await ledger.until(lambda: all(ledger.ended(play) for play in plays), 20)
            assert [ledger.of(play) for play in plays] == [[("failed", "refused")]] * 3
            assert not one.requests
            for adapter in (stranger, ours):
                await adapter.close()
            async with t.raw(host="127.0.0.3") as loudspeaker:  # it is called, and may not call
                await loudspeaker.invite()
                assert (await loudspeaker.answer_to("INVITE")).status >= 400
            assert not t.web.at("/calls")

    scenes.play(scene)


def test_an_exchange_that_is_away_is_waited_for_and_told(village: Village) -> None:
    async def scene() -> None:
        ledger = WrittenLedger(village=village)
        adapter = village.adapter(PagedLoudspeakers, free_port())
        await adapter.start(ledger)
        job = village.job({"uri": "sip:a@127.0.0.1"}, expires=1)
        await adapter.air(job)
        await ledger.until(lambda: ledger.ended(job.play_id), 5)
        assert ledger.of(job.play_id) == [("failed", "unreachable")]
        waiting = village.job({"uri": "sip:a@127.0.0.1"})
        await adapter.air(waiting)
        await adapter.close()
        assert ledger.of(waiting.play_id) == [("failed", "interrupted")]

    asyncio.run(scene())
