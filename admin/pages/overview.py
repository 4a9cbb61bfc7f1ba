"""The overview: one screen of numbers, each of which opens the list behind it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, render_template, request

from admin.pages.access import archive, language, reader
from admin.pages.doing import now
from admin.pages.paging import page_of, unmark
from admin.pages.words import known_word
from admin.roles import for_role
from sync import overview_lists as lists
from sync.overview import PERIODS, overview, place_of
from sync.overview_queries import Scope, scope_of

PAGE = 50
_NUMBER = re.compile(r"[._](\d+)(?=\.|$)")  # of an opinion, a neighbour, a seat
LISTS = ("calls", "opinions", "judged", "corrections")


def add_overview(desk: Blueprint) -> None:
    """Put the screen and its lists on the desk."""
    desk.add_url_rule("/overview", "overview", show)
    desk.add_url_rule("/overview/<what>", "overview_list", listed)


@for_role("overview.see")
def show() -> str:
    """The screen; `?days=` one of `PERIODS`."""
    days = _days()
    with archive().database.read() as session:
        found = overview(session, reader().community_id, days, now())
    return render_template(
        "desk/overview.html", found=found, days=days, periods=PERIODS, now=now(), stopped_at=stopped_at
    )


@for_role("overview.see")
def listed(what: str) -> str:
    """What stands behind one number: one of `LISTS`, narrowed by the address."""
    if what not in LISTS:
        abort(404)
    days, asked = _days(), {name: value[:80] for name, value in request.args.items() if name != "from"}
    after = unmark(request.args.get("from", ""), datetime, str)
    with archive().database.read() as session:
        scope = scope_of(session, reader().community_id, days, now())
        rows = lists.page(
            session, _query(what, scope, asked), what, (after[0], after[1]) if after else None, PAGE
        )
    shown = rows[:PAGE]
    page = page_of(rows, PAGE, *((shown[-1][1], shown[-1][0]) if shown else ()))
    return render_template(
        "desk/overview_list.html", what=what, rows=page.rows, following=page.following, asked=asked,
        days=days,
        filters={**asked, "what": what}, place_of=place_of, stopped_at=stopped_at,
    )  # fmt: skip


def stopped_at(place: str) -> str:
    """Where in a call that is, in the reader's language: `own.2.reply` is "hearing the reply 2"."""
    numbers = _NUMBER.findall(place)
    word_id = "at_" + _NUMBER.sub("", place).replace(".", "_")
    return " ".join([known_word(word_id, language(), place), *numbers])


def _query(what: str, scope: Scope, asked: Mapping[str, str]) -> Any:
    match what:
        case "calls":
            return lists.calls(scope, asked.get("left_at", ""), asked.get("day") == "today")
        case "opinions":
            return lists.opinions(scope, asked.get("category"), asked.get("channel"))
        case "judged":
            return lists.judged(scope, asked.get("is") == "yes")
        case _:
            return lists.corrections(scope)


def _days() -> int:
    days = request.args.get("days", PERIODS[1], type=int)
    return days if days in PERIODS else PERIODS[1]
