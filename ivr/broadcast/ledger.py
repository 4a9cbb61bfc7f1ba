"""What the announcer writes about time: moments become airings, airings begin and end, rules draft."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from ivr.broadcast.airing import begin, end
from ivr.broadcast.clock import Trust
from ivr.broadcast.composing import draft_for
from ivr.broadcast.planning import LOOKS_BACK, all_hours, moments, write_airing
from ivr.broadcast.plays import OPEN
from ivr.broadcast.store import SoundStore
from sync.archive import Archive
from sync.records.broadcasts import OPEN_AIRING
from sync.records.tables import Airing, Play

_FURTHEST_LEAD = timedelta(days=1)


@dataclass
class Ledger:
    """Airings from planned to done. Every act is safe to repeat and to be killed in."""

    archive: Archive
    sounds: SoundStore
    _planned: dict[str, datetime] = field(default_factory=dict)

    def plan(self, now: datetime) -> None:
        """Write down what has become due since anybody last looked. Safe to repeat."""
        after = now - LOOKS_BACK
        with self.archive.database.read() as session:
            due = [
                one
                for one in moments(session, all_hours(session), after, now)
                if one.due.key(one.schedule.id) not in self._planned
            ]
        if due:
            with self.archive.database.begin() as session:
                for one in due:
                    write_airing(session, one)
        self._planned = {key: at for key, at in self._planned.items() if at > after}
        self._planned |= {one.due.key(one.schedule.id): one.due.at for one in due}

    def begin(self, now: datetime, trust: Trust) -> None:
        """Let planned airings begin, emergencies first; those that can't are told why, or missed."""
        with self.archive.database.read() as session:
            hours = all_hours(session)
            planned = session.execute(
                select(Airing.id, Airing.community_id)
                .where(OPEN_AIRING, Airing.state == "planned", Airing.due_at <= now)
                .order_by(Airing.is_emergency.desc(), Airing.due_at, Airing.id)
            ).all()
        for airing_id, community_id in planned:
            with self.archive.database.begin() as session:
                begin(session, self.sounds, airing_id, hours.get(community_id), now, trust)

    def close(self, now: datetime) -> None:
        """End the airings that are over."""
        with self.archive.database.read() as session:
            waiting = select(Play.airing_id).where(Play.state.in_(OPEN))
            over = session.scalars(
                select(Airing.id).where(
                    OPEN_AIRING,
                    Airing.state == "airing",
                    (Airing.over_at <= now) | Airing.id.not_in(waiting),
                )
            ).all()
        for airing_id in over:
            with self.archive.database.begin() as session:
                end(session, airing_id, now)

    def draft(self, now: datetime) -> None:
        """Let standing rules write the drafts whose time has come."""
        with self.archive.database.read() as session:
            coming = [
                one
                for one in moments(session, all_hours(session), now, now + _FURTHEST_LEAD)
                if one.schedule.rule is not None
                and one.due.at - timedelta(minutes=int(one.schedule.rule.get("lead_minutes", 120))) <= now
            ]
        for one in coming:
            with self.archive.database.begin() as session:
                draft_for(session, one, now)
