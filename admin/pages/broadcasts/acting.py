"""How a form of these pages becomes one act in one transaction, and what is said where it can't be done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from flask import abort, flash, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.words import word
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere

Work = Callable[[Session, Actor, datetime], object]
Shown = Response | str | tuple[str, int]
CONFLICT, REFUSED = 409, 422


def actor() -> Actor:
    """Who acts."""
    who = reader()
    return Actor(who.staff_id, who.community_id)


def act(work: Work, done: Callable[[], Shown], again: Callable[[], str], said: str = "") -> Shown:
    """Do `work` in a transaction of its own, then `done`; where it is refused, say why and show `again`.

    `said` is the id of the word that confirms it.
    """
    try:
        with archive().database.begin() as session:
            work(session, actor(), datetime.now(UTC))
    except NotThere:
        abort(404)
    except DeskError as error:
        return refused(error, again)
    if said:
        flash(word(said, language()), "done")
    return done()


def refused(error: DeskError, again: Callable[[], str]) -> tuple[str, int]:
    """The page once more, with what was wrong on top: 409 where somebody else was quicker."""
    flash(word(f"refused_{error.code}", language(), longest=error.longest), "problem")
    return again(), CONFLICT if isinstance(error, ChangedMeanwhile) else REFUSED


def typed(name: str, longest: int = 2000) -> str:
    """A field of the form, cut off at `longest` characters; the records say where that is too much."""
    return request.form.get(name, "").strip()[:longest]


def whole(name: str) -> int | None:
    """A whole number of the form; None where there is none."""
    return request.form.get(name, type=int)
