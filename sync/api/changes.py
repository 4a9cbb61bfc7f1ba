"""The feed over the API: pages of events, 410 with the way back, and waiting for what is new."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from sync import feed
from sync.api.asked import Asked, Json
from sync.api.paging import limit_of, whole
from sync.api.problems import Problem

USUAL_EVENTS, MOST_EVENTS = 100, 1000
LONGEST_WAIT_SECONDS = 25
MOST_WAITING = 2  # in one process of eight threads: callers on the phone must never queue behind readers
_LOOK_SECONDS = 0.2
_CHAIRS = threading.BoundedSemaphore(MOST_WAITING)


def changes(session: Session, asked: Asked) -> Json:
    """One page of the feed. Problem 400 for what is no cursor, 410 for one whose sequel is gone."""
    limit = limit_of(asked.arguments, USUAL_EVENTS, MOST_EVENTS)
    caller = asked.caller
    with _told_kindly():
        page = feed.events(
            session, caller.community_id, asked.arguments.get("cursor"), limit, caller.scopes, asked.now
        )
    return {"items": page.events, "has_more": page.has_more, "next_cursor": page.next_cursor}


def wait_for_changes(asked: Asked) -> None:
    """Return once there is something behind the cursor, or after `wait` seconds; behind `latest` at once.

    Holds no session while it waits; where enough others wait in this process, returns at once. Problem 422
    for a `wait` that makes no sense, and those of `changes`.
    """
    seconds = whole(asked.arguments.get("wait", "0"))
    if seconds is None or seconds > LONGEST_WAIT_SECONDS:
        raise Problem(422, f"wait is a number of seconds from 0 to {LONGEST_WAIT_SECONDS}")
    is_end = asked.arguments.get("cursor") == feed.LATEST  # whose page is empty whatever comes
    if not seconds or is_end or not _CHAIRS.acquire(blocking=False):
        return
    try:
        until = time.monotonic() + seconds
        while not _has_news(asked) and (left := until - time.monotonic()) > 0:
            time.sleep(min(_LOOK_SECONDS, left))
    finally:
        _CHAIRS.release()


def _has_news(asked: Asked) -> bool:
    caller = asked.caller
    with asked.archive.database.read() as session, _told_kindly():
        return feed.has_news(session, caller.community_id, asked.arguments.get("cursor"), caller.scopes)


@contextmanager
def _told_kindly() -> Iterator[None]:
    try:
        yield
    except feed.CursorUnknown as error:
        raise Problem(400, str(error)) from error
    except feed.CursorGone as error:
        resync = {"read": ["/api/v1/topics", "/api/v1/feedback", "/api/v1/progress"], "cursor": error.latest}
        detail = (
            "what follows this cursor is no longer known: read all records anew, then go on from `cursor`"
        )
        raise Problem(410, detail, more={"resync": resync}) from error
