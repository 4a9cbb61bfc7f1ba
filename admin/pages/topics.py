"""Topics: the list, one topic with how it sounds and what came of it, the form, and each act on it."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt, attempt_within, done, now
from admin.pages.paging import Key, beyond, order_of, page_of, unmark
from admin.pages.topic_forms import RESULTS, form_of, typed_topic
from admin.pages.topic_sound import add_topic_sound, heard_lines
from admin.roles import for_role
from sync import milestones
from sync.queue import WorkQueue
from sync.records.tables import Community, Milestone, ProgressUpdate, Topic
from sync.shown.topics import shown_result
from sync.tally import tallies
from sync.topic_desk import MOST_OPTIONS, MOVES, change, draft, move
from sync.wording import DESK, LONGEST_SPOKEN, LONGEST_TITLE, WORDED, is_worded, word_topic

PAGE = 30
STATES = ("draft", "open", "paused", "closed", "decided")
Answer = str | Response | tuple[str, int]


def add_topics(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the pages and the acts on the desk. What becomes heard by callers wakes the prompts worker."""

    @for_role("topics.write")
    def new() -> Answer:
        """The form of a new topic, and what it sends."""
        if request.method == "GET":
            return _form(None, {"counts": "persons", "results": "open"})
        made: list[str] = []
        problem = attempt(
            lambda: made.append(draft(archive(), actor(), typed_topic(request.form, _zone()), now()))
        )
        if problem:
            return _form(None, dict(request.form)), problem
        done("done_topic_drafted")
        return redirect(url_for("desk.topic", topic_id=made[0]))

    @for_role("topics.write")
    def edit(topic_id: str) -> Answer:
        """The form of a topic, and what it sends: nobody's changes are overwritten."""
        found = _found(topic_id)
        _demand(found)
        if request.method == "GET":
            return _form(found, form_of(found, _zone()))
        version = request.form.get("version", 0, type=int)

        def write() -> None:
            change(archive(), actor(), topic_id, typed_topic(request.form, _zone()), version, now())

        problem = attempt(write)
        if problem:
            return _form(_found(topic_id), dict(request.form)), problem
        queue.put("render", community_id=reader().community_id)
        done("done_topic_changed")
        return redirect(url_for("desk.topic", topic_id=topic_id))

    @for_role("topics.publish")
    def act(topic_id: str, act: str) -> Answer:
        """Open, pause, close or decide."""
        if act not in MOVES:
            abort(404)
        version, decision = request.form.get("version", 0, type=int), request.form.get("decision", "")
        problem = attempt(lambda: move(archive(), actor(), topic_id, act, version, now(), decision))
        if problem:
            return show(topic_id, {"decision": decision}), problem
        queue.put("render", community_id=reader().community_id)
        done(f"done_topic_{act}")
        return redirect(url_for("desk.topic", topic_id=topic_id))

    @for_role("topics.publish")
    def wording(topic_id: str) -> Answer:
        """Spoken words for a platform's topic."""
        who, title = actor(), request.form.get("spoken_title", "")
        background = request.form.get("spoken_background", "")
        fits = title.strip() and len(title) <= LONGEST_TITLE and 0 < len(background.strip()) <= LONGEST_SPOKEN
        if not fits:
            return show(topic_id, dict(request.form), "wording_bounds"), 422
        _found(topic_id)
        problem = attempt_within(
            lambda session: word_topic(session, who.community_id, topic_id, title, background, who.id, now())
        )
        if problem is None:
            queue.put("render", community_id=who.community_id)
            done("done_topic_changed")
        return redirect(url_for("desk.topic", topic_id=topic_id))

    desk.add_url_rule("/topics", "topics", topics)
    desk.add_url_rule("/topics/new", "topic_new", new, methods=["GET", "POST"])
    desk.add_url_rule("/topics/<topic_id>", "topic", topic)
    desk.add_url_rule("/topics/<topic_id>/edit", "topic_edit", edit, methods=["GET", "POST"])
    desk.add_url_rule("/topics/<topic_id>/<act>", "topic_act", act, methods=["POST"])
    desk.add_url_rule("/topics/<topic_id>/wording", "topic_wording", wording, methods=["POST"])
    add_topic_sound(desk, queue)


