"""When somebody may be called by us, and what follows from a try. Pure: plain values in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

Span = tuple[time, time]

NOON_REST: Span = (time(12, 0), time(14, 0))
NIGHT: Span = (time(20, 0), time(9, 0))
MISSED, REQUEST, REPLY, DANGER = "missed", "request", "reply", "danger"
REASONS = (MISSED, REQUEST, REPLY, DANGER)

JUST_CALLED = timedelta(minutes=5)
"""Who rang us so lately is awake, with the telephone at hand: quiet hours are not for them."""

PAUSES: Mapping[str, timedelta] = MappingProxyType(
    {
        MISSED: timedelta(minutes=10),
        REQUEST: timedelta(minutes=30),
        REPLY: timedelta(hours=4),
        DANGER: timedelta(minutes=1),
    }
)
"""Between two tries: who rang us is near the telephone; whom we surprise may be out for half the day."""

LASTS: Mapping[str, timedelta] = MappingProxyType(
    {
        MISSED: timedelta(hours=24),
        REQUEST: timedelta(hours=24),
        REPLY: timedelta(days=3),
        DANGER: timedelta(hours=6),
    }
)
"""How long a wish is good for; a reply that reached nobody is announced when its asker calls again."""

OFTEN = 10
"""Tries for a danger a minute apart; those after them are `SELDOM` apart, so that a line stays usable."""
SELDOM = timedelta(minutes=5)

_LOOK_AGAIN = timedelta(seconds=30)
_LOOK_SOON = timedelta(seconds=5)
_MINUTE = timedelta(minutes=1)
_LONGEST_QUIET_MINUTES = 3 * 24 * 60


@dataclass(frozen=True)
class Policy:
    """How one community lets calls be placed. `quiet` spans are of its own clocks, `most_…` a local day's."""

    zone: ZoneInfo
    quiet: tuple[Span, ...] = (NOON_REST, NIGHT)
    most_tries: int = 2
    most_a_number: int = 6
    most_a_day: int = 300
    prefixes: tuple[str, ...] = ("+86",)


@dataclass(frozen=True)
class Wish:
    """A call that is wished for, tried `tries` times until now."""

    reason: str
    made_at: datetime
    expires_at: datetime
    tries: int = 0


@dataclass(frozen=True)
class Past:
    """What was placed already: tries to this number and in this community today, everywhere in 24 hours.

    `is_engaged`: this number is on the telephone with us just now.
    """

    to_number: int = 0
    in_community: int = 0
    everywhere: int = 0
    is_engaged: bool = False


@dataclass(frozen=True)
class Place:
    """Call now."""


@dataclass(frozen=True)
class Wait:
    """Not before `until`; `why` says what is in the way."""

    until: datetime
    why: str = ""


@dataclass(frozen=True)
class GiveUp:
    """Not at all: the state in which the wish ends, and why."""

    state: str
    why: str = ""


Verdict = Place | Wait | GiveUp


def judge(policy: Policy, wish: Wish, past: Past, now: datetime, most_everywhere: int) -> Verdict:
    """May this wish be fulfilled now? Looked at in the order in which it matters to the person called.

    A danger knows no quiet hours and no caps: its number is set by the community, not told by a caller.
    """
    if now >= wish.expires_at:
        return GiveUp("expired")
    if wish.reason == DANGER:
        return Wait(now + _LOOK_SOON, "engaged") if past.is_engaged else Place()
    if wish.tries >= policy.most_tries:
        return GiveUp("unreached")
    if past.is_engaged:
        return Wait(now + _LOOK_AGAIN, "engaged")
    if past.to_number >= policy.most_a_number:
        return Wait(next_day(policy, now), "number_cap")
    if past.in_community >= policy.most_a_day:
        return Wait(next_day(policy, now), "community_cap")
    if past.everywhere >= most_everywhere:
        return Wait(now + timedelta(hours=1), "cap")
    if is_quiet(policy, now) and not _has_just_called(wish, now):
        return Wait(when_open(policy, now), "quiet")
    return Place()


