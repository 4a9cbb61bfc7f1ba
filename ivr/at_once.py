"""A turn and what it keeps, written together: one statement on PostgreSQL, where each costs a journey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Table, bindparam, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import CTE

from ivr.deciding import Overtaken
from ivr.dialogue.turns import EndCall, Heard, Turn
from ivr.live import Live, move, moved, moving, turn_row
from sync.inbox import CAPTURES, COLUMNS, Given, keep_all, row_of
from sync.prepared import Prepared
from sync.records.tables import Call, CallTurn
from sync.together import insert_together
from sync.upsert import is_sqlite

_CALLS: Table = Call.__table__  # type: ignore[assignment]
_TURNS: Table = CallTurn.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Answered:
    """What a turn comes to. `person_id`: who speaks from now on."""

    heard: Heard
    turn: Turn
    document: str
    captures: Sequence[Given]
    person_id: str
    at: datetime


def write_answered(session: Session, live: Live, answered: Answered) -> None:
    """Write the turn after the latest one: all of it, or nothing where another has moved the call.

    Raises Overtaken then, or IntegrityError.
    """
    connection, turn, now = session.connection(), answered.turn, answered.at
    told = turn_row(live.call_id, live.turn + 1, answered.heard, turn, answered.document, now)
    if is_sqlite(session):
        move(connection, live, answered.person_id, turn, now)
        insert_together(session, [(_TURNS, told)])
        keep_all(session, answered.captures, now)
        return
    given: dict[str, Any] = moved(live, answered.person_id, turn, now)
    given |= {f"turn_{name}": value for name, value in told.items()}
    for place, capture in enumerate(answered.captures):
        given |= {f"kept{place}_{name}": value for name, value in row_of(capture, now).items()}
    statement = _together(len(answered.captures), isinstance(turn.wait, EndCall))
    ((done,),) = statement.rows(connection, given)
    if not done:
        raise Overtaken(live.call_id)


@cache
def _together(captures: int, is_end: bool) -> Prepared:
    """The call moved on; only then the turn and the captures, all by the same statement."""
    on_its_way = moving(is_end).returning(_CALLS.c.id).cte("moved")
    written = [_turn(on_its_way), *(_capture(on_its_way, place) for place in range(captures))]
    return Prepared(select(func.count()).select_from(on_its_way).add_cte(*written))


def _turn(on_its_way: CTE) -> CTE:
    names = [column.name for column in _TURNS.c]
    given = [bindparam(f"turn_{name}", type_=_TURNS.c[name].type) for name in names]
    return postgresql.insert(_TURNS).from_select(names, select(*given).select_from(on_its_way)).cte("told")


def _capture(on_its_way: CTE, place: int) -> CTE:
    given = [bindparam(f"kept{place}_{name}", type_=CAPTURES.c[name].type) for name in COLUMNS]
    fresh = postgresql.insert(CAPTURES).from_select(
        list(COLUMNS), select(*given).select_from(on_its_way), include_defaults=False
    )
    return fresh.on_conflict_do_nothing(index_elements=["source", "source_id"]).cte(f"kept{place}")