@for_role("topics.see")
def topics() -> str:
    """A page of the list, newest first; `?state=` one of `STATES`."""
    who = reader()
    state = request.args.get("state", "")
    keys = [Key(Topic.created_at, is_descending=True), Key(Topic.id, is_descending=True)]
    query = select(Topic).where(Topic.community_id == who.community_id)
    query = query.where(Topic.state == state) if state in STATES else query
    after = unmark(request.args.get("from", ""), datetime, str)
    query = query.where(beyond(keys, after)) if after else query
    with archive().database.read() as session:
        rows = session.scalars(query.order_by(*order_of(keys)).limit(PAGE + 1)).all()
        last = rows[min(len(rows), PAGE) - 1] if rows else None
        page = page_of(rows, PAGE, *((last.created_at, last.id) if last else ()))
        counts = tallies(session, page.rows)
        today = milestones.today_in(session, who.community_id, now())
        late = {one.topic_id for one in milestones.late(session, who.community_id, today)}
        waiting = session.scalar(
            select(Topic.id).where(Topic.community_id == who.community_id, ~WORDED).limit(1)
        )
    return render_template(
        "desk/topics.html", topics=page.rows, following=page.following, counts=counts, late=late, state=state,
        states=STATES, is_worded=is_worded, has_waiting=waiting is not None,
    )  # fmt: skip


@for_role("topics.see")
def topic(topic_id: str) -> str:
    """One topic."""
    return show(topic_id, {})


def show(topic_id: str, typed: dict[str, str], problem: str = "") -> str:
    """The page of one topic, `typed` being what was written in vain."""
    found, moment = _found(topic_id), now()
    with archive().database.read() as session:
        count = tallies(session, [found])[topic_id]
        updates = _updates(session, topic_id)
        stages: list[Milestone] = list(milestones.stages(session, topic_id))
        today = milestones.today_in(session, found.community_id, moment)
    heard = heard_lines(found)
    return render_template(
        "desk/topic.html", topic=found, count=count, result=shown_result(count, moment), updates=updates,
        stages=stages, today=today, heard=heard, typed=typed, problem=problem, states=milestones.STATES,
        acts=[name for name, (starts, _) in MOVES.items() if found.state in starts],
        is_ours=found.owner == DESK, is_worded=is_worded(found), longest_title=LONGEST_TITLE,
        longest_spoken=LONGEST_SPOKEN,
        labels={str(choice): str(label) for choice, label in found.options},
    )  # fmt: skip


def _form(found: Topic | None, typed: dict[str, str]) -> str:
    return render_template(
        "desk/topic_form.html", topic=found, typed=typed, places=range(1, MOST_OPTIONS + 1), results=RESULTS,
        longest_title=LONGEST_TITLE, longest_spoken=LONGEST_SPOKEN,
    )  # fmt: skip


def _found(topic_id: str) -> Topic:
    with archive().database.read() as session:
        found = session.get(Topic, topic_id)
        if found is None or found.community_id != reader().community_id:
            abort(404)
        return found


def _demand(found: Topic) -> None:
    """Drafts are everybody's who writes; what residents hear is changed by those who may publish."""
    if found.owner != DESK or (found.state != "draft" and not reader().may("topics.publish")):
        abort(403)


def _zone() -> ZoneInfo:
    with archive().database.read() as session:
        return ZoneInfo(session.get_one(Community, reader().community_id).time_zone)


def _updates(session: Session, topic_id: str) -> list[ProgressUpdate]:
    mine = select(ProgressUpdate).where(ProgressUpdate.topic_id == topic_id)
    return list(session.scalars(mine.order_by(ProgressUpdate.published_at.desc(), ProgressUpdate.id)))
