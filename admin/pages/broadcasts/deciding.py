"""What is decided about a programme: asked for, approved, withdrawn, played now, cut in, scheduled."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import language
from admin.pages.broadcasts.acting import REFUSED, Shown, Work, act, actor, typed, whole
from admin.pages.broadcasts.forms import chosen_areas, read_when, repeats, volume
from admin.pages.broadcasts.programme import show
from admin.pages.words import word
from admin.roles import for_role
from sync import broadcasting
from sync.desk import Actor
from sync.queue import WorkQueue

EMERGENCY_REPEATS = 2


def add_decisions(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the buttons of a programme's page on the desk. What is approved may be heard by telephone, too."""

    @for_role("broadcasts.write")
    def broadcast_render(programme_id: str) -> Response:
        """Ask once more for its sound."""
        queue.put("render_programme", programme_id=programme_id)
        return _back(programme_id)

    @for_role("broadcasts.approve")
    def broadcast_approve(programme_id: str) -> Shown:
        """Let what was heard be loud; an emergency by a second person, or with the PIN."""
        answer = _approve(programme_id)
        queue.put("render", community_id=actor().community_id)
        return answer

    views = (
        broadcast_render,
        broadcast_submit,
        broadcast_approve,
        broadcast_withdraw,
        broadcast_play,
        broadcast_schedule,
    )
    for view in views:
        name = view.__name__
        address = f"/broadcasts/<programme_id>/{name.removeprefix('broadcast_')}"
        desk.add_url_rule(address, name, view, methods=["POST"])


@for_role("broadcasts.write")
def broadcast_submit(programme_id: str) -> Shown:
    """Ask for approval."""
    version = whole("version") or 0

    def work(session: Session, who: Actor, now: datetime) -> None:
        broadcasting.submit(session, who, programme_id, version, now)

    return _decide(programme_id, work, "broadcast_done_submit")


@for_role("broadcasts.approve")
def broadcast_withdraw(programme_id: str) -> Shown:
    """Never play it again."""
    reason = typed("reason")

    def work(session: Session, who: Actor, now: datetime) -> None:
        broadcasting.withdraw(session, who, programme_id, reason, now)

    return _decide(programme_id, work, "broadcast_done_withdraw")


def _approve(programme_id: str) -> Shown:
    digest, pin = typed("digest", 64), typed("pin", 20)
    is_right = True

    def work(session: Session, who: Actor, now: datetime) -> None:
        nonlocal is_right
        if pin:
            is_right = broadcasting.approve_by_pin(session, who, programme_id, digest, pin, now)
        else:
            broadcasting.approve(session, who, programme_id, digest, now)

    def done() -> Shown:
        flash(*_told(is_right))
        return _back(programme_id) if is_right else (show(programme_id), REFUSED)

    return act(work, done, lambda: show(programme_id))


@for_role("broadcasts.approve")
def broadcast_play(programme_id: str) -> Shown:
    """Play it now; an emergency cuts in."""
    is_emergency = request.form.get("kind") == "cut_in"
    play = broadcasting.cut_in if is_emergency else broadcasting.play_now
    request_id, areas, loud = typed("request", 40), chosen_areas(), volume()
    times, airing_id = repeats(EMERGENCY_REPEATS if is_emergency else 1), ""

    def work(session: Session, who: Actor, now: datetime) -> None:
        nonlocal airing_id
        airing_id = play(session, who, programme_id, request_id, now, areas, times, loud)

    def done() -> Shown:
        return redirect(url_for("desk.airing", airing_id=airing_id))

    return act(work, done, lambda: show(programme_id), "broadcast_done_play")


@for_role("broadcasts.approve")
def broadcast_schedule(programme_id: str) -> Shown:
    """Say when it is due."""

    def work(session: Session, who: Actor, now: datetime) -> None:
        when = read_when(session, who.community_id)
        broadcasting.schedule(session, who, programme_id, when, now)

    return _decide(programme_id, work, "broadcast_done_schedule")


def _told(is_right: bool) -> tuple[str, str]:
    """What is said after an approval, and of which kind that is."""
    if is_right:
        return word("broadcast_done_approve", language()), "done"
    return word("refused_wrong_pin", language()), "problem"


def _decide(programme_id: str, work: Work, said: str) -> Shown:
    """One decision, then the page of the programme."""
    return act(work, lambda: _back(programme_id), lambda: show(programme_id), said)


def _back(programme_id: str) -> Response:
    return redirect(url_for("desk.broadcast", programme_id=programme_id))
