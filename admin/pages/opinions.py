"""Two pages: the queue of what residents said, and one opinion with all that is to be done about it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from admin.pages.access import archive, language, reader
from admin.pages.queueing import STATES, Asked, find
from admin.pages.reading import count_open, read_rows
from admin.pages.seen import see, topic_choices
from admin.roles import for_role
from speech.purpose import PURPOSES
from sync.community_settings import audit
from sync.problems import problem_in
from sync.sorting import labels_of

_LONGEST_QUESTION = 100


def add_opinions(desk: Blueprint) -> None:
    """Put both pages on the desk."""
    desk.add_url_rule("/", "opinions", opinions)
    desk.add_url_rule("/opinions/<opinion_id>", "opinion", opinion)


@for_role("voices.see")
def opinions() -> str:
    """A page of the list; the address holds the filters and where the page before it ended."""
    ours, who = archive(), reader()
    given = request.args
    state = given.get("state", "review")
    asked = Asked(
        state=state if state in STATES else "review",
        category=given.get("category", "")[:40],
        topic=given.get("topic", "")[:40],
        mine=who.staff_id if given.get("hand") == "mine" else "",
        is_due=given.get("hand") == "due",
        words=given.get("q", "").strip()[:_LONGEST_QUESTION],
        start=given.get("from", "")[:400],
    )
    with ours.database.read() as session:
        page = find(session, ours, who.community_id, asked)
        rows = read_rows(session, ours, page.rows)
        counts = count_open(session, who.community_id)
        topics = topic_choices(session, who.community_id)
        categories = _choices(labels_of(session, who.community_id), asked.category)
    return render_template(
        "desk/opinions.html", rows=rows, following=page.following, counts=counts, states=STATES, asked=asked,
        filters=_filters(asked), topics=topics, categories=categories, now=datetime.now(UTC),
    )  # fmt: skip


@for_role("voices.see")
def opinion(opinion_id: str) -> str:
    """One opinion."""
    return show(opinion_id, {})


def show(opinion_id: str, typed: dict[str, str], **more: Any) -> str:
    """The page of one opinion, `typed` being what a reader wrote in vain: text by act."""
    ours, who = archive(), reader()
    with ours.database.read() as session:
        seen = see(session, ours, who.community_id, opinion_id)
        labels = labels_of(session, who.community_id)
    if seen is None:
        abort(404)
    with ours.database.begin() as session:
        audit(session, who.community_id, who.staff_id, "opinion_seen", opinion_id)
    return render_template(
        "desk/opinion.html", seen=seen, row=seen.row, one=seen.row.opinion, matter=seen.matter, typed=typed,
        drafts=seen.drafts, spoken_by=seen.spoken_by, now=datetime.now(UTC),
        categories=_choices(labels, seen.row.opinion.category), purposes=PURPOSES,
        problem=problem_in(language(), seen.row.opinion.problem),
        **more,
    )  # fmt: skip


def _choices(labels: tuple[str, ...], chosen: str | None) -> list[tuple[str, str]]:
    """The categories to choose from: those in use here, and the one that is chosen though it is no more."""
    return [(one, one) for one in dict.fromkeys((*labels, *([chosen] if chosen else [])))]


def _filters(asked: Asked) -> dict[str, str]:
    """What stays in the address from page to page."""
    hand = "mine" if asked.mine else "due" if asked.is_due else ""
    kept = {"state": asked.state, "category": asked.category, "topic": asked.topic, "q": asked.words}
    return {name: value for name, value in (kept | {"hand": hand}).items() if value}
