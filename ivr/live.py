"""A call's row as a turn reads and writes it: few columns, few queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, select
from sqlalchemy.orm import Session

from ivr.arrivals import Manner
from ivr.dialogue.plain import heard_to_plain, place_from_plain, place_to_plain
from ivr.dialogue.turns import EndCall, Heard, Place, Turn
from ivr.keeping import Speaker
from sync.records.tables import Call, CallTurn

FINISHED = "finished"
"""The end of a call that came to its own end, and so has nothing to go back to."""

_CALLS: Table = Call.__table__  # type: ignore[assignment]
_TURNS: Table = CallTurn.__table__  # type: ignore[assignment]
_COLUMNS = tuple(
    _CALLS.c[name]
    for name in (
        "id", "sid", "line", "community_id", "number_id", "person_id", "is_practice", "evidence",
        "language", "voice", "place", "turn", "turned_at", "ended_at",
    )
)  # fmt: skip


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


def take(session: Session, *, sid: str = "", call_id: str = "") -> Live | None:
    """The call by the platform's id or ours, held until this transaction ends; None when there is none."""
    is_it = _CALLS.c.id == call_id if call_id else _CALLS.c.sid == sid
    row = session.connection().execute(select(*_COLUMNS).where(is_it).with_for_update()).mappings().first()
    return _live(row) if row is not None else None


def _live(row: RowMapping) -> Live:
    speaker = Speaker(
        sid=row["sid"],
        line=row["line"],
        community_id=row["community_id"],
        number_id=row["number_id"],
        person_id=row["person_id"],
        evidence=row["evidence"],
        is_practice=row["is_practice"],
    )
    manner = Manner(row["sid"], row["turn"], row["community_id"], row["language"], row["voice"])
    place = place_from_plain(row["place"])
    return Live(row["id"], speaker, manner, place, row["turned_at"], row["ended_at"])


def stored_answer(session: Session, call_id: str, n: int) -> str:
    """The document that was given as turn `n`."""
    answer = select(_TURNS.c.answer).where(_TURNS.c.call_id == call_id, _TURNS.c.n == n)
    return str(session.connection().execute(answer).scalar_one())


def write_turn(
    session: Session, call_id: str, n: int, heard: Heard, turn: Turn, document: str, at: datetime
) -> None:
    """Keep turn `n`. Raises IntegrityError when another has answered it meanwhile."""
    session.connection().execute(
        _TURNS.insert(),
        {
            "call_id": call_id,
            "n": n,
            "heard": heard_to_plain(heard),
            "step": turn.place.step,
            "answer": document,
            "answered_at": at,
        },
    )


def move(session: Session, live: Live, n: int, person_id: str, turn: Turn, at: datetime) -> None:
    """The caller is now where `turn` leads; a turn that ends the call says so."""
    moved: dict[str, Any] = {"place": place_to_plain(turn.place), "turn": n, "turned_at": at}
    if person_id != live.speaker.person_id:
        moved["person_id"] = person_id
    if isinstance(turn.wait, EndCall):
        moved["end_status"] = FINISHED
    session.connection().execute(_CALLS.update().where(_CALLS.c.id == live.call_id).values(moved))


def mark_ended(session: Session, live: Live, status: str, at: datetime) -> None:
    """The line says that the call is over; a call that had finished by itself stays `finished`."""
    ended = _CALLS.update().where(_CALLS.c.id == live.call_id)
    session.connection().execute(ended.values(ended_at=at))
    unfinished = ended.where(_CALLS.c.end_status.is_(None))
    session.connection().execute(unfinished.values(end_status=status))
