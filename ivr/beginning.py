"""The first moment of a call: which community was dialled, who calls, and what they will hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, Manner
from ivr.caller import Caller, who_calls
from ivr.keeping import Speaker
from ivr.outlook import Fresh, Outlooks, Shared
from ivr.recent import Recent
from ivr.view import callers_part
from sync.archive import Archive
from sync.records.tables import SharedView, new_id
from sync.upsert import insert_or_ignore

SHARED_VIEW_DAYS = 2


@dataclass(frozen=True)
class Begun:
    """A call about to be written: its columns but for the place, who speaks, how, what callers share."""

    row: Mapping[str, Any]
    speaker: Speaker
    manner: Manner
    shared: Shared

    @property
    def call_id(self) -> str:
        """Our id of it."""
        return str(self.row["id"])


class Beginnings:
    """Makes new calls."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._outlooks = Outlooks()
        self._kept = Recent[bool](most=500)

    def new_call(self, session: Session, arrival: Arrival, now: datetime) -> Begun:
        """A call that has just come in. Raises UnknownNumber."""
        fresh = self._outlooks.dialled(session, arrival.dialled, now)
        caller = who_calls(session, self._archive, fresh.outlook.community_id, arrival.caller, now)
        shared = fresh.shared(caller.people)
        self._keep(session, shared, now)
        part = callers_part(session, fresh.outlook, shared, caller, now)
        return _begun(arrival, fresh, caller, shared, part, now)

    def _keep(self, session: Session, shared: Shared, now: datetime) -> None:
        """Keep what callers share where it is new, and drop what is older than any call.

        It is remembered as kept once it was found there: a first writer may yet be rolled back.
        """
        if self._kept.get(shared.id):
            return
        content = dict(shared.content)
        if insert_or_ignore(session, SharedView, ("id",), id=shared.id, content=content, made_at=now):
            too_old = now - timedelta(days=SHARED_VIEW_DAYS)
            session.execute(delete(SharedView).where(SharedView.made_at < too_old))
        else:
            self._kept.put(shared.id, True)


def _begun(
    arrival: Arrival, fresh: Fresh, caller: Caller, shared: Shared, part: dict[str, Any], now: datetime
) -> Begun:
    outlook = fresh.outlook
    speaker = Speaker(
        sid=arrival.sid,
        line=arrival.line,
        community_id=outlook.community_id,
        number_id=caller.number_id,
        person_id=caller.person_id,
        evidence=caller.evidence,
        is_practice=arrival.is_practice,
    )
    row = {
        **vars(speaker),
        "id": new_id("cl"),
        "handset": arrival.handset,
        "language": outlook.language,
        "voice": outlook.voice,
        "flow": "hotline",
        "view": part,
        "turn": 0,
        "began_at": now,
        "turned_at": now,
    }
    manner = Manner(arrival.sid, 0, outlook.community_id, outlook.language, outlook.voice)
    return Begun(row, speaker, manner, shared)
