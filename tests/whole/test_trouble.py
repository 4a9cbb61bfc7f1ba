"""What may go wrong around a call: no Redis, a full disk, no recognizer, broken or very long sound."""

from __future__ import annotations

import asyncio
import itertools
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from ivr.exchange.sound import tone
from speech.audio import Audio, write_phone_wav
from sync.records.tables import Opinion, Recording, Transcript
from tests.conftest import COMMUNITY_NUMBER, found_community
from tests.prompts.rich import enrich
from tests.whole.caller import PlatformCall, Shelf, shelf
from tests.whole.outcome import outcome, sounds
from tests.whole.phones import lifted
from tests.whole.town import PLATFORM, PLATFORM_TOKEN, Town, town, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

_callers = itertools.count(1)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Town]:
    with town(tmp_path) as place:
        enrich(place.archive, found_community(place.archive))
        yield place


@pytest.fixture
def cupboard() -> Iterator[Shelf]:
    with shelf() as kept:
        yield kept


def hum(seconds: float) -> bytes:
    """A recording as a phone line delivers it."""
    moments = np.arange(int(seconds * 8000)) / 8000
    return write_phone_wav(Audio((0.3 * np.sin(2 * np.pi * 180 * moments)).astype(np.float32), 8000))


def dial(place: Town) -> PlatformCall:
    """A call from a number of its own that has just been answered."""
    caller = f"+86135{next(_callers):08}"
    call = PlatformCall(place.base, PLATFORM, PLATFORM_TOKEN, f"CA{caller[1:]}", caller, COMMUNITY_NUMBER)
    call.begin()
    return call


def speak(call: PlatformCall, kept: Shelf, sound: bytes, seconds: int) -> None:
    """From the main menu: an opinion on the first topic, recorded as `sound`."""
    for key in ("2", "1", "#"):
        call.press(key)
    name = f"RE{call.sid}"
    kept.sounds[name] = sound
    call.speak(name, kept.url(name), seconds)
    call.hang_up()


def the_opinion(place: Town) -> tuple[Opinion, list[Transcript], list[Recording]]:
    """The only opinion given by telephone, with its words and recordings."""
    with place.archive.database.read() as session:
        opinion = session.scalars(select(Opinion).where(Opinion.source == "twilio")).one()
        words = session.scalars(select(Transcript).where(Transcript.opinion_id == opinion.id)).all()
        return opinion, list(words), list(session.scalars(select(Recording)))


def has_problem(place: Town) -> bool:
    """Whether the opinion is there and something is noted to be wrong with it."""
    with place.archive.database.read() as session:
        return session.scalar(select(Opinion.problem).where(Opinion.source == "twilio")) is not None


def is_reviewable(place: Town) -> bool:
    """Whether the opinion has reached the desk."""
    with place.archive.database.read() as session:
        found = session.scalars(select(Opinion.state).where(Opinion.source == "twilio")).all()
    return list(found) == ["review"]


def test_without_redis_everything_is_still_done(place: Town, cupboard: Shelf) -> None:
    place.start("web")
    place.start("worker")
    call = dial(place)
    speak(call, cupboard, hum(3), 3)
    until(lambda: is_reviewable(place), 60, "the sweeper does the work")
    assert outcome(place.archive, "cm_test", call.caller).recordings == (("stored", True, True),)


def test_redis_may_come_and_go(place: Town, cupboard: Shelf) -> None:
    place.start("redis")
    place.start("web")
    place.start("worker")
    first = dial(place)
    place.stop("redis", by=9)
    first.press("1")
    first.press("#")
    first.press("2")
    first.hang_up()
    until(lambda: outcome(place.archive, "cm_test", first.caller).ballots != (), 60, "counted without Redis")
    place.start("redis")
    second = dial(place)
    second.press("1")
    second.press("#")
    second.press("1")
    until(lambda: outcome(place.archive, "cm_test", second.caller).ballots != (), 60, "counted again")
    assert place.is_alive("worker")


def test_without_a_recognizer_the_opinion_waits_and_is_heard_later(place: Town, cupboard: Shelf) -> None:
    place.plan = replace(place.plan, recognizer="missing")
    place.start("web")
    place.start("worker")
    speak(dial(place), cupboard, hum(3), 3)
    until(lambda: has_problem(place), 60, "the first try fails")
    opinion, words, recordings = the_opinion(place)
    assert (opinion.state, words) == ("waiting", [])
    assert [one.state for one in recordings] == ["stored"]
    place.stop("worker")
    place.plan = replace(place.plan, recognizer="fixed")
    place.start("worker")
    until(lambda: is_reviewable(place), 60, "tried again")
    assert len(the_opinion(place)[1]) == 1


