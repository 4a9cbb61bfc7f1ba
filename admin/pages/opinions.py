"""Two pages: the list of what residents said, and one opinion with its sound, words and replies."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, abort, render_template, request

from admin.pages.access import archive, language, reader
from admin.pages.reading import PAGE, Read, count_open, read_opinion, read_page
from admin.roles import for_role
from sync.community_settings import audit
from sync.matters import matter_of
from sync.problems import problem_in

FILTERS = ("review", "waiting", "approved", "rejected", "all")


def add_opinions(desk: Blueprint) -> None:
    """Put both pages on the desk."""
    desk.add_url_rule("/", "opinions", opinions)
    desk.add_url_rule("/opinions/<opinion_id>", "opinion", opinion)


@for_role("voices.see")
def opinions() -> str:
    """A page of the list; `?state=` one of `FILTERS`, `?before=` where the page before it ended."""
    state = request.args.get("state", "all")
    state = state if state in FILTERS else "all"
    ours, who = archive(), reader()
    before = _place(request.args.get("before", ""))
    with ours.database.read() as session:
        rows = read_page(session, ours, who.community_id, None if state == "all" else state, before)
        counts = count_open(session, who.community_id)
    older = _mark(rows[-1]) if len(rows) == PAGE else None
    return render_template(
        "desk/opinions.html", rows=rows, counts=counts, filters=FILTERS, state=state, older=older
    )


@for_role("voices.see")
def opinion(opinion_id: str) -> str:
    """One opinion."""
    return show(opinion_id, {})


def show(opinion_id: str, typed: dict[str, str]) -> str:
    """The page of one opinion, `typed` being what a reader wrote in vain: text by act."""
    ours, who = archive(), reader()
    with ours.database.read() as session:
        found = read_opinion(session, ours, who.community_id, opinion_id)
        matter = matter_of(session, opinion_id) if found else None
    if found is None:
        abort(404)
    with ours.database.begin() as session:
        audit(session, who.community_id, who.staff_id, "opinion_seen", opinion_id)
    return render_template(
        "desk/opinion.html",
        row=found,
        one=found.opinion,
        problem=problem_in(language(), found.opinion.problem),
        typed=typed,
        matter=matter,
    )


def _mark(last: Read) -> str:
    return f"{last.opinion.said_at.timestamp():.6f} {last.opinion.id}"


def _place(mark: str) -> tuple[datetime, str] | None:
    moment, _, opinion_id = mark.partition(" ")
    try:
        return (datetime.fromtimestamp(float(moment), UTC), opinion_id) if opinion_id else None
    except (ValueError, OverflowError, OSError):
        return None
