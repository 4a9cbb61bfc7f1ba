"""The roster: homes and names, a file checked before it is taken over, a name taken off."""

from __future__ import annotations

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin import roster_import
from admin.pages.access import archive, reader
from admin.pages.doing import actor, attempt_within, done, now
from admin.pages.paging import page_of, unmark
from admin.roles import for_role
from admin.roster_homes import PAGE, homes, remove_name
from sync.community_settings import audit
from sync.queue import WorkQueue
from sync.records.tables import RosterImport

LARGEST_FILE_BYTES = 8 * 1024 * 1024
Answer = str | Response | tuple[str, int]


def add_roster(desk: Blueprint, queue: WorkQueue) -> None:
    """Put the pages and the acts on the desk. Taking a file over is the worker's."""

    @for_role("roster.write")
    def begin(import_id: str) -> Answer:
        """Take the file over; asked again, go on where a worker stopped."""
        problem = attempt_within(lambda session: roster_import.begin(session, archive(), actor(), import_id))
        if problem:
            return show_import(import_id), problem
        if not queue.put("import_roster", draft_id=import_id):
            roster_import.run_import(archive(), import_id)  # without Redis the page itself takes it over
        return redirect(url_for("desk.roster_import", import_id=import_id))

    desk.add_url_rule("/roster", "roster", roster)
    desk.add_url_rule("/roster/check", "roster_check", check, methods=["POST"])
    desk.add_url_rule("/roster/imports/<import_id>", "roster_import", show_import)
    desk.add_url_rule("/roster/imports/<import_id>/begin", "roster_begin", begin, methods=["POST"])
    desk.add_url_rule("/roster/imports/<import_id>/drop", "roster_drop", drop, methods=["POST"])
    desk.add_url_rule("/roster/names/<resident_id>/remove", "roster_remove", remove, methods=["POST"])


@for_role("roster.see")
def roster() -> str:
    """A page of homes; `?q=` the beginning of a reference, or a telephone number."""
    return _page(request.args.get("q", "").strip()[:60])


@for_role("roster.write")
def check() -> Answer:
    """A file that may be taken over: what it would change."""
    upload = request.files.get("file")
    raw, made = upload.read(LARGEST_FILE_BYTES) if upload else b"", list[RosterImport]()
    problem = attempt_within(
        lambda session: made.append(roster_import.check(session, archive(), actor(), raw, now()))
    )
    if problem:
        return _page(""), problem
    return redirect(url_for("desk.roster_import", import_id=made[0].id))


@for_role("roster.see")
def show_import(import_id: str) -> str:
    """One import: what it would change, how far it is, what it did."""
    with archive().database.read() as session:
        draft = session.get(RosterImport, import_id)
        if draft is None or draft.community_id != reader().community_id:
            abort(404)
        is_checked = draft.state == "checked" and draft.sealed_entries is not None
        checked = roster_import.preview(session, archive(), draft) if is_checked else None
    return render_template("desk/roster_import.html", draft=draft, checked=checked, shown=roster_import.SHOWN)


@for_role("roster.write")
def drop(import_id: str) -> Answer:
    """Don't take the file over."""
    attempt_within(lambda session: roster_import.drop(session, archive(), actor(), import_id, now()))
    done("done_roster_dropped")
    return redirect(url_for("desk.roster"))


@for_role("roster.write")
def remove(resident_id: str) -> Answer:
    """Take one name off."""
    problem = attempt_within(lambda session: remove_name(session, archive(), actor(), resident_id, now()))
    if problem is None:
        done("done_roster_removed")
    return redirect(url_for("desk.roster", q=request.form.get("q", "")[:60]))


def _page(asked: str) -> str:
    ours, who = archive(), reader()
    after = unmark(request.args.get("from", ""), str)
    with ours.database.begin() as session:
        found = homes(session, ours, who.community_id, asked, after[0] if after else None)
        if found:
            audit(session, who.community_id, who.staff_id, "roster.seen", who.community_id)
    page = page_of(found, PAGE, found[min(len(found), PAGE) - 1].reference if found else "")
    return render_template("desk/roster.html", homes=page.rows, following=page.following, asked=asked)
