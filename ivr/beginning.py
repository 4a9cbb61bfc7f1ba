"""The first moment of a call: which community was dialled, who calls, and what they will hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, Manner
from ivr.caller import Caller, find_caller, make_first_seat, note_call, rows_of
from ivr.deciding import Done
from ivr.keeping import Speaker
from ivr.outlook import Fresh, Outlooks, Shared
from ivr.recent import Recent
from ivr.view import callers_part
from ivr.wordless import wordless_part, wordless_shared
from sync.archive import Archive
from sync.records.tables import SharedView, new_id
from sync.together import Row
from sync.upsert import insert_or_ignore

SHARED_VIEW_DAYS = 2


@dataclass(frozen=True)
class Begun:
    """A call about to be written: its columns but for the place, who speaks, how, what callers share.

    `part` is the caller's own part of the view, with its words; `unsaid` marks what had
    been taken back by then.
    """

    row: Mapping[str, Any]
    speaker: Speaker
    manner: Manner
    caller: Caller
    shared: Shared
    part: Mapping[str, Any]
    unsaid: int

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

    def plan(self, session: Session, arrival: Arrival, now: datetime) -> Begun | None:
        """A call that has just come in, nothing written yet. None where its first seat is still to be made.

        Raises UnknownNumber.
        """
        fresh = self._outlooks.dialled(session, arrival.dialled, now)
        caller = find_caller(session, self._archive, fresh.outlook.community_id, arrival.caller)
        if caller is None:
            return None
        shared = fresh.shared(caller.people)
        part = callers_part(session, fresh.outlook, shared, caller, now)
        return _begun(arrival, fresh, caller, shared, part, now)

    def prepare(self, session: Session, arrival: Arrival, now: datetime) -> Done:
        """Make the first seat of a number that is known but has never called."""
        fresh = self._outlooks.dialled(session, arrival.dialled, now)
        make_first_seat(session, self._archive, fresh.outlook.community_id, arrival.caller)
        return Done(is_prepared=True)

    def is_rows_only(self, begun: Begun) -> bool:
        """Whether `rows` is all that a planned call needs: a new caller, and a view that others have kept."""
        return begun.caller.is_new and bool(self._kept.get(begun.shared.id))

    def prepare_rows(self, session: Session, begun: Begun, now: datetime) -> None:
        """Write what a planned call needs besides `rows`."""
        if not begun.caller.is_new:
            note_call(session, begun.caller, now)
        if not self._kept.get(begun.shared.id):
            self._keep(session, begun.shared, now)

    def rows(self, begun: Begun, now: datetime) -> list[Row]:
        """What is to be written together with a planned call's own row, before it."""
        if not begun.caller.is_new:
            return []
        return rows_of(self._archive, begun.speaker.community_id, begun.caller, now)

    def _keep(self, session: Session, shared: Shared, now: datetime) -> None:
        """Keep what callers share where it is new, and drop what is older than any call.

        It is remembered as kept once it was found there: a first writer may yet be rolled back.
        """
        content = wordless_shared(shared.content)
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
        "view": wordless_part(part),
        "turn": 0,
        "began_at": now,
        "turned_at": now,
    }
    manner = Manner(arrival.sid, 0, outlook.community_id, outlook.language, outlook.voice)
    return Begun(row, speaker, manner, caller, shared, part, fresh.unsaid)
