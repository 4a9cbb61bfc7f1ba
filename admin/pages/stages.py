"""What becomes of a topic: sentences told to residents, and stages with an owner, a day and a goal."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, request, url_for
from werkzeug.wrappers import Response

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt, attempt_within, done, now
from admin.pages.topics import show
from admin.roles import for_role
from sync import milestones
from sync.desk import publish_progress
from sync.milestones import Stage
from sync.queue import WorkQueue
from sync.records.tables import Milestone, ProgressUpdate
from sync.wording import LONGEST_SPOKEN, word_update

Answer = Response | tuple[str, int]


def add_stages(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the acts on the desk."""

    @for_role("progress.write")
    def tell(topic_id: str) -> Answer:
        """Publish a progress update: callers hear the sentence, platforms get the text."""
        form, who = request.form, actor()
        stage, spoken, text = (form.get(name, "").strip() for name in ("stage", "spoken", "text"))
        problem = attempt(lambda: publish_progress(archive(), who, topic_id, stage, spoken, text, now()))
        if problem:
            return show(topic_id, dict(form)), problem
        queue.put("render", community_id=who.community_id)
        done("done_progress")
        return _back(topic_id)

    @for_role("progress.write")
    def word(update_id: str) -> Answer:
        """The sentence the phone reads for a platform's update."""
        who, spoken = actor(), " ".join(request.form.get("spoken", "").split())
        topic_id = _topic_of(update_id)
        if not 0 < len(spoken) <= LONGEST_SPOKEN:
            return show(topic_id, dict(request.form), "wording_bounds"), 422
        problem = attempt_within(
            lambda session: word_update(session, who.community_id, update_id, spoken, who.id, now())
        )
        if problem is None:
            queue.put("render", community_id=who.community_id)
            done("done_progress")
        return _back(topic_id)

    desk.add_url_rule("/topics/<topic_id>/progress", "progress_tell", tell, methods=["POST"])
    desk.add_url_rule("/updates/<update_id>/wording", "progress_word", word, methods=["POST"])
    desk.add_url_rule("/topics/<topic_id>/stages", "stage_plan", plan, methods=["POST"])
    desk.add_url_rule("/stages/<stage_id>", "stage_change", change, methods=["POST"])


@for_role("progress.write")
def plan(topic_id: str) -> Answer:
    """A new stage."""
    problem = attempt_within(lambda session: milestones.plan(session, actor(), topic_id, _stage(), now()))
    if problem:
        return show(topic_id, dict(request.form)), problem
    done("done_stage")
    return _back(topic_id)


@for_role("progress.write")
def change(stage_id: str) -> Answer:
    """A stage said otherwise, or how far it is."""
    with archive().database.read() as session:
        found = session.get(Milestone, stage_id)
    if found is None or found.community_id != reader().community_id:
        abort(404)
    state, version = request.form.get("state", ""), request.form.get("version", 0, type=int)
    problem = attempt_within(
        lambda session: milestones.change(session, actor(), stage_id, _stage(), state, version, now())
    )
    if problem:
        return show(found.topic_id, {}), problem
    done("done_stage")
    return _back(found.topic_id)


def _stage() -> Stage:
    return Stage(*(request.form.get(name, "").strip() for name in ("title", "goal", "owner", "due_on")))


def _topic_of(update_id: str) -> str:
    with archive().database.read() as session:
        update = session.get(ProgressUpdate, update_id)
        if update is None or update.community_id != reader().community_id:
            abort(404)
        return update.topic_id


def _back(topic_id: str) -> Response:
    return redirect(url_for("desk.topic", topic_id=topic_id, _anchor="progress"))
