"""The door where loudspeakers fetch a programme: a signed link that expires, approved sound, nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from threading import BoundedSemaphore

from flask import Blueprint, Response, send_file
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from ivr.broadcast.loudspeakers import BroadcastError, SoundFile
from ivr.broadcast.sound_links import PATH, SoundLink, SoundLinks
from ivr.broadcast.store import ENDINGS, SoundStore
from ivr.web.patience import log_problem
from sync.archive import Archive
from sync.broadcasting.approving import may_be_loud
from sync.errors import RecordsError
from sync.records.tables import Airing, Programme

MOST_AT_ONCE = 4
"""Of this process's threads, so many may be busy with loudspeakers on slow lines; the others answer calls."""
RETRY_SECONDS = 2


def create_sound_door(archive: Archive, home: Path) -> Blueprint:
    """`GET /broadcast/sound/<token>`: 200, 206 and 416 (ranges); 404: not to be heard; 503: later."""
    links, store, hands = SoundLinks(archive), SoundStore.under(home), BoundedSemaphore(MOST_AT_ONCE)
    blueprint = Blueprint("broadcast", __name__)

    def sound(token: str) -> Response:
        """The file behind a link, as long as its airing goes on and its programme is approved."""
        link = links.read(token, datetime.now(UTC))
        try:
            found = link and _found(archive, store, link)
        except RecordsError as error:
            log_problem(error, "")
            return _later()
        if not found:
            return Response("", 404, mimetype="text/plain")
        if not hands.acquire(blocking=False):
            return _later()
        try:
            response = send_file(found.path, found.media_type, conditional=True, etag=found.sha256)
        except (OSError, RequestedRangeNotSatisfiable) as problem:
            hands.release()
            return Response("", 404 if isinstance(problem, OSError) else 416, mimetype="text/plain")
        response.direct_passthrough = False  # otherwise nobody is told when it is closed
        response.call_on_close(hands.release)
        response.headers["Cache-Control"] = "no-store"
        return response

    blueprint.add_url_rule(f"{PATH}<token>", view_func=sound)
    return blueprint


def _found(archive: Archive, store: SoundStore, link: SoundLink) -> SoundFile | None:
    """The file a link is for, when it may be heard at this moment."""
    with archive.database.read() as session:
        airing = session.get(Airing, link.airing_id)
        programme = session.get(Programme, airing.programme_id) if airing and airing.programme_id else None
        if airing is None or programme is None or airing.digest is None:
            return None
        is_on = airing.state in ("planned", "airing") and may_be_loud(programme)
        if not is_on or programme.approved_digest != airing.digest:
            return None
        digest = airing.digest
    try:
        files = [store.file(digest, form) for form in ENDINGS]
    except BroadcastError:
        return None
    return next((file for file in files if file.sha256 == link.sha256), None)


def _later() -> Response:
    return Response("", 503, {"Retry-After": str(RETRY_SECONDS)}, mimetype="text/plain")
