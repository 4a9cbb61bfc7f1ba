"""An endpoint is told what is new, in the feed's order, each event until it is taken; then it goes on."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.errors import KeyDestroyed
from sync.leases import hold, is_due, let_go, worker_name
from sync.records.tables import Endpoint, Platform
from sync.webhooks.addresses import Reach
from sync.webhooks.endpoints import pause, secrets_of
from sync.webhooks.log import logged
from sync.webhooks.news import News, next_news
from sync.webhooks.sending import LONGEST_SECONDS, Sent, send

LOG = logging.getLogger("tingjian.webhooks")
# Standard Webhooks' own schedule, stretched to five days: seconds between one failed try and the next.
PAUSES_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
JITTER = 0.1  # so that endpoints which failed together do not come back together
DEAD_AFTER, LEAST_TRIES = timedelta(days=5), 10
RUN_SECONDS = 60.0  # then other endpoints have their turn
_HOLD_SECONDS = RUN_SECONDS + 4 * LONGEST_SECONDS
ACTOR = "webhooks"
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class _Held:
    """An endpoint that this worker tells just now."""

    endpoint_id: str
    url: str
    secrets: tuple[str, ...]
    cursor: str


def deliver(archive: Archive, endpoint_id: str, reach: Reach, clock: Clock) -> bool:
    """Tell one endpoint what is new, for at most RUN_SECONDS. True when there may be more at once.

    Killed between sending and writing that down, the same event is sent again under the same id. Several
    workers may try: one does it, the others leave it alone.
    """
    until = time.monotonic() + RUN_SECONDS
    held = _take(archive, endpoint_id, clock())
    while held is not None:
        with archive.database.read() as session:
            news = next_news(session, held.endpoint_id, held.cursor, clock())
        if news is None or time.monotonic() > until:
            _give_back(archive, held)
            return news is not None
        held = _step(archive, held, news, reach, clock)
    return False


def retry_seconds(tries: int, chance: float) -> float:
    """How long after the failed try number `tries` (1 is the first) the next is due; `chance` in 0…1."""
    pause = PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS)) - 1]
    return pause * (1 + JITTER * (2 * chance - 1))


def _take(archive: Archive, endpoint_id: str, now: datetime) -> _Held | None:
    """Hold the endpoint, unless there is nothing to do for it or another worker does it."""
    with archive.database.begin() as session:
        endpoint = session.get(Endpoint, endpoint_id, with_for_update=True)
        if endpoint is None or endpoint.state != "active" or not is_due(endpoint, now):
            return None
        platform = session.get_one(Platform, endpoint.platform_id)
        if platform.expires_at is not None and platform.expires_at <= now:
            return None
        try:
            secrets = tuple(secrets_of(session, archive, endpoint, now))
        except KeyDestroyed:
            return None
        hold(endpoint, now, _HOLD_SECONDS)
        return _Held(endpoint.id, endpoint.url, secrets, endpoint.cursor)


def _step(archive: Archive, held: _Held, news: News, reach: Reach, clock: Clock) -> _Held | None:
    """Send what is to be sent, go on behind it; None when there is no going on now."""
    now, sent = clock(), None
    if news.event is not None:
        body = json.dumps(news.event, ensure_ascii=False, separators=(",", ":"))
        sent = send(held.url, str(news.event["id"]), body, held.secrets, now, reach)
    with archive.database.begin() as session:
        endpoint = _ours(session, held.endpoint_id)
        if endpoint is None:
            return None
        if sent is not None:
            session.add(logged(endpoint.id, news.told, sent, now))
            if not sent.is_taken:
                _put_off(session, endpoint, sent, now)
                return None
            endpoint.tries, endpoint.failing_since, endpoint.problem = 0, None, None
        endpoint.cursor = news.cursor
        hold(endpoint, clock(), _HOLD_SECONDS)
    return replace(held, cursor=news.cursor)


def _put_off(session: Session, endpoint: Endpoint, sent: Sent, now: datetime) -> None:
    """Later again; never again where it says so; not before somebody resumes it when it is dead."""
    endpoint.tries += 1
    endpoint.problem = f"{sent.problem} {sent.status}" if sent.status else sent.problem
    endpoint.failing_since = endpoint.failing_since or now
    if sent.is_gone:
        pause(session, endpoint, ACTOR, now, "gone")
    elif now - endpoint.failing_since >= DEAD_AFTER and endpoint.tries >= LEAST_TRIES:
        pause(session, endpoint, ACTOR, now)
    else:
        seconds = retry_seconds(endpoint.tries, random.random())
        endpoint.held_by, endpoint.next_try_at = None, now + timedelta(seconds=seconds)
        return
    LOG.error("webhook %s is %s now: %s", endpoint.id, endpoint.state, endpoint.problem)


def _give_back(archive: Archive, held: _Held) -> None:
    with archive.database.begin() as session:
        if (endpoint := _ours(session, held.endpoint_id)) is not None:
            let_go(endpoint)


def _ours(session: Session, endpoint_id: str) -> Endpoint | None:
    """The endpoint while it is active and this worker still holds it."""
    endpoint = session.get(Endpoint, endpoint_id, with_for_update=True)
    if endpoint is None or endpoint.state != "active" or endpoint.held_by != worker_name():
        return None
    return endpoint