def after_try(policy: Policy, wish: Wish, is_machine: bool, now: datetime) -> Wait | GiveUp:
    """What becomes of a wish whose try reached nobody. An answering machine is left alone until tomorrow.

    For a danger the telephone rings until somebody presses a key.
    """
    if wish.reason == DANGER:
        return Wait(now + (PAUSES[DANGER] if wish.tries < OFTEN else SELDOM), "pause")
    if wish.tries >= policy.most_tries:
        return GiveUp("unreached")
    if is_machine:
        return Wait(next_day(policy, now), "machine")
    return Wait(now + PAUSES[wish.reason], "pause")


# --- the community's clocks ---
def is_quiet(policy: Policy, at: datetime) -> bool:
    """Whether it is a time of rest there."""
    local = at.astimezone(policy.zone).time()
    return any(_is_within(local, span) for span in policy.quiet)


def when_open(policy: Policy, at: datetime) -> datetime:
    """The first minute from `at` on that is no time of rest, however clocks are changed meanwhile.

    Raises ValueError where there is none: `check_quiet` lets no such policy be made.
    """
    if not is_quiet(policy, at):
        return at
    minute = at.replace(second=0, microsecond=0)
    for _ in range(_LONGEST_QUIET_MINUTES):
        minute += _MINUTE
        if not is_quiet(policy, minute):
            return minute
    raise ValueError("every hour is a quiet one")


def day_began(policy: Policy, at: datetime) -> datetime:
    """Midnight there, at the beginning of the day of `at`."""
    local = at.astimezone(policy.zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(at.tzinfo)


def next_day(policy: Policy, at: datetime) -> datetime:
    """When calls may be placed again on the day after that of `at`."""
    local = at.astimezone(policy.zone)
    tomorrow = datetime.combine(local.date() + timedelta(days=1), time(), policy.zone)
    return when_open(policy, tomorrow.astimezone(at.tzinfo))


def check_quiet(spans: tuple[Span, ...]) -> None:
    """Raises ValueError where no quarter of an hour of the day is left to call in."""
    quarters = (time(minute // 60, minute % 60) for minute in range(0, 24 * 60, 15))
    if all(any(_is_within(quarter, span) for span in spans) for quarter in quarters):
        raise ValueError("quiet hours leave no time to call")


def _is_within(local: time, span: Span) -> bool:
    start, end = span
    if start <= end:
        return start <= local < end
    return local >= start or local < end


def _has_just_called(wish: Wish, now: datetime) -> bool:
    return wish.reason == MISSED and not wish.tries and now - wish.made_at <= JUST_CALLED


# --- what a line tells of a try ---
COURSE = ("asked", "queued", "initiated", "ringing", "in-progress")
ENDS = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})
LOST = "lost"
UNKNOWN = "unknown"
"""Who answered, where the line could not tell: nobody spoke, or a noise went on."""
_SPELLINGS = MappingProxyType({"answered": "in-progress"})


@dataclass(frozen=True)
class Course:
    """How far a try has come, and who answered: human · machine · fax · unknown, '' where nobody told."""

    status: str = "asked"
    answered_by: str = field(default="")

    @property
    def is_over(self) -> bool:
        """Whether the line said that it ended, or nobody will ever know."""
        return self.status in ENDS or self.status == LOST

    @property
    def is_machine(self) -> bool:
        """Whether no person answered, but a device."""
        return self.answered_by in {"machine", "fax"}

    @property
    def why(self) -> str:
        """Why nobody was reached: by what it was answered, where that is it, else how it ended."""
        is_no_person = self.is_machine or (self.answered_by == UNKNOWN and self.status == "completed")
        return self.answered_by if is_no_person else self.status


def told(course: Course, status: str, answered_by: str = "") -> Course:
    """The course after a line's word, whatever came before it and however often: it only moves forward.

    Of two different ends the first stands, but any is better than `lost`. Unknown words change nothing.
    """
    status = _SPELLINGS.get(status, status)
    who = course.answered_by or _who(answered_by)
    if course.status in ENDS or (status not in ENDS and course.status == LOST):
        return Course(course.status, who)
    if status in ENDS or status == LOST:
        return Course(status, who)
    if status in COURSE and COURSE.index(status) > COURSE.index(course.status):
        return Course(status, who)
    return Course(course.status, who)


def _who(answered_by: str) -> str:
    """Twilio's `machine_start`, `machine_end_beep`, … are all machines."""
    kind = answered_by.partition("_")[0]
    return kind if kind in {"human", "machine", "fax", UNKNOWN} else ""
