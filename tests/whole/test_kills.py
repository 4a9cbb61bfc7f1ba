"""kill -9 between any two steps, then start again: all that was acknowledged is there, exactly once."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import aiohttp
import numpy as np
import pytest

from admin.parts import open_clips
from ivr.exchange.errors import ExchangeError
from ivr.exchange.sound import tone
from ivr.prompts.render import render
from speech.audio import Audio, write_phone_wav
from sync.people import find_number
from tests.conftest import COMMUNITY_NUMBER, found_community
from tests.prompts.rich import enrich
from tests.prompts.tone_synthesizer import ToneSynthesizer
from tests.whole import steps
from tests.whole.caller import PlatformCall, Shelf, shelf
from tests.whole.outcome import Outcome, outcome, sounds
from tests.whole.phones import lifted
from tests.whole.town import PLATFORM, PLATFORM_TOKEN, Town, town, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

_callers = itertools.count(1)
EXPECTED = Outcome(
    ballots=((1, "tp_电梯", "agree"),),
    reactions=(("op_丙", "agree"), ("op_乙", "disagree")),
    consents=(("neighbours_voice", "pressed"), ("recording", "pressed")),
    opinions=(("tp_电梯", "opinion", "review", "received", "voice", 1, 1),),
    receipts=("########",),
    recordings=(("stored", True, True),),
    requests=0,
    captures=(
        ("ballot", "merged", 1),
        ("consent", "merged", 1),
        ("opinion", "merged", 1),
        ("reaction", "merged", 2),
        ("release", "merged", 1),
    ),
    created=(("ballot", "created", 1), ("opinion", "created", 1), ("reaction", "created", 2)),
)


def voice(seconds: float) -> bytes:
    """A recording as a phone line delivers it."""
    moments = np.arange(int(seconds * 8000)) / 8000
    hum = 0.3 * np.sin(2 * np.pi * 180 * moments) * (np.sin(2 * np.pi * 3 * moments) > 0)
    return write_phone_wav(Audio(hum.astype(np.float32), 8000))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    """Two towns, in which processes die at the same time."""
    with town(tmp_path_factory.mktemp("one")) as one, town(tmp_path_factory.mktemp("other")) as other:
        for place in (one, other):
            enrich(place.archive, found_community(place.archive))
            place.start("redis")
        yield [one, other]


@pytest.fixture(scope="module")
def lanes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Town]]:
    """A town with two exchanges, whose time runs 12 times faster: more, and a busy machine is a slow
    caller.
    """
    with town(tmp_path_factory.mktemp("fast"), speed=12) as place:
        enrich(place.archive, found_community(place.archive))
        render(place.archive, open_clips(place.settings, place.archive), ToneSynthesizer(), "cm_test")
        place.start("redis")
        other = place.beside("2")
        yield [place, other]
        other.stop("exchange")


def at_once(places: list[Town], points: range, act: Callable[[Town, int], None]) -> None:
    """Do this at every point, dealt out to the places, which go on beside each other."""

    def some(number: int) -> None:
        for point in points[number :: len(places)]:
            act(places[number], point)

    with ThreadPoolExecutor(len(places)) as pool:
        list(pool.map(some, range(len(places))))


@pytest.fixture(scope="module")
def cupboard() -> Iterator[Shelf]:
    with shelf() as kept:
        yield kept


def whole_call(place: Town, kept: Shelf, revive: bool) -> str:
    """One call with a ballot, an opinion and two reactions; the caller's number."""
    caller = f"+86139{next(_callers):08}"
    sid = f"CA{caller[1:]}"
    sound = f"RE{caller[1:]}"
    kept.sounds[sound] = voice(3)
    call = PlatformCall(
        place.base,
        PLATFORM,
        PLATFORM_TOKEN,
        sid,
        caller,
        COMMUNITY_NUMBER,
        revive=lambda: place.raise_up("web") if revive else None,
    )
    call.begin()
    for key in ("1", "#", "1", "2", "1"):
        call.press(key)
    call.speak(sound, kept.url(sound), 3)
    for key in ("1", "2", "1", "#", "1", "#", "2"):
        call.press(key)
    call.hang_up()
    return caller


def settled(place: Town, caller: str) -> Outcome:
    """What is in the records once the worker has nothing left to do for this caller."""
    until(lambda: is_settled(place, caller), 30, f"the records of {caller} settle")
    return outcome(place.archive, "cm_test", caller).without_receipts


def is_settled(place: Town, caller: str) -> bool:
    """Whether everything of this caller is merged, fetched, acknowledged and turned into words."""
    now = outcome(place.archive, "cm_test", caller)
    return (
        [one[2] for one in now.opinions] == ["review"]
        and all(is_told for _, _, is_told in now.recordings)
        and not any(state == "pending" for _, state, _ in now.captures)
    )


def kill_points(place: Town, name: str) -> range:
    """Every step that a process took since it was last started."""
    return range(1, len(steps.taken(place.log(name))) + 1)


