"""The placer and a line with all its moods: killed anywhere, asked by two at once, nobody is called twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ivr.outbound.door import CallsDoor
from sync.archive import Archive
from sync.placing.claiming import claim, not_placed
from sync.placing.policy import change_placing
from sync.records.tables import Community
from tests.placing.twilio_api import TwilioApi
from tests.placing.world import ELDER, TEN, World
from tests.traps import Killed, Trap

NUMBERS = tuple(f"+861380013{n:04}" for n in range(8000, 8012))
STEPS = 60  # more than there are


# --- killed ---
def test_killed_anywhere_a_placer_calls_once_a_try_and_in_the_end_everybody(any_world: World) -> None:
    """Each resident is rung after the placer was killed one step later than for the one before."""
    world = any_world
    world.set(missed_calls="canceled", calls_a_day=10_000, quiet_hours=[])
    for step in range(1, STEPS):
        number = f"+8613800{step:06}"
        before = len(world.api.calls)
        world.rings_once(number)
        if not _killed_at(world, step):
            break
        _be_called(world, number, before)
    else:
        raise AssertionError(f"the placer takes more than {STEPS} steps")
    assert step > 8
    assert set(world.states()) <= {"reached", "calling"}


def _killed_at(world: World, step: int) -> bool:
    world.clock.pass_by(seconds=6)
    with pytest.MonkeyPatch.context() as patch:
        trap = Trap(step)
        trap.around_transactions(world.archive, patch)
        patch.setattr(CallsDoor, "place", trap.around(CallsDoor.place))
        try:
            world.placer.gather()
            world.placer.resolve()
            world.placer.place_next()
        except Killed:
            return True
    return False


def _be_called(world: World, number: str, before: int) -> None:
    """The next placer goes on; whoever is rung does not answer the first time and does the second."""
    for _ in range(5):
        for call in world.api.calls[before:]:
            if call.status == "queued":
                tries = call["Url"].rpartition("=")[2]
                world.api.play(world.client, call, end="no-answer" if tries == "1" else "completed")
        world.look(seconds=400)
    urls = [call["Url"] for call in world.api.calls[before:] if call["To"] == number]
    assert 1 <= len(urls) <= 2
    assert len(set(urls)) == len(urls)
    if not any("try=2" in url for url in urls):  # the second was lost, with the one who asked for it
        assert world.placed()[-1].tries == 2


@pytest.mark.slow
def test_a_real_kill_while_the_line_answers_leaves_one_call(
    archive: Archive, community: Community, api: TwilioApi, tmp_path: Path
) -> None:
    world = World(archive, api)
    world.set(missed_calls="canceled", quiet_hours=[])
    world.clock.now = _now() - timedelta(seconds=30)
    world.rings_once()
    api.may_answer.clear()
    environment = {
        **os.environ, "TINGJIAN_HOME": str(tmp_path), "DATABASE_URL": f"sqlite:///{tmp_path}/records.db",
        "TINGJIAN_OUT_LINE": "twilio", "TINGJIAN_OUT_URL": api.base, "TWILIO_ACCOUNT_SID": "AC1",
        "TWILIO_AUTH_TOKEN": api.token, "PUBLIC_BASE_URL": "https://phone.example.org",
    }  # fmt: skip
    command = [sys.executable, "-m", "admin", "placer"]
    first = subprocess.Popen(command, env=environment)
    try:
        assert api.came.wait(60), "the placer never asked"
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    api.may_answer.set()
    second = subprocess.Popen(command, env=environment)
    try:
        _until(lambda: (tmp_path / "placer.alive").exists())
        alive = (tmp_path / "placer.alive").stat().st_mtime
        _until(lambda: (tmp_path / "placer.alive").stat().st_mtime > alive + 3)
    finally:
        second.terminate()
        assert second.wait(20) == 0
    assert len(api.calls) == 1
    assert (world.states(), [one.sid for one in world.tries()]) == (["calling"], [None])
    world.clock.now = _now()
    world.api.play(
        world.client, api.calls[0], keys="1"
    )  # the call goes on though nobody waits for its answer
    assert world.states() == ["reached"]


# --- a line with moods ---
def test_an_answer_that_was_lost_is_not_asked_for_again(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    world.api.moods = ["mute"]
    (order,) = world.look()
    assert world.tries()[0].sid is None
    assert world.look(times=3) == []
    world.api.ring(world.client, order)
    assert world.tries()[0].sid == order.sid
    order.status = "no-answer"  # its end is never told: after some minutes we ask
    (again,) = world.look(times=6, seconds=290)
    assert [one.status for one in world.tries()] == ["no-answer", "queued"]
    world.api.play(world.client, again, keys="1")
    assert world.states() == ["reached"]


def test_what_may_have_been_placed_counts_as_a_try_and_late_news_of_it_is_believed(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    world.api.moods = ["slam", "mute"]
    assert world.look() == []
    (order,) = world.look(times=2, seconds=700)
    assert [one.status for one in world.tries()] == ["lost", "asked"]
    assert world.look(times=4, seconds=700) == []
    assert world.states() == ["unreached"]
    phone = world.api.ring(world.client, order).answered(order["Url"], AnsweredBy="human")
    assert phone.waits == "Gather"
    assert world.states() == ["reached"]


def test_a_line_that_is_away_or_full_or_set_wrongly_uses_up_no_try(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    base, world.api.base = world.api.base, "http://127.0.0.1:1"
    assert world.look() == []
    assert [one.problem for one in world.placed()] == ["no_connection"]
    world.api.base, world.api.moods = base, [20429, 401]
    assert world.look(times=2, seconds=30) == []
    assert world.placed()[0].problem == "line_401"
    assert world.tries() == []
    assert len(world.look(seconds=700)) == 1
    assert world.placed()[0].tries == 1


def test_a_number_that_the_line_can_never_call_is_left(world: World) -> None:
    world.set(missed_calls="canceled")
    world.rings_once()
    world.api.moods = [21211]
    assert world.look(times=5, seconds=3600) == []
    assert [(one.state, one.problem) for one in world.placed()] == [("refused", "line_21211")]


def test_a_wish_that_nobody_could_fulfil_in_time_is_over(world: World) -> None:
    world.set(missed_calls="canceled", calls_a_day=0)
    world.rings_once()
    assert world.look(times=3, seconds=3600) == []
    assert world.placed()[0].problem == "community_cap"
    world.clock.pass_by(hours=30)
    assert world.look() == []
    assert world.states() == ["expired"]


# --- caps, and two at once ---
def test_no_more_calls_are_placed_than_the_installation_allows(world: World) -> None:
    world.set(missed_calls="canceled")
    world.most_everywhere = 3
    for number in NUMBERS[:6]:
        world.rings_once(number)
    assert len(world.look(times=10)) == 3
    world.clock.pass_by(hours=23)
    for number in NUMBERS[6:9]:
        world.rings_once(number)
    assert len(world.look(times=10, seconds=1200)) == 3


def test_two_placers_never_place_one_try_twice_nor_pass_a_cap(any_world: World) -> None:
    world = any_world
    world.set(missed_calls="canceled", calls_a_day=9)
    for number in NUMBERS:
        world.rings_once(number)
    world.clock.pass_by(seconds=6)
    claimed: list[tuple[str, int]] = []

    def work() -> None:
        while (one := claim(world.archive, "twilio", world.clock(), 500)) is not None:
            claimed.append((one.placed_id, one.n))

    hands = [threading.Thread(target=work) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join(60)
    assert len(claimed) == len(set(claimed)) == 9
    assert Counter(world.states()) == {"calling": 9, "waiting": 3}


def test_two_wishes_of_one_number_are_fulfilled_one_after_the_other(world: World) -> None:
    world.set(missed_calls="canceled", reply_calls=True)
    world.replies(world.speaks())
    world.placer.gather()
    world.rings_once()
    (first,) = world.look(times=4)
    world.api.play(world.client, first, keys="1")
    assert sorted(world.states()) == ["reached", "waiting"]
    (second,) = world.look(times=10)
    assert first["To"] == second["To"] == ELDER
    assert first["Url"] != second["Url"]


def test_a_number_known_in_two_communities_is_rung_by_one_at_a_time_and_counted_once(
    any_world: World,
) -> None:
    world, other = any_world, "+8657187654321"
    with world.archive.database.begin() as session:
        session.add(Community(id="cm_other", name="柳树村", dialled_number=other, created_at=TEN))
        session.flush()
        change_placing(session, "cm_other", "missed_calls", "canceled", "test")
        change_placing(session, "cm_other", "calls_a_number", 2, "test")
    world.set(missed_calls="canceled")
    world.rings_once()
    world.rings_once(dialled=other)
    world.clock.pass_by(seconds=6)
    claimed = [claim(world.archive, "twilio", world.clock(), 500) for _ in range(3)]
    assert [one is not None for one in claimed] == [True, False, False]
    assert [(one.state, one.problem) for one in world.placed()].count(("waiting", "engaged")) == 1
    assert claimed[0]
    not_placed(world.archive, claimed[0], "line_20429", world.clock(), world.clock())
    first, second = world.look(times=2), []
    for order in first:
        world.api.play(world.client, order, keys="1")
    second = world.look(times=8)
    for order in second:
        world.api.play(world.client, order, keys="1")
    assert [one["To"] for one in first + second] == [ELDER, ELDER]
    assert {one["From"] for one in first + second} == {other, "+8657112345678"}
    world.rings_once(dialled=other)  # twice today, by whomever: that is enough for this community
    assert world.look(times=3) == []
    assert world.placed()[-1].problem == "number_cap"


def _until(is_done: Callable[[], bool], seconds: float = 60.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not is_done():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)


def _now() -> Any:
    from ivr.outbound.placer import utc_now

    return utc_now()
