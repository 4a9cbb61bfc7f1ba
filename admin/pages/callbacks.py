"""The page of those who wait to be called back."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.words import word
from admin.roles import for_role
from sync import callbacks
from sync.desk import Actor, DeskError, NotThere


def add_callbacks(desk: Blueprint) -> None:
    """Put the page and its acts on the desk."""
    desk.add_url_rule("/callbacks", "callbacks", show)
    desk.add_url_rule("/callbacks/<request_id>/number", "callback_number", number, methods=["POST"])
    desk.add_url_rule("/callbacks/<request_id>/done", "callback_done", done, methods=["POST"])
    desk.add_url_rule("/callbacks/<request_id>/again", "callback_again", again, methods=["POST"])


@for_role("callbacks.see")
def show(numbers: dict[str, str] | None = None) -> str:
    """Who waits, the longest first; `numbers` are those that have just been asked for."""
    who = reader()
    with archive().database.read() as session:
        waiting = callbacks.waiting(session, who.community_id)
        lately = callbacks.lately_done(session, who.community_id)
    return render_template("desk/callbacks.html", waiting=waiting, lately=lately, numbers=numbers or {})


@for_role("callbacks.act")
def number(request_id: str) -> str | tuple[str, int]:
    """The page once more, one number on it; who saw it, and why, is written down."""
    actor, ours = _actor(), archive()
    try:
        with ours.database.begin() as session:
            reason = request.form.get("reason", "")
            shown = callbacks.number_for(session, ours, actor, request_id, reason, datetime.now(UTC))
    except NotThere:
        abort(404)
    except DeskError as error:
        flash(word(f"refused_{error.code}", language()), "problem")
        return show(), 422
    return show({request_id: shown})


@for_role("callbacks.act")
def done(request_id: str) -> Response:
    """They have been called."""
    actor = _actor()
    try:
        with archive().database.begin() as session:
            callbacks.settle(session, actor, request_id, datetime.now(UTC))
    except NotThere:
        abort(404)
    flash(word("done_callback", language()), "done")
    return redirect(url_for("desk.callbacks"))


@for_role("callbacks.act")
def again(request_id: str) -> Response:
    """They still wait: what was marked by mistake is undone."""
    actor = _actor()
    try:
        with archive().database.begin() as session:
            callbacks.reopen(session, actor, request_id)
    except NotThere:
        abort(404)
    return redirect(url_for("desk.callbacks"))


def _actor() -> Actor:
    who = reader()
    return Actor(who.staff_id, who.community_id)
