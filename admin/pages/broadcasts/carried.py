"""Programmes as files, for loudspeakers that play from a stick: one, or all of the days to come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, abort, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as Answer

from admin.pages.access import archive, language, reader
from admin.pages.words import word
from admin.roles import for_role
from ivr.broadcast.exporting import community_files, programme_files
from ivr.broadcast.store import SoundStore
from sync.community_settings import audit
from sync.desk import DeskError, NotThere
from sync.export.zipped import File, zipped
from sync.records.tables import Community

Find = Callable[[Session, datetime], Iterator[File]]
WEEK_DAYS = 7


def add_carried(desk: Blueprint, home: Path) -> None:
    """Put the downloads on the desk. Sounds lie under `home`."""
    sounds = SoundStore.under(home)

    @for_role("broadcasts.see")
    def broadcast_files(programme_id: str) -> Answer:
        """One approved programme, with who approved it."""
        community_id, back = reader().community_id, url_for("desk.broadcast", programme_id=programme_id)

        def find(session: Session, now: datetime) -> Iterator[File]:
            return programme_files(session, sounds, community_id, programme_id, now)

        return _download(find, programme_id, back)

    @for_role("broadcasts.see")
    def broadcast_week() -> Answer:
        """All that is due in `?days=` days from tomorrow on, with a timetable."""
        community_id, days = reader().community_id, request.args.get("days", default=WEEK_DAYS, type=int)

        def find(session: Session, now: datetime) -> Iterator[File]:
            first = _tomorrow(session, community_id, now)
            return community_files(session, sounds, community_id, first, days, now)

        return _download(find, community_id, url_for("desk.broadcasts"))

    desk.add_url_rule("/broadcasts/<programme_id>/files.zip", "broadcast_files", broadcast_files)
    desk.add_url_rule("/broadcasts/week.zip", "broadcast_week", broadcast_week)


def _download(find: Find, subject: str, back: str) -> Answer:
    """A zip that is sent while it is made; where nothing may leave, the page it was asked from says why."""
    who, now = reader(), datetime.now(UTC)
    try:
        with archive().database.begin() as session:
            files = find(session, now)
            audit(session, who.community_id, who.staff_id, "broadcast.exported", subject)
    except NotThere:
        abort(404)
    except DeskError as error:
        flash(word(f"refused_{error.code}", language(), longest=error.longest), "problem")
        return redirect(back)
    answer = Response(zipped(files, now), mimetype="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="broadcast-{now:%Y%m%d}.zip"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _tomorrow(session: Session, community_id: str, now: datetime) -> date:
    zone = ZoneInfo(session.get_one(Community, community_id).time_zone)
    return now.astimezone(zone).date() + timedelta(days=1)
