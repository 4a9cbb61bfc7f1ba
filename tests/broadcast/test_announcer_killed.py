"""Killed at any step, the announcer that starts again plays all once, or it is known that it did not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from sync import broadcasting
from sync.archive import Archive
from sync.records.tables import Airing, Play, Programme
from tests.broadcast.studio import WANG, Hand, TamedLoudspeakers, Village, copied_archive, local
from tests.sync.test_killed import Killed, Trap

STEPS = 200  # more than there are


class Grave(Trap):
    """A trap that stays shut: who died does not go on in another thread or task."""

    def pass_by(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Killed


@contextmanager
def traps(trap: Grave, archive: Archive) -> Iterator[None]:
    """A step before, in and after every transaction that writes, every job and every stop."""
    begin = archive.database.begin

    @contextmanager
    def watched() -> Iterator[Session]:
        trap.pass_by()
        with begin() as session:
            yield session
            trap.pass_by()
        trap.pass_by()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(archive.database, "begin", watched)
        for name in ("air", "stop"):
            act = getattr(TamedLoudspeakers, name)

            async def acted(self: TamedLoudspeakers, given: object, act: object = act) -> None:
                trap.pass_by()
                await act(self, given)  # type: ignore[operator]
                trap.pass_by()

            patch.setattr(TamedLoudspeakers, name, acted)
        yield


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from copied_archive(tmp_path)


@pytest.fixture
def village(archive: Archive, tmp_path: Path) -> Village:
    one = Village(archive, tmp_path, Hand(local("2026-05-06 15:00")))
    one.loudspeakers("村口1号", "村口2号")
    return one


def kill_at_every_step(village: Village, news: str, alarm: str, stride: int = 1) -> Iterator[tuple[str, str]]:
    """News that are on the air, an emergency that cuts in, a kill somewhere, a fresh start: both airings."""
    for step in range(1, STEPS, stride):
        village.hand.pass_by(minutes=3)
        village.devices.given.clear()
        village.devices.moods = {"村口1号": "sounds", "村口2号": "sounds"}
        with village.archive.database.begin() as session:
            first = broadcasting.play_now(session, WANG, news, f"news {step}", village.hand.at)
        village.look(village.announcer(), rounds=1)
        village.devices.moods = {}
        second = village.cut_in(alarm, f"alarm {step}", repeats=1)
        trap = Grave(step)
        with traps(trap, village.archive), contextmanager(_dying)():
            village.look(village.announcer(), rounds=2)
        after = village.announcer(f"the one after {step}")
        village.look(after, rounds=2)
        village.look(after, rounds=2, seconds=60)
        yield first, second
        if trap.left > 0:
            assert step > 20
            return
    raise AssertionError("it never ends")


def _dying() -> Iterator[None]:
    try:
        yield
    except Killed:
        return


def states(village: Village, airing_id: str) -> list[str]:
    with village.archive.database.read() as session:
        return list(session.scalars(select(Play.state).where(Play.airing_id == airing_id)))


def given(village: Village, airing_id: str) -> Counter[str]:
    return Counter(one.play_id for one in village.devices.given if one.airing_id == airing_id)


@pytest.mark.slow
def test_loudspeakers_that_know_a_job_again_play_each_programme_exactly_once(village: Village) -> None:
    news, alarm = village.programme("新闻"), village.programme("涨水", priority="emergency")
    for first, second in kill_at_every_step(village, news, alarm):
        assert states(village, first) == ["cut"] * 2
        assert states(village, second) == ["finished"] * 2
        assert list(given(village, second).values()) == [1, 1]
        with village.archive.database.read() as session:
            (again,) = session.scalars(select(Airing).where(Airing.resumes_id == first)).all()
        assert again.state == "done"
        assert list(given(village, again.id).values()) == [1, 1]


@pytest.mark.slow
def test_others_play_at_most_once_and_where_nobody_knows_that_is_what_is_said(
    archive: Archive, tmp_path: Path
) -> None:
    village = Village(archive, tmp_path, Hand(local("2026-05-06 15:00")), knows_repeats=False)
    village.loudspeakers("村口1号", "村口2号")
    news, alarm = village.programme("新闻"), village.programme("涨水", priority="emergency")
    for _, second in kill_at_every_step(village, news, alarm, stride=3):
        assert set(states(village, second)) <= {"finished", "unknown"}
        counted = given(village, second)
        assert all(times == 1 for times in counted.values())
        assert len(counted) >= states(village, second).count("finished")


def test_a_second_announcer_stands_by(any_archive: Archive, tmp_path: Path) -> None:
    from ivr.broadcast.alone import Alone

    first, second = Alone(any_archive.database, tmp_path), Alone(any_archive.database, tmp_path)
    elsewhere = Alone(any_archive.database, tmp_path / "another home")
    assert first.take()
    assert not second.take()
    if not any_archive.database.is_sqlite:
        assert not elsewhere.take()
    assert first.is_held()
    first.release()
    assert not first.is_held()
    assert second.take()
    second.release()
    elsewhere.release()


def test_a_sound_half_made_is_made_again_and_an_approved_one_that_is_lost_too(
    archive: Archive, tmp_path: Path
) -> None:
    village = Village(archive, tmp_path, Hand(local("2026-05-06 18:20")))
    village.loudspeakers("村口1号")
    for step in range(1, STEPS):
        with village.archive.database.begin() as session:
            items = (broadcasting.Item("notice", f"第{step}个通知"),)
            programme_id = broadcasting.compose(session, WANG, f"第{step}个", items, village.hand.at)
        trap = Grave(step)
        with traps(trap, archive), contextmanager(_dying)():
            village.render()
        with archive.database.begin() as session:  # who held it is gone
            programme = session.get_one(Programme, programme_id)
            programme.next_try_at, programme.held_by = None, None
        village.render()
        with archive.database.read() as session:
            programme = session.get_one(Programme, programme_id)
        assert programme.sound_state == "ready"
        assert village.sounds.has(programme.sound_digest)
        if trap.left > 0:
            break
    village.approve(programme_id)
    village.schedule(programme_id, "18:30")
    village.sounds.delete(programme.sound_digest or "")
    announcer = village.announcer()
    village.look(announcer, rounds=2, seconds=20)
    village.render()
    village.look(announcer, rounds=10, seconds=120)
    assert len(village.devices.given) == 1
