"""The page of the calls we place: to whom for what, how often tried, why not; called off or hurried."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt_within, done, now
from admin.pages.paging import Key, Page, beyond, order_of, page_of, unmark
from admin.roles import for_role
from sync.acting import Actor
from sync.placing import desk as placing
from sync.placing.policy import placing_of
from sync.records.tables import PlacedCall

PAGE = 30
WHICH = ("open", "all")
_SOONEST = (Key(PlacedCall.next_try_at), Key(PlacedCall.id))
_NEWEST = (Key(PlacedCall.made_at, True), Key(PlacedCall.id, True))
Answer = str | Response | tuple[str, int]


def add_placed(desk: Blueprint) -> None:
    """Put the page and its acts on the desk."""
    desk.add_url_rule("/placed", "placed", placed)
    desk.add_url_rule("/placed/<placed_id>/number", "placed_number", number, methods=["POST"])
    for name, act in (("withdraw", placing.withdraw), ("hurry", placing.hurry)):
        desk.add_url_rule(
            f"/placed/<placed_id>/{name}", f"placed_{name}", _acting(name, act), methods=["POST"]
        )


@for_role("callbacks.see")
def placed() -> str:
    """A page of the list: what is to be placed, the soonest first; or all, the newest first."""
    return _page({})


@for_role("callbacks.act")
def number(placed_id: str) -> Answer:
    """The page once more, one number on it; who saw it, and why, is written down."""
    shown: dict[str, str] = {}

    def look(session: Session) -> None:
        reason = request.form.get("reason", "")
        shown[placed_id] = placing.number_for(session, archive(), actor(), placed_id, reason)

    problem = attempt_within(look)
    return (_page({}), problem) if problem else _page(shown)


def _acting(name: str, act: Callable[[Session, Actor, str, datetime], None]) -> Callable[[str], Answer]:
    @for_role("callbacks.act")
    def view(placed_id: str) -> Answer:
        """One act on one call."""
        problem = attempt_within(lambda session: act(session, actor(), placed_id, now()))
        if problem:
            return _page({}), problem
        done(f"done_placed_{name}")
        return redirect(url_for("desk.placed"))

    return view


def _page(numbers: dict[str, str]) -> str:
    which = request.args.get("which", "")
    which = which if which in WHICH else WHICH[0]
    with archive().database.read() as session:
        found = _found(session, which == "open")
        rows = placing.with_tries(session, found.rows)
        held = placing_of(session, reader().community_id)
    return render_template(
        "desk/placed.html", rows=rows, following=found.following, which=which, choices=WHICH, numbers=numbers,
        held=held,
    )  # fmt: skip


def _found(session: Session, is_open: bool) -> Page[PlacedCall]:
    keys = _SOONEST if is_open else _NEWEST
    query = placing.of_community(reader().community_id, is_open)
    if after := unmark(request.args.get("from", ""), datetime, str):
        query = query.where(beyond(keys, after))
    rows = session.scalars(query.order_by(*order_of(keys)).limit(PAGE + 1)).all()
    last = rows[min(len(rows), PAGE) - 1] if rows else None
    if last is None:
        return page_of(rows, PAGE)
    return page_of(rows, PAGE, last.next_try_at if is_open else last.made_at, last.id)
