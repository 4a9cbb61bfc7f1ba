"""Standing rules and schedules: what is drafted by itself, and when everything is due."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, render_template, url_for
from sqlalchemy.orm import Session

from admin.pages.access import archive, reader
from admin.pages.broadcasts.acting import Shown, act, typed, whole
from admin.pages.broadcasts.forms import areas_of, read_when
from admin.pages.broadcasts.upcoming import quiet_spans
from admin.roles import for_role
from sync.broadcasting import Rule, add_rule, schedules_of, set_schedule_state
from sync.desk import Actor

MINUTES, USUAL_MINUTES = range(1, 11), 3
LEADS = (30, 60, 120, 240, 720)  # minutes before it is due that the draft lies on the desk


def add_rules(desk: Blueprint) -> None:
    """Put the page and its forms on the desk."""
    desk.add_url_rule("/broadcasts/rules", "broadcast_rules", broadcast_rules)
    desk.add_url_rule("/broadcasts/rules", "broadcast_rule_add", broadcast_rule_add, methods=["POST"])
    address = "/broadcasts/schedules/<schedule_id>"
    desk.add_url_rule(address, "broadcast_schedule_state", broadcast_schedule_state, methods=["POST"])


@for_role("broadcasts.see")
def broadcast_rules() -> str:
    """All that is due again and again."""
    return _show()


@for_role("broadcasts.approve")
def broadcast_rule_add() -> Shown:
    """A new standing rule."""
    rule = Rule(
        max_seconds=60 * (whole("minutes") or USUAL_MINUTES), lead_minutes=whole("lead_minutes") or 120
    )

    def work(session: Session, who: Actor, now: datetime) -> None:
        add_rule(session, who, typed("name"), rule, read_when(session, who.community_id), now)

    return act(work, _back, _show, "broadcast_done_rule")


@for_role("broadcasts.approve")
def broadcast_schedule_state(schedule_id: str) -> Shown:
    """Pause a schedule, go on with it, end it."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        set_schedule_state(session, who, schedule_id, typed("state", 10), now)

    return act(work, _back, _show, "broadcast_done_schedule_state")


def _back() -> Shown:
    return redirect(url_for("desk.broadcast_rules"))


def _show() -> str:
    community_id = reader().community_id
    with archive().database.read() as session:
        return render_template(
            "desk/broadcasts/rules.html",
            schedules=schedules_of(session, community_id),
            areas=areas_of(session, community_id),
            quiet=quiet_spans(session, community_id),
            minutes=MINUTES,
            leads=LEADS,
        )
