"""The first moment of a call: which community was dialled, who calls, and what they will hear."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from ivr.arrivals import Arrival, Manner
from ivr.caller import Caller, find_caller, known_caller, make_first_seat, note_call, rows_of
from ivr.deciding import Done
from ivr.keeping import Speaker
from ivr.outlook import Fresh, Outlooks, Shared
from ivr.recent import Recent
from ivr.view import called_part, callers_part, duty_part
from ivr.wordless import wordless_part, wordless_shared
from sync.archive import Archive
from sync.placing.policy import ALWAYS, MISSED_CALLS, OFF, REPLY_CALLS
from sync.placing.rules import DANGER, REPLY
from sync.records.tables import Community, Number, PlacedCall, SharedView, new_id
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


@dataclass(frozen=True)
class CallBack:
    """A call that is not to be taken, so that it costs nothing, if only its caller can be called back."""


@dataclass(frozen=True)
class Greeting:
    """The name by which we greet, and how we speak."""

    name: str
    manner: Manner


class Beginnings:
    """Makes new calls. `dials_out`: there is a line by which we can call."""

    def __init__(self, archive: Archive, dials_out: bool = False) -> None:
        self._archive, self._dials_out = archive, dials_out
        self._outlooks = Outlooks()
        self._kept = Recent[bool](most=500)

    def plan(
        self, session: Session, arrival: Arrival, now: datetime, is_taken: bool = False
    ) -> Begun | CallBack | None:
        """A call that has just come in, nothing written yet. None where its first seat is still to be made.

        One that `is_taken` will be answered, though its community calls everybody back. Raises UnknownNumber.
        """
        fresh = self._outlooks.dialled(session, arrival.dialled, now)
        if not is_taken and not arrival.is_practice and self._missed(fresh) == ALWAYS:
            return CallBack()
        caller = find_caller(session, self._archive, fresh.outlook.community_id, arrival.caller)
        if caller is None:
            return None
        shared = fresh.shared(caller.people)
        may_call = self._dials_out and fresh.outlook.settings.get(REPLY_CALLS) is True
        part = callers_part(session, fresh.outlook, shared, caller, now, may_call)
        return _begun(arrival, fresh, caller, shared, part, now)

    def plan_placed(self, session: Session, arrival: Arrival, placed: PlacedCall, now: datetime) -> Begun:
        """A call of ours that was answered, by somebody who has a number here."""
        dialled = session.get_one(Community, placed.community_id).dialled_number
        fresh = self._outlooks.dialled(session, dialled, now)
        number = session.get_one(Number, placed.number_id)
        caller = replace(known_caller(session, number), person_id=placed.person_id)
        shared = fresh.shared(caller.people)
        if placed.reason == DANGER:
            part = duty_part(session, fresh.outlook, shared, caller, now, placed.about)
        else:
            reply_id = placed.about if placed.reason == REPLY else None
            part = called_part(session, fresh.outlook, shared, caller, now, reply_id)
        return _begun(arrival, fresh, caller, shared, part, now, str(part["placed_for"]))

    def spoken_to(self, session: Session, arrival: Arrival, placed: PlacedCall, now: datetime) -> Greeting:
        """Who calls, and how to speak, before it is known that a person listens."""
        dialled = session.get_one(Community, placed.community_id).dialled_number
        outlook = self._outlooks.dialled(session, dialled, now).outlook
        manner = Manner(arrival.sid, 0, outlook.community_id, outlook.language, outlook.voice)
        return Greeting(outlook.name, manner)

    def missed_calls(self, session: Session, dialled: str, now: datetime) -> tuple[str, str]:
        """The community with this number, and which of its callers are called back. Raises UnknownNumber."""
        fresh = self._outlooks.dialled(session, dialled, now)
        return fresh.outlook.community_id, self._missed(fresh)

    def _missed(self, fresh: Fresh) -> str:
        return str(fresh.outlook.settings.get(MISSED_CALLS) or OFF) if self._dials_out else OFF

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
    arrival: Arrival,
    fresh: Fresh,
    caller: Caller,
    shared: Shared,
    part: dict[str, Any],
    now: datetime,
    flow: str = "hotline",
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
        "flow": flow,
        "view": wordless_part(part),
        "turn": 0,
        "began_at": now,
        "turned_at": now,
    }
    manner = Manner(arrival.sid, 0, outlook.community_id, outlook.language, outlook.voice)
    return Begun(row, speaker, manner, caller, shared, part, fresh.unsaid)