def test_a_broken_recording_still_counts_and_asks_to_be_listened_to(place: Town, cupboard: Shelf) -> None:
    place.start("web")
    place.start("worker")
    speak(dial(place), cupboard, b"RIFF\x24\x00\x00\x00WAVE this was never sound", 5)
    until(lambda: is_reviewable(place), 60, "it reaches the desk")
    opinion, _, recordings = the_opinion(place)
    assert opinion.needs_listening
    assert [one.state for one in recordings] == ["broken"]
    assert recordings[0].acknowledged_at is not None


def test_ten_minutes_are_kept_whole(place: Town, cupboard: Shelf) -> None:
    place.start("web")
    place.start("worker")
    call = dial(place)
    speak(call, cupboard, hum(600), 600)
    until(lambda: is_reviewable(place), 60, "it reaches the desk")
    assert [round(sound.seconds) for sound in sounds(place.archive, "cm_test", call.caller)] == [600]


def test_a_recording_that_appears_late_is_fetched_in_the_end(place: Town, cupboard: Shelf) -> None:
    place.start("web")
    place.start("worker")
    call = dial(place)
    for key in ("2", "1", "#"):
        call.press(key)
    call.speak("RElate", cupboard.url("RElate"), 3)
    call.hang_up()
    until(lambda: len(cupboard.fetched) >= 2, 60, "the worker has tried, and again")
    assert the_recordings(place) == ["announced"]
    cupboard.sounds["RElate"] = hum(3)
    until(lambda: is_reviewable(place), 120, "fetched")


def test_a_full_disk_under_the_store_of_sound_delays_and_loses_nothing(place: Town, cupboard: Shelf) -> None:
    place.start("web")
    place.start("worker")
    limit(place, "worker", 4_500_000)  # the records fit, ten minutes of sound do not
    call = dial(place)
    speak(call, cupboard, hum(600), 600)
    until(lambda: the_recordings(place) == ["announced"], 30, "it is announced")
    until(lambda: len(cupboard.fetched) > 0, 60, "the worker has tried")
    assert the_recordings(place) == ["announced"]
    assert not cupboard.forgotten, "the source was told to forget what was not kept"
    place.stop("worker")
    place.start("worker")  # where there is room
    until(lambda: is_reviewable(place), 120, "kept once there is room")
    assert [round(sound.seconds) for sound in sounds(place.archive, "cm_test", call.caller)] == [600]


def test_a_full_disk_under_the_records_is_a_kind_sentence_and_the_same_turn_later(place: Town) -> None:
    place.start("web")
    call = dial(place)
    call.press("1")
    call.press("#")
    limit(place, "web", 65_536)  # less than the records have already
    call.press("1", follows=False)
    assert call.is_asked_for_patience
    call.wait_free()
    assert call.is_asked_for_patience
    assert outcome(place.archive, "cm_test", call.caller).captures == ()
    limit(place, "web", resource.RLIM_INFINITY)
    call.wait_free()
    assert not call.is_asked_for_patience
    place.start("worker")
    until(lambda: outcome(place.archive, "cm_test", call.caller).ballots != (), 60, "the ballot is counted")
    assert outcome(place.archive, "cm_test", call.caller).ballots == ((1, "tp_电梯", "agree"),)


def the_recordings(place: Town) -> list[str]:
    """The states of all recordings."""
    with place.archive.database.read() as session:
        return list(session.scalars(select(Recording.state)))


def limit(place: Town, name: str, most_bytes: int) -> None:
    """No file of this process may grow beyond so many bytes: to it, the disk is full."""
    resource.prlimit(place.pid(name), resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def test_a_full_disk_under_the_exchange_keeps_what_fitted_and_says_so_kindly(tmp_path: Path) -> None:
    with town(tmp_path, speed=25) as place:
        enrich(place.archive, found_community(place.archive))
        for name in ("web", "worker", "exchange"):
            place.start(name)
        caller = "+8613400000001"
        asyncio.run(speak_onto_a_full_disk(place, caller))
        until(lambda: sounds(place.archive, "cm_test", caller) != [], 60, "what fitted is brought home")
        (kept,) = sounds(place.archive, "cm_test", caller)
        assert 4 <= kept.seconds <= 13
        until(lambda: len(outcome(place.archive, "cm_test", caller).opinions) == 1, 60, "it counts")


async def speak_onto_a_full_disk(place: Town, caller: str) -> None:
    """Half a minute of speech, on a disk that takes some twelve seconds of it."""
    async with lifted(place, caller) as elder:
        await elder.press("2", "1", "#")
        await elder.phone.wait_for_speech()
        limit(place, "exchange", 200_000)
        await elder.phone.speak(tone(180, 30.0))
        await elder.phone.press("#")
        await elder.hears_on("kept")
        await elder.phone.hang_up()
