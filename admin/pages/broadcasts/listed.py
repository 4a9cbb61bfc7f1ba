"""The first page of the loudspeakers: now and next, what waits for approval, programmes, how it went."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask import Blueprint, render_template, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.announcing import ALIVE, ALIVE_SECONDS
from admin.pages.access import archive, reader
from admin.pages.broadcasts.people import names_of
from admin.pages.broadcasts.upcoming import coming, playing_now, quiet_spans
from admin.pages.paging import Key, Page, beyond, order_of, page_of, unmark
from admin.roles import for_role
from sync.broadcasting import loudspeakers_of, outcomes
from sync.called_after import called_after
from sync.records.tables import Programme

STATES = ("submitted", "draft", "approved", "withdrawn")
PAGE, LATELY = 20, 8
CALLS_DAYS = 14

_KEYS = (Key(Programme.changed_at, is_descending=True), Key(Programme.id))


def add_list(desk: Blueprint, home: Path) -> None:
    """Put the page on the desk. The announcer leaves its sign of life under `home`."""

    @for_role("broadcasts.see")
    def broadcasts() -> str:
        """`?state=` one of STATES, else all but the withdrawn; `?from=` where the page before it ended."""
        return _page(is_alive(home))

    desk.add_url_rule("/broadcasts", "broadcasts", broadcasts)


def is_alive(home: Path) -> bool:
    """Whether an announcer has looked lately; without one nothing is ever played."""
    try:
        return time.time() - (home / ALIVE).stat().st_mtime < ALIVE_SECONDS
    except OSError:
        return False


def _page(is_announcing: bool) -> str:
    state = request.args.get("state", "")
    state = state if state in STATES else ""
    community_id, now = reader().community_id, datetime.now(UTC)
    with archive().database.read() as session:
        page = _programmes(session, community_id, state)
        speakers = loudspeakers_of(session, community_id)
        return render_template(
            "desk/broadcasts/list.html",
            states=STATES,
            state=state,
            counts=_counts(session, community_id),
            page=page,
            names=names_of(session, {one.changed_by for one in page.rows}),
            now_playing=playing_now(session, community_id),
            coming=coming(session, community_id, now),
            quiet=quiet_spans(session, community_id),
            lately=outcomes(session, community_id, LATELY, now - timedelta(days=CALLS_DAYS)),
            calls=called_after(session, community_id, now - timedelta(days=CALLS_DAYS), now),
            speakers=speakers,
            is_announcing=is_announcing,
            silent=[one for one in speakers if one.state == "active" and one.presence == "gone"],
        )


def _programmes(session: Session, community_id: str, state: str) -> Page[Programme]:
    query = select(Programme).where(Programme.community_id == community_id)
    query = query.where(Programme.state == state) if state else query.where(Programme.state != "withdrawn")
    if values := unmark(request.args.get("from", ""), datetime, str):
        query = query.where(beyond(_KEYS, values))
    rows: Sequence[Programme] = session.scalars(query.order_by(*order_of(_KEYS)).limit(PAGE + 1)).all()
    last = rows[:PAGE][-1:]
    return page_of(rows, PAGE, *((last[0].changed_at, last[0].id) if last else ()))


def _counts(session: Session, community_id: str) -> dict[str, int]:
    rows = session.execute(
        select(Programme.state, func.count())
        .where(Programme.community_id == community_id)
        .group_by(Programme.state)
    )
    return {row[0]: row[1] for row in rows}
