"""What staff do to an opinion: approve, reject, correct, reply; nobody overwrites another unseen."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.pages.access import archive, language, reader
from admin.pages.opinions import show
from admin.pages.words import word
from admin.roles import for_role
from sync import desk as records_desk
from sync import joining
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.queue import WorkQueue
from sync.records.tables import Reply

ACTS = ("approve", "reject", "correct", "reply", "join", "part")


def add_acts(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the acts on the desk. What becomes heard by callers wakes the prompts worker."""

    @for_role("voices.review")
    def act(opinion_id: str, act: str) -> Response | tuple[str, int]:
        who = reader()
        if act not in ACTS:
            abort(404)
        text = request.form.get("text", "").strip()
        try:
            _do(Actor(who.staff_id, who.community_id), opinion_id, act, text)
        except NotThere:
            abort(404)
        except DeskError as error:
            flash(_why(error), "problem")
            return show(opinion_id, {act: text}), 409 if isinstance(error, ChangedMeanwhile) else 422
        queue.put("render", community_id=who.community_id)
        flash(word(f"done_{act}", language()), "done")
        return redirect(url_for("desk.opinion", opinion_id=opinion_id))

    desk.add_url_rule("/opinions/<opinion_id>/<act>", "act", act, methods=["POST"])


def _do(actor: Actor, opinion_id: str, act: str, text: str) -> None:
    ours, now = archive(), datetime.now(UTC)
    version = request.form.get("version", type=int)
    match act:
        case "approve":
            records_desk.approve(ours, actor, opinion_id, now, version)
        case "reject":
            records_desk.reject(ours, actor, opinion_id, text, now, version)
        case "correct":
            records_desk.correct(ours, actor, opinion_id, text, now, version)
        case "reply":
            if not _is_repeated(opinion_id, text):
                is_private = request.form.get("is_private") == "yes"
                records_desk.reply(ours, actor, opinion_id, text, now, is_private)
        case "join":
            with ours.database.begin() as session:
                joining.join(session, actor, opinion_id, text, now)
        case "part":
            with ours.database.begin() as session:
                joining.part(session, actor, text or opinion_id, now)


def _is_repeated(opinion_id: str, text: str) -> bool:
    """Whether the newest reply says just this: the form was sent twice."""
    with archive().database.read() as session:
        newest = (
            select(Reply.spoken).where(Reply.opinion_id == opinion_id).order_by(Reply.published_at.desc())
        )
        return session.scalar(newest.limit(1)) == text


def _why(error: DeskError) -> str:
    return word(f"refused_{error.code}", language(), longest=error.longest)