def test_web_may_die_between_any_two_steps_of_a_call(places: list[Town], cupboard: Shelf) -> None:
    for place in places:
        place.start("worker")
    places[0].start("web")
    assert settled(places[0], whole_call(places[0], cupboard, revive=False)) == EXPECTED
    points = kill_points(places[0], "web")
    assert len(points) > 40
    callers = {}

    def call(place: Town, point: int) -> None:
        place.stop("web")
        place.start("web", die_at=point)
        callers[point] = place, whole_call(place, cupboard, revive=True)

    at_once(places, points, call)
    assert sum(place.deaths["web"] for place in places) == len(points) == len(callers)
    for point, (place, caller) in callers.items():
        assert settled(place, caller) == EXPECTED, f"killed before step {point}"
        assert [round(sound.seconds) for sound in sounds(place.archive, "cm_test", caller)] == [3]
    for place in places:
        place.stop("worker")
        place.stop("web")


def test_a_worker_may_die_between_any_two_steps_of_its_jobs(places: list[Town], cupboard: Shelf) -> None:
    for place in places:
        place.start("web")
    place = places[0]
    caller = whole_call(place, cupboard, revive=False)
    place.start("worker")
    assert settled(place, caller) == EXPECTED
    place.stop("worker")
    points = kill_points(place, "worker")
    assert {"commit", "file fsync", "file replace", "send GET", "sent GET", "send DELETE"} <= set(
        steps.taken(place.log("worker"))
    )

    def work(place: Town, point: int) -> None:
        caller = whole_call(place, cupboard, revive=False)
        place.start("worker", die_at=point)
        until(lambda: place.was_killed("worker") or is_settled(place, caller), 30, f"step {point}")
        place.raise_up("worker", dying_seconds=3.0)  # its last steps come after all is settled
        assert settled(place, caller) == EXPECTED, f"killed before step {point}"
        assert [round(sound.seconds) for sound in sounds(place.archive, "cm_test", caller)] == [3]
        place.stop("worker")

    at_once(places, points, work)
    died = sum(place.deaths["worker"] for place in places)
    assert died >= len(points) - 2  # fewer commits when captures share a batch
    assert not cupboard.sounds
    for place in places:
        place.stop("web")


SPOKEN_SECONDS = 4.0


async def exchange_call(place: Town, caller: str) -> list[str]:
    """A ballot and an opinion over the exchange; what the caller knows to be acknowledged in the end."""
    reached: list[str] = []
    try:
        async with lifted(place, caller) as elder:
            elder.reached = reached
            await elder.press("1", "#", "1")
            await elder.hears_on("voted")
            await elder.press("2", "1")
            await elder.speak(tone(180, SPOKEN_SECONDS))
            await elder.hears_on("spoke")
            await elder.press("1", "2")
            await elder.hears_on("released")
            await elder.phone.hang_up()
    except (ExchangeError, aiohttp.ClientError, ConnectionError):
        reached.append("died")
    return reached


def test_the_exchange_may_die_between_any_two_steps_of_a_call(lanes: list[Town]) -> None:
    place = lanes[0]
    for name in ("web", "worker", "exchange"):
        place.start(name)
    baseline = "+8613700000000"
    assert asyncio.run(exchange_call(place, baseline)) == ["voted", "spoke", "released"]
    until(lambda: is_settled(place, baseline), 30, "the first call settles")
    points = kill_points(place, "exchange")
    assert len(points) > 30
    reached = {}

    def call(lane: Town, point: int) -> None:
        lane.stop("exchange")
        lane.start("exchange", die_at=point)
        reached[point] = asyncio.run(exchange_call(lane, f"+86137{point:08}"))
        lane.raise_up("exchange")

    at_once(lanes, points, call)
    died = sum(lane.deaths["exchange"] for lane in lanes)
    assert died >= len(points) - 8  # a late step may come after the call
    for point in points:
        check_survivors(place, f"+86137{point:08}", reached[point], point)
    for kind in ("tape", "errand"):
        left = f"spool*/**/*.{kind}"
        until(lambda left=left: not list(place.plan.home.glob(left)), 30, f"every {kind} is taken over")  # type: ignore[misc]


def check_survivors(place: Town, caller: str, reached: list[str], point: int) -> None:
    """What was acknowledged is there once; what was not is there once or not at all; nothing is half done."""
    where = f"killed before step {point}, reached {reached}"
    if not has_called(place, caller):
        assert "voted" not in reached, where
        return
    until(lambda: is_quiet(place, caller), 60, f"the records settle: {where}")
    ended = outcome(place.archive, "cm_test", caller)
    vote = ((1, "tp_电梯", "agree"),)
    assert ended.ballots == vote if "voted" in reached else ended.ballots in ((), vote), where
    heard = [sound.seconds for sound in sounds(place.archive, "cm_test", caller)]
    assert len(heard) == len(ended.opinions) <= 1, where
    assert all(recording == ("stored", True, True) for recording in ended.recordings), where
    if "spoke" in reached:
        assert heard == [pytest.approx(SPOKEN_SECONDS, abs=0.3)], where
    if "released" in reached:
        assert ended.opinions[0][4] in ("voice", "words"), where  # words: the machine pressed a menu late
    assert max((count for _, _, count in ended.captures), default=0) <= 1, where


def has_called(place: Town, caller: str) -> bool:
    """Whether web has heard of this caller."""
    with place.archive.database.read() as session:
        return find_number(session, place.archive, "cm_test", caller) is not None


def is_quiet(place: Town, caller: str) -> bool:
    """Whether nothing of this caller waits to be done."""
    now = outcome(place.archive, "cm_test", caller)
    return (
        all(one[2] == "review" for one in now.opinions)
        and all(recording == ("stored", True, True) for recording in now.recordings)
        and not any(state == "pending" for _, state, _ in now.captures)
    )
