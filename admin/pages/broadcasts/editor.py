"""Writing a programme: one form, whose buttons move items about without a script; saved as a new version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for

from admin.pages.access import archive, language, reader
from admin.pages.broadcasts.acting import Shown, actor, refused
from admin.pages.broadcasts.drafting import (
    LONG_ITEM_SECONDS,
    LONG_SECONDS,
    SUBMITTED,
    Draft,
    pressed,
    read_draft,
    ref_of,
)
from admin.pages.broadcasts.offers import offers_for
from admin.pages.broadcasts.people import name_of
from admin.pages.words import word
from admin.roles import for_role
from sync.broadcasting import compose, edit, items_of, programme_of, submit
from sync.desk import ChangedMeanwhile, DeskError, NotThere
from sync.queue import WorkQueue

_SAVES = ("save", SUBMITTED)


@dataclass(frozen=True)
class Kept:
    """A programme as the records hold it, and who changed it last."""

    draft: Draft
    version: int
    changed_by: str
    changed_at: datetime


def add_editor(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the form on the desk. What was saved wakes the worker that makes its sound."""

    @for_role("broadcasts.write")
    def broadcast_new() -> Shown:
        """A programme that is not kept yet."""
        return _form(Draft()) if request.method == "GET" else _written(None, queue)

    @for_role("broadcasts.write")
    def broadcast_edit(programme_id: str) -> Shown:
        """A programme as it is kept, and as it is being changed."""
        kept = _kept(programme_id)
        if request.method == "GET":
            return _form(kept.draft, programme_id, kept.version)
        return _written(programme_id, queue)

    desk.add_url_rule("/broadcasts/new", "broadcast_new", broadcast_new, methods=["GET", "POST"])
    address = "/broadcasts/<programme_id>/edit"
    desk.add_url_rule(address, "broadcast_edit", broadcast_edit, methods=["GET", "POST"])


def _written(programme_id: str | None, queue: WorkQueue) -> Shown:
    """What the pressed button makes of the form."""
    form, button = request.form, request.form.get("do", "save")
    version = form.get("version", default=0, type=int)
    typed = read_draft(lambda name: form.get(name, "").strip(), form.getlist)
    if button not in _SAVES:
        draft = pressed(typed, button, lambda name: form.get(name, ""))
        return _form(draft, programme_id, version, moved=button)
    try:
        saved = _save(typed, programme_id, version, is_submitted=button == SUBMITTED)
    except NotThere:
        abort(404)
    except DeskError as error:
        is_late = isinstance(error, ChangedMeanwhile)
        return refused(error, lambda: _form(typed, programme_id, version, is_late=is_late))
    queue.put("render_programme", programme_id=saved)
    flash(word(f"broadcast_done_{button}", language()), "done")
    return redirect(url_for("desk.broadcast", programme_id=saved))


def _save(draft: Draft, programme_id: str | None, version: int, is_submitted: bool) -> str:
    """Keep it; its id. Raises DeskError."""
    who, now = actor(), datetime.now(UTC)
    title, items, priority = draft.title, draft.items, draft.priority
    with archive().database.begin() as session:
        if programme_id is None:
            last_day = draft.last_day or None
            saved, version = compose(session, who, title, items, now, priority, last_day=last_day), 1
        else:
            saved = programme_id
            version = edit(session, who, saved, version, now, title, items, priority, last_day=draft.last_day)
        if is_submitted:
            submit(session, who, saved, version, now)
    return saved


def _kept(programme_id: str) -> Kept:
    """What the records hold; 404 for another community's."""
    with archive().database.read() as session:
        try:
            found = programme_of(session, actor(), programme_id)
        except NotThere:
            abort(404)
        items = tuple(items_of(session, programme_id))
        draft = Draft(found.title, found.priority == "emergency", found.last_day or "", items)
        return Kept(draft, found.version, name_of(session, found.changed_by), found.changed_at)


def _form(
    draft: Draft, programme_id: str | None = None, version: int = 0, moved: str = "", is_late: bool = False
) -> str:
    """The form. `moved` is the button that was pressed; `is_late`: somebody else has saved meanwhile.

    Who is late sees both; what they save next is theirs, knowingly.
    """
    other = _kept(programme_id) if is_late and programme_id else None
    with archive().database.read() as session:
        offers = offers_for(session, reader().community_id, draft.items)
    lengths = [offers.seconds(item, draft.is_emergency) for item in draft.items]
    contents = [offers.content(item, draft.is_emergency) for item in draft.items]
    return render_template(
        "desk/broadcasts/edit.html",
        draft=draft,
        rows=list(zip(draft.items, map(ref_of, draft.items), contents, lengths, strict=True)),
        seconds=sum(lengths),
        longest=LONG_SECONDS,
        longest_item=LONG_ITEM_SECONDS,
        offers=offers,
        programme_id=programme_id,
        version=other.version if other else version,
        other=other,
        moved=moved,
    )
