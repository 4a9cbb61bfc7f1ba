"""What staff type in for others: paper ballots, what was said on a visit or to the person behind `0`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.seen import topic_choices
from admin.pages.words import word
from admin.roles import for_role
from sync import behalf
from sync.behalf import MET, Who
from sync.deadlines import zone_of
from sync.desk import Actor, DeskError, NotThere
from sync.queue import WorkQueue
from sync.records.tables import Staff, Topic, new_id

Shown = Response | tuple[str, int]
_Keeping = Callable[[Actor, str], str]
_View = Callable[[], Shown]
_FORM = re.compile(r"form_[0-9a-f]{32}")
_OPEN = ("open", "paused")


def add_behalf(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the page and its two forms on the desk. What was typed in wakes the worker that settles."""

    @for_role("voices.behalf")
    def enter_ballot() -> Shown:
        return _enter(queue, "done_ballot", _ballot)

    @for_role("voices.behalf")
    def enter_opinion() -> Shown:
        return _enter(queue, "done_entered", _opinion)

    desk.add_url_rule("/behalf", "behalf", show)
    desk.add_url_rule("/behalf/ballots", "enter_ballot", enter_ballot, methods=["POST"])
    desk.add_url_rule("/behalf/opinions", "enter_opinion", enter_opinion, methods=["POST"])
    desk.add_url_rule("/behalf/void", "void_ballot", _voiding(), methods=["POST"])


@for_role("voices.behalf")
def show() -> str:
    """Both forms, and what was typed in last."""
    return _page({})


def _page(typed: dict[str, str]) -> str:
    who = reader()
    with archive().database.read() as session:
        topics = session.scalars(
            select(Topic)
            .where(Topic.community_id == who.community_id, Topic.state.in_(_OPEN))
            .order_by(Topic.rank, Topic.created_at)
        ).all()
        lately = behalf.entered_lately(session, who.community_id)
        staff = select(Staff.id, Staff.name).where(Staff.id.in_({one.by for one in lately}))
        names = dict(iter((row.id, row.name) for row in session.execute(staff)))
        today = datetime.now(UTC).astimezone(zone_of(session, who.community_id))
        every = topic_choices(session, who.community_id)
    return render_template(
        "desk/behalf.html", topics=topics, lately=lately, names=names, typed=typed, met=MET,
        titles=dict(every), choices=behalf.choices_of, form_id=new_id("form"), form_id_said=new_id("form"),
        now_local=today.strftime("%Y-%m-%dT%H:%M"),
    )  # fmt: skip


def _enter(queue: WorkQueue, done: str, keep: _Keeping) -> Shown:
    form = request.form.get("form", "")
    if not _FORM.fullmatch(form):
        abort(400)
    who = reader()
    try:
        told = keep(Actor(who.staff_id, who.community_id), form)
    except NotThere:
        abort(404)
    except DeskError as error:
        flash(word(f"refused_{error.code}", language(), longest=error.longest), "problem")
        return _page(request.form.to_dict()), 422
    queue.put("settle")
    flash(word(done, language(), receipt=told), "done")
    return redirect(url_for("desk.behalf"))


def _ballot(actor: Actor, form: str) -> str:
    given = request.form
    topic_id, _, choice = given.get("choice", "").partition(" ")
    behalf.enter_ballot(
        archive(), actor, form, _who("ballot"), topic_id, choice, _moment(actor), datetime.now(UTC)
    )
    return ""


def _opinion(actor: Actor, form: str) -> str:
    given = request.form
    if given.get("told") != "yes":
        raise DeskError("they must be told first", "not_told")
    return behalf.enter_opinion(
        archive(), actor, form, _who("said"), given.get("topic") or None, given.get("text", ""),
        given.get("release", "none"), _moment(actor), datetime.now(UTC),
    )  # fmt: skip


def _who(kind: str) -> Who:
    given = request.form
    met = given.get("met", "paper" if kind == "ballot" else "visit")
    return Who(given.get("number", ""), given.get("seat", 1, type=int), met)


def _moment(actor: Actor) -> datetime:
    """When it was given, as the community's own clocks show it."""
    try:
        typed = datetime.fromisoformat(request.form.get("at", ""))
    except ValueError as error:
        raise DeskError("that is no day", "no_day") from error
    with archive().database.read() as session:
        return typed.replace(tzinfo=zone_of(session, actor.community_id))


def _voiding() -> _View:
    @for_role("voices.behalf")
    def void() -> Shown:
        """Take back a ballot that was typed in by mistake."""
        who = reader()
        try:
            actor = Actor(who.staff_id, who.community_id)
            source_id = request.form.get("source_id", "")[:80]
            behalf.take_ballot_back(archive(), actor, source_id, datetime.now(UTC))
        except NotThere:
            abort(404)
        except DeskError as error:
            flash(word(f"refused_{error.code}", language()), "problem")
            return _page({}), 422
        flash(word("done_void", language()), "done")
        return redirect(url_for("desk.behalf"))

    return void
