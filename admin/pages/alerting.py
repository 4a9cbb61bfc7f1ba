"""Dangers on top of every page, until somebody takes them; and when recordings wait too long to be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, redirect
from werkzeug.wrappers import Response

from admin.pages.access import archive, is_staff, reader
from admin.pages.doing import actor, done, now
from admin.pages.look import way_back
from admin.roles import for_role
from sync.alerts import MOST_COUNTED, OpenAlert, open_alerts, take_alert, unheard
from sync.errors import RecordsError


@dataclass(frozen=True)
class Urgent:
    """What cannot wait: dangers that nobody has taken, and how many recordings wait too long."""

    alerts: Sequence[OpenAlert] = ()
    unheard: int = 0
    most_counted: int = MOST_COUNTED


def add_alerts(desk: Blueprint) -> None:
    """Put the one act on the desk."""
    desk.add_url_rule("/alerts/<opinion_id>/taken", "alert_taken", taken, methods=["POST"])


def urgent_now() -> Urgent:
    """For the top of a page; nothing for who may not see opinions, and while the records are away."""
    if not is_staff() or not reader().may("voices.see"):
        return Urgent()
    community_id = reader().community_id
    try:
        with archive().database.read() as session:
            return Urgent(open_alerts(session, community_id), unheard(session, community_id, now()))
    except RecordsError:
        return Urgent()


@for_role("voices.review")
def taken(opinion_id: str) -> Response:
    """Who pressed it sees to it: the duty phone is called no more. Twice is once."""
    who = actor()
    with archive().database.begin() as session:
        is_known = take_alert(session, opinion_id, who.community_id, who.id, now())
    if is_known is None:
        abort(404)
    done("done_alert_taken")
    return redirect(way_back())
