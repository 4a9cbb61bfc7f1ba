"""How it went: every airing, each loudspeaker's part in it, the calls that followed; and silence at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, url_for
from sqlalchemy.orm import Session

from admin.pages.access import archive, reader
from admin.pages.broadcasts.acting import Shown, act
from admin.roles import for_role
from sync.broadcasting import outcome_of, outcomes, plays_of, stop_airing
from sync.called_after import CalledAfter, call_hours, called_after
from sync.desk import Actor
from sync.records.tables import Airing

MOST, DAYS = 200, 60
_CALLS_BEFORE = timedelta(days=8)  # an airing before it may have taken calls that look like its own


def add_airings(desk: Blueprint) -> None:
    """Put the pages and the button on the desk."""
    desk.add_url_rule("/broadcasts/airings", "airings", airings)
    desk.add_url_rule("/broadcasts/airings/<airing_id>", "airing", airing)
    desk.add_url_rule("/broadcasts/airings/<airing_id>/stop", "airing_stop", airing_stop, methods=["POST"])


@for_role("broadcasts.see")
def airings() -> str:
    """The airings of the last two months, the newest first."""
    community_id, now = reader().community_id, datetime.now(UTC)
    since = now - timedelta(days=DAYS)
    with archive().database.read() as session:
        return render_template(
            "desk/broadcasts/airings.html",
            rows=outcomes(session, community_id, MOST, since),
            calls=called_after(session, community_id, since, now),
            days=DAYS,
        )


@for_role("broadcasts.see")
def airing(airing_id: str) -> str:
    """One airing."""
    return _show(airing_id)


@for_role("broadcasts.write")
def airing_stop(airing_id: str) -> Shown:
    """Silence, now."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        stop_airing(session, who, airing_id, now)

    def done() -> Shown:
        return redirect(url_for("desk.airing", airing_id=airing_id))

    return act(work, done, lambda: _show(airing_id), "broadcast_done_stop")


def _show(airing_id: str) -> str:
    with archive().database.read() as session:
        row, found = session.get(Airing, airing_id), outcome_of(session, airing_id)
        if row is None or found is None or row.community_id != reader().community_id:
            abort(404)
        since, now = row.due_at - _CALLS_BEFORE, datetime.now(UTC)
        calls = called_after(session, row.community_id, since, now).get(airing_id, CalledAfter())
        return render_template(
            "desk/broadcasts/airing.html",
            one=found,
            row=row,
            plays=plays_of(session, airing_id),
            calls=calls,
            hours=call_hours(session, row.community_id),
        )
