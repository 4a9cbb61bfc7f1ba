"""The announcer over a village: once each, never unapproved, never at night, always seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync import broadcasting
from sync.archive import Archive
from sync.community_settings import change_setting
from sync.records.tables import Loudspeaker
from tests.broadcast.studio import COMMUNITY, LI, NOTICE, WANG, Hand, Village, copied_archive, local
from tests.conftest import found_community

EVENING = "2026-05-06 18:29"


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    yield from copied_archive(tmp_path)


@pytest.fixture
def village(archive: Archive, tmp_path: Path) -> Village:
    one = Village(archive, tmp_path, Hand(local(EVENING)))
    one.loudspeakers("村口1号", "村口2号", area="村口")
    return one


@pytest.mark.parametrize("base", ["archive", pytest.param("postgres_archive", marks=pytest.mark.slow)])
def test_what_is_approved_is_played_once_on_every_loudspeaker_when_it_is_due(
    base: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    its = request.getfixturevalue(base)
    if base != "archive":
        found_community(its)
    village = Village(its, tmp_path, Hand(local(EVENING)))
    village.loudspeakers("村口1号", "村口2号", area="村口")
    village.loudspeakers("学校", area="学校", volume=35)
    village.schedule(village.programme(), "18:30", repeats=2)
    announcer = village.announcer()
    village.look(announcer, rounds=5, seconds=9)
    assert village.devices.given == []
    village.look(announcer, rounds=12, seconds=5)
    assert sorted(village.devices.sounded()) == [
        (name, "停水") for name in sorted(("村口1号", "村口2号", "学校"))
    ]
    job = next(one for one in village.devices.given if one.loudspeaker.name == "学校")
    assert (job.loudspeaker.volume, job.repeat, job.at) == (35, 2, local("2026-05-06 18:30"))
    assert job.sound.path.read_bytes()[:2] == b"\xff\xf3"  # an MP3
    told = village.told()
    assert (told.state, told.loudspeakers, told.played, told.silent) == ("done", 3, 3, ())
    village.hand.pass_by(days=1)
    village.look(announcer, rounds=10, seconds=12)
    assert len(village.devices.given) == 6  # the next evening again


def test_an_area_a_group_and_a_paused_loudspeaker(village: Village) -> None:
    village.loudspeakers("学校", area="学校")
    village.schedule(village.programme(), "18:30", areas=("村口",))
    with village.archive.database.begin() as session:
        paused = session.query(Loudspeaker).filter_by(name="村口1号").one().id
        broadcasting.set_loudspeaker_state(session, WANG, paused, "paused")
    village.look(village.announcer(), rounds=10, seconds=15)
    assert village.devices.sounded() == [("村口2号", "停水")]


def test_nothing_unapproved_is_played_and_it_waits_for_approval_as_long_as_it_may(village: Village) -> None:
    unread, late = (
        village.programme("没人看过", is_approved=False),
        village.programme("晚批", is_approved=False),
    )
    village.schedule(unread, "18:30")
    village.schedule(late, "18:31")
    announcer = village.announcer()
    village.look(announcer, rounds=20, seconds=15)
    assert village.devices.given == []
    village.approve(late)
    village.look(announcer, rounds=3)
    assert {title for _, title in village.devices.sounded()} == {"晚批"}
    village.look(announcer, rounds=6, seconds=100)
    assert village.airings() == [("missed", "not_approved"), ("done", None)]


def test_a_change_after_approval_is_silence_until_somebody_listens_again(village: Village) -> None:
    programme_id = village.programme()
    village.schedule(programme_id, "18:30")
    with village.archive.database.begin() as session:
        broadcasting.edit(session, WANG, programme_id, 1, village.hand.at, items=(*NOTICE, *NOTICE))
    announcer = village.announcer()
    village.look(announcer, rounds=10, seconds=15)
    assert village.devices.given == []
    village.render()
    village.approve(programme_id)
    village.look(announcer)
    assert len(village.devices.given) == 2


def test_who_stays_silent_is_named_and_a_late_word_still_counts(village: Village) -> None:
    village.devices.moods = {"村口2号": "silent"}
    village.schedule(village.programme(), "18:30")
    announcer = village.announcer()
    village.look(announcer, rounds=10, seconds=15)
    assert village.told().waiting == 1
    village.look(announcer, rounds=10, seconds=90)
    told = village.told()
    assert (told.state, told.loudspeakers, told.played, told.silent) == ("done", 2, 1, ("村口2号",))
    assert ("unknown", "no_answer") in village.plays()
    with village.archive.database.read() as session:
        (ill,) = [one.name for one in broadcasting.unwell(session, COMMUNITY, village.hand.at)]
    assert ill == "村口2号"
    job = next(one for one in village.devices.given if one.loudspeaker.name == "村口2号")
    village.devices.tell(job, "finished", village.hand.at)
    village.look(announcer)
    assert village.told().played == 2


def test_one_that_can_not_be_reached_has_failed_and_the_others_play(village: Village) -> None:
    village.devices.moods = {"村口1号": "broken"}
    village.schedule(village.programme(), "18:30")
    village.look(village.announcer(), rounds=10, seconds=15)
    assert sorted(village.plays(), key=str) == [("failed", "unreachable"), ("finished", None)]
    assert village.told().silent == ("村口1号",)


def test_a_kind_that_breaks_does_not_silence_the_others(village: Village) -> None:
    with village.archive.database.begin() as session:
        address = {"group": "239.255.70.1", "port": 10010}
        broadcasting.add_loudspeaker(
            session, village.archive, WANG, "学校", "multicast", village.hand.at, address=address
        )
    village.schedule(village.programme(), "18:30")
    village.broken_kinds = ("multicast",)
    village.look(village.announcer(), rounds=10, seconds=15)
    assert sorted(village.plays(), key=str) == [("failed", "no_adapter")] + [("finished", None)] * 2
    assert village.told().silent == ("学校",)


def test_a_missed_programme_is_not_made_up_for_at_night(village: Village) -> None:
    programme_id = village.programme()
    village.schedule(programme_id, "18:30")
    village.schedule(programme_id, "20:59", repeats=5)  # would end at night
    village.schedule(programme_id, "23:00")
    announcer = village.announcer()
    village.hand.pass_by(hours=1)  # the machine was off
    village.look(announcer)
    village.hand.pass_by(hours=1, minutes=29)
    village.look(announcer, rounds=6, seconds=100)
    village.hand.pass_by(hours=2)
    village.look(announcer, rounds=6, seconds=100)
    assert village.devices.given == []
    assert village.airings() == [("missed", "too_late"), ("missed", "quiet_hours"), ("missed", "quiet_hours")]


def test_a_clock_that_jumps_makes_nothing_loud_and_nothing_twice(village: Village) -> None:
    village.schedule(village.programme(), "18:30")
    announcer = village.announcer()
    village.look(announcer, rounds=4, seconds=20)
    assert len(village.devices.given) == 2
    village.hand.jump(hours=-1)
    village.look(announcer, rounds=14, seconds=300)  # half past six comes again
    assert len(village.devices.given) == 2
    village.hand.pass_by(hours=7)  # past one at night
    village.look(announcer, rounds=1)
    village.hand.jump(hours=-8)  # and the clock says that it is evening
    village.schedule(village.programme("夜里"), "17:30", "18:50")
    village.look(announcer, rounds=30, seconds=240)
    assert len(village.devices.given) == 2
    assert village.airings()[:2] == [("done", None), ("missed", "clock_jumped")]
    village.hand.pass_by(hours=22)
    village.look(announcer, rounds=20, seconds=240)
    assert len(village.devices.given) == 6  # a day later it is evening by either reckoning


def test_an_emergency_cuts_in_at_any_hour_and_the_rest_comes_after_it(village: Village) -> None:
    village.schedule(village.programme("新闻"), "18:30")
    alarm = village.programme("涨水", priority="emergency")
    village.devices.moods = {"村口1号": "sounds", "村口2号": "sounds"}
    announcer = village.announcer()
    village.look(announcer, rounds=7, seconds=10)
    news = {one.airing_id for one in village.devices.given}
    village.devices.moods = {}
    assert village.cut_in(alarm, repeats=1) == village.cut_in(alarm, repeats=1)  # the form came twice
    village.look(announcer, rounds=2)
    assert set(village.devices.stopped) == news
    assert [title for _, title in village.devices.sounded()] == ["新闻", "新闻", "涨水", "涨水"]
    village.look(announcer, rounds=12, seconds=10)
    assert [title for _, title in village.devices.sounded()][4:] == ["新闻", "新闻"]
    assert village.airings() == [("cut", "emergency"), ("done", None), ("done", None)]
    village.hand.pass_by(hours=8)
    village.cut_in(alarm, "form 2", repeats=1)
    village.look(announcer)
    assert [title for _, title in village.devices.sounded()][6:] == ["涨水", "涨水"]


def test_two_at_once_come_one_after_the_other(village: Village) -> None:
    village.devices.moods = {"村口1号": "sounds", "村口2号": "sounds"}
    village.schedule(village.programme("先来"), "18:30")
    village.schedule(village.programme("后到"), "18:30")
    announcer = village.announcer()
    village.look(announcer, rounds=4, seconds=20)
    first = {title for _, title in village.devices.sounded()}
    assert len(first) == 1
    village.look(announcer, rounds=4, seconds=20)
    assert {title for _, title in village.devices.sounded()} == {"先来", "后到"}
    assert len(village.devices.given) == 4


def test_silence_at_a_key_press(village: Village) -> None:
    village.devices.moods = {"村口1号": "sounds", "村口2号": "sounds"}
    village.schedule(village.programme(), "18:30")
    announcer = village.announcer()
    village.look(announcer, rounds=7, seconds=10)
    with village.archive.database.begin() as session:
        broadcasting.stop_airing(session, LI, village.devices.given[0].airing_id, village.hand.at)
    village.look(announcer)
    assert village.plays() == [("cut", "stopped")] * 2
    assert village.devices.stopped == [village.devices.given[0].airing_id]


def test_played_by_hand_but_not_at_night(village: Village) -> None:
    programme_id, announcer = village.programme(), village.announcer()
    with village.archive.database.begin() as session:
        broadcasting.play_now(session, WANG, programme_id, "form 1", village.hand.at)
    village.look(announcer)
    assert len(village.devices.given) == 2
    village.hand.pass_by(hours=4)
    with village.archive.database.begin() as session:
        broadcasting.play_now(session, WANG, programme_id, "form 2", village.hand.at)
    village.look(announcer)
    assert village.airings() == [("done", None), ("missed", "quiet_hours")]


def test_a_community_keeps_its_own_hours(village: Village) -> None:
    with village.archive.database.begin() as session:
        change_setting(session, COMMUNITY, "broadcast_quiet_hours", "18:00-08:00", "st_wang")
    village.schedule(village.programme(), "18:30")
    village.look(village.announcer(), rounds=10, seconds=15)
    assert village.airings() == [("missed", "quiet_hours")]
