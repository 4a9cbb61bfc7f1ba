"""When we may call: the community's clocks, tries, caps; held for every policy, moment and history."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.placing.policy import may_be_called
from sync.placing.rules import (
    DANGER,
    ENDS,
    JUST_CALLED,
    LOST,
    MISSED,
    REASONS,
    REPLY,
    Course,
    GiveUp,
    Past,
    Place,
    Policy,
    Wait,
    Wish,
    after_try,
    check_quiet,
    day_began,
    is_quiet,
    judge,
    next_day,
    told,
    when_open,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
HERE = Policy(SHANGHAI)
MOST = 500
ORDINARY = [reason for reason in REASONS if reason != DANGER]

zones = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
clock_times = st.times().map(lambda one: one.replace(second=0, microsecond=0, tzinfo=None))
spans = st.tuples(clock_times, clock_times)
moments = st.integers(0, 2 * 366 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def _can_be_opened(quiet: tuple[tuple[time, time], ...]) -> bool:
    try:
        check_quiet(quiet)
    except ValueError:
        return False
    return True


policies = st.builds(
    lambda zone, quiet, tries: Policy(ZoneInfo(zone), quiet, tries),
    zones,
    st.lists(spans, max_size=3).map(tuple).filter(_can_be_opened),
    st.integers(1, 3),
)


@st.composite
def wishes(draw: st.DrawFn) -> tuple[Policy, Wish, Past, datetime]:
    """A wish at some moment of its life, whatever was placed before."""
    policy, made = draw(policies), draw(moments)
    now = made + timedelta(minutes=draw(st.integers(0, 6000)))
    wish = Wish(
        draw(st.sampled_from(ORDINARY)), made, made + timedelta(hours=draw(st.integers(1, 72))),
        draw(st.integers(0, 4)),
    )  # fmt: skip
    counts = (draw(st.integers(0, 8)), draw(st.integers(0, 400)), draw(st.integers(0, 600)))
    return policy, wish, Past(*counts, is_engaged=draw(st.booleans())), now


@given(wishes())
def test_nobody_is_called_at_rest_too_often_or_too_late(case: tuple[Policy, Wish, Past, datetime]) -> None:
    policy, wish, past, now = case
    verdict = judge(policy, wish, past, now, MOST)
    if isinstance(verdict, Place):
        assert now < wish.expires_at
        assert wish.tries < policy.most_tries
        assert past.to_number < policy.most_a_number
        assert past.in_community < policy.most_a_day
        assert past.everywhere < MOST
        assert not past.is_engaged
        just_rang = wish.reason == MISSED and not wish.tries and now - wish.made_at <= JUST_CALLED
        assert just_rang or not is_quiet(policy, now)
    elif isinstance(verdict, Wait):
        assert verdict.until > now
    else:
        assert verdict.state == ("expired" if now >= wish.expires_at else "unreached")


@given(wishes())
def test_whoever_waits_is_called_or_given_up_in_the_end(case: tuple[Policy, Wish, Past, datetime]) -> None:
    policy, wish, past, now = case
    for _ in range(200):
        verdict = judge(policy, wish, past, now, MOST)
        if not isinstance(verdict, Wait):
            return
        past = Past()  # whatever was in the way has passed
        now = verdict.until
    raise AssertionError("put off for ever")


@given(policies, moments)
def test_calls_begin_at_the_first_minute_that_is_no_rest(policy: Policy, at: datetime) -> None:
    opened = when_open(policy, at)
    assert opened >= at
    assert not is_quiet(policy, opened)
    minutes = int((opened - at).total_seconds() // 60)
    before = (at + timedelta(minutes=minute) for minute in range(0, minutes, max(1, minutes // 50)))
    assert all(is_quiet(policy, one) for one in before)


@given(policies, moments)
def test_a_day_is_a_day_of_the_communitys_own_clocks(policy: Policy, at: datetime) -> None:
    began, later = day_began(policy, at), next_day(policy, at)
    assert began <= at < later
    assert began.astimezone(policy.zone).date() == at.astimezone(policy.zone).date()
    assert later.astimezone(policy.zone).date() > at.astimezone(policy.zone).date()


@given(wishes(), st.booleans())
def test_a_try_that_reached_nobody_leads_to_the_next_or_to_the_end(
    case: tuple[Policy, Wish, Past, datetime], is_machine: bool
) -> None:
    policy, wish, _, now = case
    verdict = after_try(policy, wish, is_machine, now)
    if wish.tries >= policy.most_tries:
        assert verdict == GiveUp("unreached")
    else:
        assert isinstance(verdict, Wait)
        assert verdict.until >= now + timedelta(minutes=10) or is_machine
        today = now.astimezone(policy.zone).date()
        assert not is_machine or verdict.until.astimezone(policy.zone).date() > today


@given(wishes(), st.booleans())
def test_danger_waits_for_nothing_but_a_free_telephone_and_goes_on_until_it_is_too_late(
    case: tuple[Policy, Wish, Past, datetime], is_machine: bool
) -> None:
    policy, wish, past, now = case
    wish = replace(wish, reason=DANGER)
    verdict = judge(policy, wish, past, now, MOST)
    if now >= wish.expires_at:
        assert verdict == GiveUp("expired")
    elif past.is_engaged:
        assert isinstance(verdict, Wait)
        assert verdict.until - now < timedelta(minutes=1)
    else:
        assert verdict == Place()
    again = after_try(policy, wish, is_machine, now)
    assert isinstance(again, Wait)
    assert timedelta(minutes=1) <= again.until - now <= timedelta(minutes=5)


@given(st.lists(st.sampled_from(["queued", "initiated", "ringing", "answered", "in-progress", "completed"])))
def test_a_course_only_moves_forward_however_it_is_told(statuses: list[str]) -> None:
    """Repeated, out of order, with pieces missing: the same result as in order."""
    results = set()
    for order in itertools.islice(itertools.permutations(statuses), 24):
        course = Course()
        for status in (*order, *order):
            course = told(course, status)
        results.add(course)
    assert len(results) == 1


@given(st.sampled_from(sorted(ENDS)), st.lists(st.sampled_from(["ringing", "answered", LOST, "nonsense"])))
def test_an_end_stands_and_is_better_than_not_knowing(end: str, later: list[str]) -> None:
    course = told(told(Course(), LOST), end)
    for status in later:
        course = told(course, status, "machine_start")
    assert course == Course(end, "machine" if later else "")


def test_the_noon_rest_and_the_night_of_a_village() -> None:
    def at(hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 11, 22, hour, minute, tzinfo=SHANGHAI)

    assert [hour for hour in range(24) if not is_quiet(HERE, at(hour))] == [9, 10, 11, 14, 15, 16, 17, 18, 19]
    assert when_open(HERE, at(12, 30)) == at(14)
    assert when_open(HERE, at(21)) == at(9) + timedelta(days=1)
    missed = Wish(MISSED, at(22), at(22) + timedelta(days=1))
    assert judge(HERE, missed, Past(), at(22, 1), MOST) == Place()
    assert judge(HERE, missed, Past(), at(22, 6), MOST) == Wait(at(9) + timedelta(days=1), "quiet")
    reply = Wish(REPLY, at(22), at(22) + timedelta(days=3))
    assert judge(HERE, reply, Past(), at(22, 1), MOST) == Wait(at(9) + timedelta(days=1), "quiet")


def test_hours_that_leave_no_time_to_call_cannot_be_set() -> None:
    with pytest.raises(ValueError, match="no time"):
        check_quiet(((time(8), time(20)), (time(20), time(8))))
    check_quiet(())


@pytest.mark.parametrize(
    ("number", "may"),
    [
        ("+8613800138000", True),
        ("+8657187654321", True),
        ("+8616812345678", False),  # pays whoever owns it
        ("+864001234567", False),  # shared cost
        ("+868008108888", False),
        ("+8695588", False),
        ("+88213123456", False),  # satellite
        ("+12025550123", False),
        ("+85291234567", False),
        ("8613800138000", False),
        ("", False),
    ],
)
def test_only_telephones_of_people_in_the_regions_allowed_are_called(number: str, may: bool) -> None:
    assert may_be_called(number, ("+86",)) is may
    assert not may_be_called(number, ())
