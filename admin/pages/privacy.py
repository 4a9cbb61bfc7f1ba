"""The privacy desk: somebody found by number or receipt, what is kept of them, taken away, withdrawn, erased.

Each look and each act asks for a reason and is written down. Addresses hold ids, never a number; who was
found may be looked at for half an hour, by who has found them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from flask import Blueprint, Response, abort, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt, attempt_within, done, now
from admin.roles import for_role
from sync import personal
from sync.community_settings import audit
from sync.desk import DeskError
from sync.erase import erase_person
from sync.export.person import person_files
from sync.export.zipped import zipped
from sync.people import readable_number
from sync.queue import WorkQueue
from sync.records.tables import Number, Person

OPEN_SECONDS = 1800.0
_OPENED = "people_found"
_MOST_OPEN = 20
Answer = str | AnyResponse | tuple[str, int]


def add_privacy(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the pages and the acts on the desk. What goes wakes the worker that prunes clips."""

    @for_role("privacy.act")
    def withdraw(person_id: str) -> Answer:
        """A consent taken back, and what rested on it."""
        _demand(person_id)
        purpose, reason = request.form.get("purpose", ""), request.form.get("reason", "")
        problem = attempt(lambda: personal.withdraw(archive(), actor(), person_id, purpose, reason, now()))
        if problem:
            return _person(person_id), problem
        queue.put("prune")
        done("done_withdrawn")
        return redirect(url_for("desk.privacy_person", person_id=person_id))

    @for_role("privacy.act")
    def erase(person_id: str) -> Answer:
        """Everything of this person deleted for good."""
        _demand(person_id)
        reason, is_sure = request.form.get("reason", ""), request.form.get("sure") == "yes"

        def forget() -> None:
            why = personal.demanded(reason)
            if not is_sure:
                raise DeskError("nobody has said that they are sure", "not_sure")
            erase_person(archive(), person_id, reader().staff_id, why)

        problem = attempt(forget)
        if problem:
            return _person(person_id), problem
        queue.put("prune")
        done("done_erased")
        return redirect(url_for("desk.privacy"))

    desk.add_url_rule("/privacy", "privacy", find, methods=["GET", "POST"])
    desk.add_url_rule("/privacy/people/<person_id>", "privacy_person", person)
    desk.add_url_rule("/privacy/people/<person_id>/number", "privacy_number", number, methods=["POST"])
    desk.add_url_rule("/privacy/people/<person_id>/export", "privacy_export", export, methods=["POST"])
    desk.add_url_rule("/privacy/people/<person_id>/withdraw", "privacy_withdraw", withdraw, methods=["POST"])
    desk.add_url_rule("/privacy/people/<person_id>/erase", "privacy_erase", erase, methods=["POST"])


@for_role("privacy.act")
def find() -> Answer:
    """The form, and whom it finds."""
    if request.method == "GET":
        return render_template("desk/privacy.html", found=[], reason="")
    found: list[str] = []
    asked, reason = request.form.get("asked", ""), request.form.get("reason", "")
    problem = attempt_within(
        lambda records: found.extend(personal.find(records, archive(), actor(), asked, reason))
    )
    if problem:
        return render_template("desk/privacy.html", found=[], reason=reason), problem
    _open(found)
    if len(found) == 1:
        return redirect(url_for("desk.privacy_person", person_id=found[0]))
    with archive().database.read() as records:
        people = [personal.kept_of(records, reader().community_id, one) for one in found]
    return render_template("desk/privacy.html", found=people, reason="")


@for_role("privacy.act")
def person(person_id: str) -> Answer:
    """What is kept of somebody who has been found."""
    _demand(person_id)
    with archive().database.begin() as records:
        audit(records, reader().community_id, reader().staff_id, "person.seen", person_id)
    return _person(person_id)


@for_role("privacy.act")
def number(person_id: str) -> Answer:
    """Their number in the clear, for a reason."""
    _demand(person_id)
    shown: list[str] = []

    def show() -> None:
        why = personal.demanded(request.form.get("reason", ""))
        with archive().database.begin() as records:
            found = personal.person_of(records, reader().community_id, person_id)
            at = records.get(Number, found.number_id) if found.number_id else None
            if at is None:
                raise DeskError("there is no number", "no_number")
            shown.append(readable_number(records, archive(), at))
            audit(records, reader().community_id, reader().staff_id, "number_seen", person_id, why)

    problem = attempt(show)
    return (_person(person_id), problem) if problem else _person(person_id, shown[0])


@for_role("privacy.act")
def export(person_id: str) -> Answer:
    """Everything kept of them as one zip, for themselves."""
    _demand(person_id)

    def note() -> None:
        why = personal.demanded(request.form.get("reason", ""))
        with archive().database.begin() as records:
            personal.person_of(records, reader().community_id, person_id)
            audit(records, reader().community_id, reader().staff_id, "person.exported", person_id, why)

    problem = attempt(note)
    if problem:
        return _person(person_id), problem
    ours = archive()

    def pieces() -> Iterator[bytes]:
        with ours.database.read() as records:
            found = records.get_one(Person, person_id)
            yield from zipped(person_files(records, ours, found), datetime.now(UTC))

    answer = Response(pieces(), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="{person_id}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _person(person_id: str, shown: str = "") -> str:
    with archive().database.read() as records:
        kept = personal.kept_of(records, reader().community_id, person_id)
    return render_template("desk/privacy_person.html", kept=kept, number=shown, purposes=personal.PURPOSES)


def _open(people: list[str]) -> None:
    """Remember in the reader's own cookie whom they may look at, and until when: ids only."""
    until = now().timestamp() + OPEN_SECONDS
    known = {one: end for one, end in session.get(_OPENED, {}).items() if end > now().timestamp()}
    session[_OPENED] = dict(list((known | dict.fromkeys(people, until)).items())[-_MOST_OPEN:])


def _demand(person_id: str) -> None:
    """404 for somebody of another community; back to the form for somebody who was not found just now."""
    with archive().database.read() as records:
        attempt(lambda: personal.person_of(records, reader().community_id, person_id))
    if session.get(_OPENED, {}).get(person_id, 0.0) <= now().timestamp():
        abort(redirect(url_for("desk.privacy")))
