"""Think first, then write: how a request becomes one transaction, whatever others write meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from sync.database import Database

MOST_TRIES = 4

Wake = tuple[str, dict[str, str]]
"""A job to be asked for, with its arguments."""


@dataclass(frozen=True)
class Done:
    """What came of a request: a document, and the work to wake once all is committed.

    `is_prepared`: nothing is answered yet; what was missing has been made: think anew.
    """

    document: str = ""
    wakes: tuple[Wake, ...] = ()
    is_prepared: bool = False


Write = Callable[[Session], Done]


@dataclass(frozen=True)
class AtOnce:
    """Writing that is one statement on PostgreSQL, and so needs no transaction around it."""

    write: Write

    def __call__(self, session: Session) -> Done:
        """Write."""
        return self.write(session)


Plan = Callable[[Session], Done | Write]
"""Reads and thinks; gives the answer, or the writing that is still to be done."""


class Overtaken(Exception):
    """Another has written meanwhile what this plan had counted on."""


def decide(database: Database, plan: Plan) -> Done:
    """Carry out `plan` in one writing transaction; when overtaken, it is thought anew over what was written.

    Nothing is held while a plan is made: SQLite has one writer, and nobody waits for somebody's thoughts.
    What a plan counts on is looked at again by what it writes.
    """
    for tries_left in reversed(range(MOST_TRIES)):
        try:
            done = _once(database, plan)
            if not done.is_prepared:
                return done
        except (IntegrityError, Overtaken):
            if not tries_left:
                raise
    raise Overtaken("the records change faster than they can be read")


def _once(database: Database, plan: Plan) -> Done:
    with database.glimpse() as reading:
        planned = plan(reading)
        if isinstance(planned, Done):
            return planned
        if database.is_sqlite:
            with database.begin_after(reading) as writing:
                return planned(writing)
        if isinstance(planned, AtOnce):
            return planned(reading)
    with database.begin() as writing:
        return planned(writing)
