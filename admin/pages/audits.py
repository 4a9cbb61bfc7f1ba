"""The audit log: who saw or changed what, and why; narrowed down, taken away as a file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, render_template, request

from admin.pages.access import archive, reader
from admin.pages.paging import page_of, unmark
from admin.pages.words import all_words
from admin.roles import for_role
from sync.audits import PAGE, Wanted, actors, csv_file, entries
from sync.community_settings import audit as write_down
from sync.records.tables import Community


def add_audits(desk: Blueprint) -> None:
    """Put the page and the file on the desk."""
    desk.add_url_rule("/audit", "audit", audit)
    desk.add_url_rule("/audit.csv", "audit_file", file)


@for_role("audit.see")
def audit() -> str:
    """A page of the log, newest first."""
    wanted, asked = _wanted(), _asked()
    after = unmark(request.args.get("from", ""), datetime, int)
    with archive().database.read() as session:
        rows = entries(session, reader().community_id, wanted, (after[0], after[1]) if after else None)
        staff = actors(session, reader().community_id)
    last = rows[min(len(rows), PAGE) - 1] if rows else None
    page = page_of(rows, PAGE, *((last.at, last.id) if last else ()))
    known = [name.removeprefix("act_") for name in all_words() if name.startswith("act_")]
    return render_template(
        "desk/audit.html", rows=page.rows, following=page.following, staff=staff, asked=asked, acts=known
    )


@for_role("audit.see")
def file() -> Response:
    """The same as CSV, all of it. Taking it away is written down, too."""
    ours, who, wanted = archive(), reader(), _wanted()
    with ours.database.begin() as session:
        write_down(session, who.community_id, who.staff_id, "audit.exported", who.community_id)

    def pieces() -> Iterator[bytes]:
        with ours.database.read() as session:
            yield from csv_file(session, who.community_id, wanted)

    answer = Response(pieces(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-{datetime.now(UTC):%Y%m%d}.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _asked() -> dict[str, str]:
    names = ("actor", "act", "subject", "since", "until")
    return {name: request.args[name].strip()[:60] for name in names if request.args.get(name, "").strip()}


def _wanted() -> Wanted:
    asked = _asked()
    with archive().database.read() as session:
        zone = ZoneInfo(session.get_one(Community, reader().community_id).time_zone)
    until = _day(asked.get("until", ""), zone)
    return Wanted(
        actor=asked.get("actor", ""),
        act=asked.get("act", ""),
        subject=asked.get("subject", ""),
        since=_day(asked.get("since", ""), zone),
        until=until + timedelta(days=1) if until else None,
    )


def _day(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        return None
