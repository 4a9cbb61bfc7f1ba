"""Calls that follow a broadcast, counted to it: always worked out from the calls there are, never added up.

The rule: a call in which somebody asked to hear a programme again belongs to the last airing of that
programme before it. Any other call belongs to the last airing of the community that began before it, if
that was less than `hours` ago. No call belongs to two airings. Only airings that at least one loudspeaker
really began to play are looked at: nobody calls because of silence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from sync.community_settings import setting
from sync.records.tables import Airing, Call, Community, PlacedCall, Play

CALL_HOURS, DEFAULT_CALL_HOURS = "broadcast_call_hours", 3.0
"""The community's setting: how long after an airing a call still counts to it."""

ASKED_FOR = "broadcast"
"""The fact in a call's memory that names the programme it asked to hear again."""

_INBOUND, _MISSED = "hotline", "missed"

WAS_HEARD = or_(Play.state.in_(("started", "finished")), Play.started_at.is_not(None))
"""The condition on plays of which something was heard."""


@dataclass(frozen=True)
class Aired:
    """One airing that was heard somewhere."""

    airing_id: str
    programme_id: str
    began_at: datetime


@dataclass(frozen=True)
class CallMade:
    """One call to the community's number, and the programme it asked to hear again, if any."""

    began_at: datetime
    asked_for: str | None = None


@dataclass(frozen=True)
class CalledAfter:
    """How many calls belong to an airing: those that only `followed` it, and those that `asked` for it."""

    followed: int = 0
    asked: int = 0

    @property
    def calls(self) -> int:
        """All of them."""
        return self.followed + self.asked

    def __add__(self, other: CalledAfter) -> CalledAfter:
        return CalledAfter(self.followed + other.followed, self.asked + other.asked)


def count_calls(aired: Iterable[Aired], calls: Iterable[CallMade], hours: float) -> Mapping[str, CalledAfter]:
    """Calls by the airing they belong to, under the rule above; airings without any are left out."""
    everything = sorted(aired, key=lambda one: (one.began_at, one.airing_id))
    of_programme: dict[str, list[Aired]] = {}
    for one in everything:
        of_programme.setdefault(one.programme_id, []).append(one)
    counted: Counter[tuple[str, bool]] = Counter()
    for call in calls:
        asked = _last_before(of_programme.get(call.asked_for or "", ()), call.began_at)
        last = asked or _last_before(everything, call.began_at)
        if last is not None and (asked or call.began_at < last.began_at + timedelta(hours=hours)):
            counted[last.airing_id, asked is not None] += 1
    return {
        airing_id: CalledAfter(counted[airing_id, False], counted[airing_id, True])
        for airing_id, _ in counted
    }


def _last_before(aired: Sequence[Aired], moment: datetime) -> Aired | None:
    place = bisect_right(aired, moment, key=lambda one: one.began_at)
    return aired[place - 1] if place else None


def called_after(
    session: Session, community_id: str, since: datetime, now: datetime
) -> Mapping[str, CalledAfter]:
    """Calls by airing, of all airings that began at `since` or later; airings without any are left out."""
    aired = airings_heard(session, community_id, since)
    if not aired:
        return {}
    first = min(one.began_at for one in aired)
    return count_calls(aired, _calls(session, community_id, first, now), call_hours(session, community_id))


def call_hours(session: Session, community_id: str) -> float:
    """How long after an airing calls still count to it in this community."""
    return float(setting(session, community_id, CALL_HOURS) or DEFAULT_CALL_HOURS)


def airings_heard(session: Session, community_id: str, since: datetime) -> Sequence[Aired]:
    """Airings that at least one loudspeaker began to play."""
    was_heard = exists().where(Play.airing_id == Airing.id, WAS_HEARD)
    rows = session.execute(
        select(Airing.id, Airing.programme_id, Airing.began_at).where(
            Airing.community_id == community_id,
            Airing.due_at >= since - timedelta(days=1),
            Airing.began_at >= since,
            Airing.programme_id.is_not(None),
            was_heard,
        )
    )
    return [Aired(airing_id, str(programme), at) for airing_id, programme, at in rows if at is not None]


def _calls(session: Session, community_id: str, since: datetime, now: datetime) -> Iterator[CallMade]:
    """Calls that came in, practice only in a demo community; and those of people who rang and hung up.

    The call back to such a caller is ours, and not counted a second time.
    """
    is_demo = select(Community.is_demo).where(Community.id == community_id).scalar_subquery()
    answered = session.execute(
        select(Call.began_at, Call.place["memory"][ASKED_FOR].as_string()).where(
            Call.community_id == community_id,
            Call.began_at.between(since, now),
            Call.flow == _INBOUND,
            or_(Call.is_practice.is_(False), is_demo),
        )
    )
    missed = select(PlacedCall.made_at).where(
        PlacedCall.community_id == community_id,
        PlacedCall.made_at.between(since, now),
        PlacedCall.reason == _MISSED,
    )
    yield from (CallMade(*row) for row in answered)
    yield from (CallMade(began_at) for began_at in session.scalars(missed))
