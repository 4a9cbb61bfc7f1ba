"""A call's row as a turn reads and writes it: few columns, few queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, Update, bindparam, func, select
from sqlalchemy.orm import Session

from ivr.arrivals import Manner
from ivr.deciding import Overtaken
from ivr.dialogue.plain import heard_to_plain, place_from_plain, place_to_plain
from ivr.dialogue.turns import EndCall, Heard, Place, Started, Turn
from ivr.keeping import Speaker
from sync.prepared import Prepared
from sync.records.tables import Call, CallTurn
from sync.together import Row
from sync.unsaid import empty_documents

FINISHED = "finished"
"""The end of a call that came to its own end, and so has nothing to go back to."""

_CALLS: Table = Call.__table__  # type: ignore[assignment]
_TURNS: Table = CallTurn.__table__  # type: ignore[assignment]

_ROW = select(
    *(
        _CALLS.c[name]
        for name in (
            *("id", "place", "turn", "turned_at", "ended_at", "language", "voice"),
            *(each.name for each in fields(Speaker)),
        )
    )
)
_SEEN = Prepared(_ROW.where(_CALLS.c.sid == bindparam("key")))
_BY_SID = Prepared(_ROW.where(_CALLS.c.sid == bindparam("key")).with_for_update())
_BY_ID = Prepared(_ROW.where(_CALLS.c.id == bindparam("key")).with_for_update())
_STORED = Prepared(
    select(_TURNS.c.answer).where(_TURNS.c.call_id == bindparam("call"), _TURNS.c.n == bindparam("number"))
)
_IS_CALL = _CALLS.c.id == bindparam("call")
_MOVES = ("place", "turn", "turned_at", "person_id")
_MOVED: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _MOVES}
_MOVE = _CALLS.update().where(_IS_CALL, _CALLS.c.turn == bindparam("old_turn"))
_STATUS = func.coalesce(_CALLS.c.end_status, bindparam("status"))
_END = _CALLS.update().where(_IS_CALL).values(ended_at=bindparam("at"), end_status=_STATUS)
_LEAVE = _CALLS.update().where(_IS_CALL).values(place=bindparam("new_place"))


def moving(is_end: bool) -> Update:
    """The statement that moves a call on, or to its own end; its parameters are `moved`."""
    return _MOVE.values({**_MOVED, "end_status": FINISHED} if is_end else _MOVED)


_MOVING = {is_end: Prepared(moving(is_end)) for is_end in (False, True)}


@dataclass(frozen=True)
class Live:
    """One call as it stands. `manner.n` is the number of the latest document given."""

    call_id: str
    speaker: Speaker
    manner: Manner
    place: Place
    turned_at: datetime
    ended_at: datetime | None

    @property
    def turn(self) -> int:
        """The number of the latest document given."""
        return self.manner.n

    @property
    def is_forgotten(self) -> bool:
        """Whether its caller was erased, so that it can only be ended."""
        return not self.place.step


def take(session: Session, *, sid: str = "", call_id: str = "") -> Live | None:
    """The call by the platform's id or ours, held until this transaction ends; None when there is none."""
    statement, key = (_BY_ID, call_id) if call_id else (_BY_SID, sid)
    rows = statement.rows(session.connection(), {"key": key})
    return _live(*rows[0]) if rows else None


def look(session: Session, sid: str) -> Live | None:
    """The call by the platform's id, not held: who then moves it may find himself overtaken."""
    rows = _SEEN.rows(session.connection(), {"key": sid})
    return _live(*rows[0]) if rows else None


def _live(
    call_id: str,
    place: Mapping[str, Any],
    turn: int,
    turned_at: datetime,
    ended_at: datetime | None,
    language: str,
    voice: str,
    *speaker: Any,
) -> Live:
    spoken_by = Speaker(*speaker)
    manner = Manner(spoken_by.sid, turn, spoken_by.community_id, language, voice)
    there = place_from_plain(place) if place else Place("")
    return Live(call_id, spoken_by, manner, there, turned_at, ended_at)


def rows_begun(row: Mapping[str, Any], person_id: str, turn: Turn, document: str, at: datetime) -> list[Row]:
    """The rows of a call that has begun with `turn`: its own, of columns `row`, and its first turn."""
    end_status = FINISHED if isinstance(turn.wait, EndCall) else None
    place = place_to_plain(turn.place)
    begun = {**row, "person_id": person_id, "place": place, "end_status": end_status, "ended_at": None}
    return [(_CALLS, begun), (_TURNS, turn_row(str(row["id"]), 0, Started(), turn, document, at))]


def stored_answer(session: Session, call_id: str, n: int) -> str:
    """The document that was given as turn `n`."""
    ((answer,),) = _STORED.rows(session.connection(), {"call": call_id, "number": n})
    return str(answer)


def turn_row(call_id: str, n: int, heard: Heard, turn: Turn, document: str, at: datetime) -> dict[str, Any]:
    """The columns of turn `n`."""
    return {
        "call_id": call_id,
        "n": n,
        "heard": heard_to_plain(heard),
        "step": turn.place.step,
        "answer": document,
        "answered_at": at,
    }


def move(connection: Connection, live: Live, person_id: str, turn: Turn, at: datetime) -> None:
    """The caller is now where `turn` leads; a turn that ends the call says so.

    Raises Overtaken when another has moved the call since it was read.
    """
    where = moved(live, person_id, turn, at)
    if _MOVING[isinstance(turn.wait, EndCall)].run(connection, where) != 1:
        raise Overtaken(live.call_id)


def moved(live: Live, person_id: str, turn: Turn, at: datetime) -> dict[str, Any]:
    """The parameters of `moving`."""
    return {
        "call": live.call_id,
        "old_turn": live.turn,
        "new_place": place_to_plain(turn.place),
        "new_turn": live.turn + 1,
        "new_turned_at": at,
        "new_person_id": person_id,
    }


def mark_ended(session: Session, live: Live, status: str, at: datetime) -> None:
    """The line says that the call is over; a call that had finished by itself stays `finished`.

    Nobody asks for its documents again: those that spell words out are emptied,
    and a reply that was read is remembered no longer.
    """
    connection = session.connection()
    connection.execute(_END, {"call": live.call_id, "at": at, "status": status})
    if live.place.memory.get("reply"):
        heard = replace(live.place, memory={**live.place.memory, "reply": ""})
        connection.execute(_LEAVE, {"call": live.call_id, "new_place": place_to_plain(heard)})
    empty_documents(session, [live.call_id])
