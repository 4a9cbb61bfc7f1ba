"""When something is due, and when nothing may be loud: local time, clock changes, holidays, quiet hours."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.broadcast.clock import HELD_SECONDS, Clock, Look, Trust, recall, remember
from ivr.broadcast.timetable import (
    Hours,
    Plan,
    due_between,
    hours_of,
    is_holiday,
    is_workday,
    latest_begin,
    silent_because,
)

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
SHANGHAI = hours_of("Asia/Shanghai", {})
BERLIN = hours_of("Europe/Berlin", {"broadcast_quiet_hours": "", "broadcast_noon_rest": ""})


def plan(*times: str, first: str = "2026-01-01", last: str | None = None, **more: object) -> Plan:
    known = {"weekdays": (), "days": "all", "late_minutes": 10}
    return Plan("sc_1", times, first, last, **(known | more))  # type: ignore[arg-type]


def local(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def days(found: list[str], first: str, last: str, **more: object) -> None:
    due = due_between(plan("18:30", **more), SHANGHAI, local(f"{first} 00:00"), local(f"{last} 23:59"))
    assert [one.day.isoformat()[5:] for one in due] == found


def test_it_is_due_at_its_local_times_within_its_days_and_in_order() -> None:
    both = plan("18:30", "07:15", first="2026-05-02", last="2026-05-03")
    found = list(due_between(both, SHANGHAI, local("2026-05-01 00:00"), local("2026-05-09 00:00")))
    assert [(one.day.day, one.time) for one in found] == [
        (2, "07:15"),
        (2, "18:30"),
        (3, "07:15"),
        (3, "18:30"),
    ]
    assert found[0].at == datetime(2026, 5, 1, 23, 15, tzinfo=UTC)
    assert list(due_between(both, SHANGHAI, found[0].at, found[1].at)) == [found[1]]


def test_weekdays_holidays_and_the_weekends_worked_for_them() -> None:
    days(["05-04", "05-06"], "2026-05-01", "2026-05-08", weekdays=(0, 2))
    days(["10-08", "10-09", "10-10"], "2026-10-01", "2026-10-11", days="workdays")  # the 10th is a Saturday
    days(["10-08", "10-09", "10-10", "10-11"], "2026-10-01", "2026-10-11", days="no_holidays")
    days(["10-07", "10-11"], "2026-10-07", "2026-10-11", days="days_off")
    assert is_workday("CN", date(2026, 2, 14))
    assert is_holiday("CN", date(2026, 2, 17))
    assert not is_holiday("CN", date(2026, 2, 14))
    assert is_workday("", date(2026, 10, 1))
    assert is_holiday("CN", date(2031, 10, 1))  # no list is out yet: the days that are always free


def test_a_silent_day_has_no_programme() -> None:
    hours = hours_of("Asia/Shanghai", {"broadcast_silent_days": ["2026-06-07", "no day"]})
    due = due_between(plan("18:30"), hours, local("2026-06-06 00:00"), local("2026-06-08 23:00"))
    assert [one.day.day for one in due] == [6, 8]
    assert silent_because(hours, local("2026-06-07 10:00"), 60) == "silent_day"


def test_an_hour_that_comes_twice_holds_a_programme_once_and_one_left_out_still_has_it() -> None:
    day = "2026-10-25"  # 03:00 is 02:00 again in Berlin
    due = list(
        due_between(plan("02:30"), BERLIN, local(f"{day} 00:00"), local(f"{day} 23:00", "Europe/Berlin"))
    )
    assert len(due) == 1
    assert len({one.key("sc_1") for one in due}) == 1
    spring = list(due_between(plan("02:30"), BERLIN, local("2026-03-28 23:00"), local("2026-03-29 20:00")))
    assert [one.at.isoformat() for one in spring] == ["2026-03-29T01:30:00+00:00"]


@given(
    begin=st.integers(0, 700 * 1440).map(lambda minutes: NEW_YEAR + timedelta(minutes=minutes)),
    cuts=st.lists(st.integers(1, 4000), max_size=12),
    zone=st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "Australia/Lord_Howe"]),
)
def test_however_often_one_looks_each_moment_is_seen_once(
    begin: datetime, cuts: list[int], zone: str
) -> None:
    hours = Hours(ZoneInfo(zone), ())
    edges = [begin]
    for minutes in cuts:
        edges.append(edges[-1] + timedelta(minutes=minutes))
    every = plan("00:00", "02:30", "18:30")
    whole = [one.key("p") for one in due_between(every, hours, edges[0], edges[-1])]
    parts = [one.key("p") for a, b in pairwise(edges) for one in due_between(every, hours, a, b)]
    assert whole == parts
    assert len(set(whole)) == len(whole)


@pytest.mark.parametrize(
    ("at", "seconds", "why"),
    [
        ("2026-05-06 18:30", 180, None),
        ("2026-05-06 20:57", 179, None),
        ("2026-05-06 20:58", 180, "quiet_hours"),
        ("2026-05-06 23:00", 10, "quiet_hours"),
        ("2026-05-07 03:00", 10, "quiet_hours"),
        ("2026-05-07 06:59", 10, "quiet_hours"),
        ("2026-05-07 07:00", 10, None),
        ("2026-05-07 11:58", 180, "quiet_hours"),
        ("2026-05-07 13:00", 10, "quiet_hours"),
        ("2026-05-07 14:00", 10, None),
    ],
)
def test_nothing_sounds_at_night_or_at_noon_not_even_its_end(at: str, seconds: int, why: str | None) -> None:
    assert silent_because(SHANGHAI, local(at), seconds) == why


def test_the_last_moment_to_begin_leaves_time_to_end() -> None:
    latest = latest_begin(SHANGHAI, local("2026-05-06 18:30"), 300)
    assert latest is not None
    assert latest.astimezone(SHANGHAI.zone).isoformat() == "2026-05-06T20:55:00+08:00"


def test_a_setting_that_makes_no_sense_is_as_quiet_as_usual() -> None:
    odd = hours_of("Asia/Shanghai", {"broadcast_quiet_hours": "at night", "broadcast_noon_rest": "25:00-3"})
    assert odd.windows == SHANGHAI.windows
    assert hours_of("Asia/Shanghai", {"broadcast_quiet_hours": ""}).windows == SHANGHAI.windows[1:]


def test_a_clock_that_jumped_is_not_trusted_until_it_has_stood_still() -> None:
    clock, night = Clock(), datetime(2026, 5, 5, 18, tzinfo=UTC)
    assert clock.judge(Look(night, 100)) == Trust()
    assert clock.judge(Look(night + timedelta(seconds=61), 101)) == Trust()  # a time server's correction
    evening = night + timedelta(hours=16, seconds=61)
    assert not clock.judge(Look(evening, 101)).is_settled
    assert not clock.judge(Look(evening + timedelta(minutes=14), 101 + 840)).is_settled
    later = Look(evening + timedelta(seconds=HELD_SECONDS), 101 + HELD_SECONDS)
    assert clock.judge(later) == Trust(True, later.at - timedelta(hours=16))  # it may still be night
    assert clock.judge(replace(later, is_synchronised=True)) == Trust()
    assert not clock.judge(Look(night, 102 + HELD_SECONDS + 2)).is_settled  # and back again


def test_after_a_day_another_time_is_the_time() -> None:
    clock, at = Clock(), datetime(2026, 5, 5, 18, tzinfo=UTC)
    clock.judge(Look(at, 0))
    clock.judge(Look(at + timedelta(hours=3), 0))
    assert clock.judge(Look(at + timedelta(hours=26), 23 * 3600)).other_at == at + timedelta(hours=23)
    assert clock.judge(Look(at + timedelta(hours=27, seconds=1), 24 * 3600 + 1)) == Trust()


def test_a_jump_while_nobody_looked_is_seen_by_the_next_process(tmp_path: Path) -> None:
    path, at = tmp_path / "alive", datetime(2026, 5, 5, 2, tzinfo=UTC)
    before, later = Look(at, 100.0), Look(at + timedelta(seconds=30), 130.0)
    assert recall(path, before) == Clock()
    remember(path, Clock(before))
    assert recall(path, later).judge(later) == Trust()
    jumped = recall(path, later)
    assert not jumped.judge(Look(at + timedelta(hours=9), 130.0)).is_settled
    remember(path, jumped)
    assert not recall(path, later).judge(Look(at + timedelta(hours=9), 131.0)).is_settled  # killed meanwhile
    remember(path, Clock(before))
    path.write_text(path.read_text().replace('"boot": "', '"boot": "another start, '))
    earlier = Look(at - timedelta(days=1), 5.0)
    assert not recall(path, earlier).judge(earlier).is_settled
    assert recall(path, later).judge(later) == Trust()
