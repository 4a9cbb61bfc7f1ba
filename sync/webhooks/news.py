"""What an endpoint is to be told next: the feed's events behind its own place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.feed import SPEC, CursorGone, CursorUnknown, events, has_news, latest
from sync.leases import is_due
from sync.records.tables import Endpoint, Platform

RESYNC = "cn.tingjian.feed.resync"
_LEAP = 100  # events that an endpoint does not want are passed over so many at a time

Json = dict[str, Any]


@dataclass(frozen=True)
class News:
    """One step through the feed: the event to be told, if it is wanted, and the place behind it."""

    cursor: str
    event: Json | None = None

    @property
    def told(self) -> Json:
        """The event of a step that has one."""
        assert self.event is not None
        return self.event


def next_news(session: Session, endpoint_id: str, cursor: str, now: datetime) -> News | None:
    """The next step behind a place; None where there is nothing new. The record is read at this moment.

    Where the feed no longer knows what follows, one event of type RESYNC says so, wanted or not.
    """
    endpoint = session.get(Endpoint, endpoint_id)
    if endpoint is None:  # taken away meanwhile
        return None
    scopes = _scopes(session.get_one(Platform, endpoint.platform_id))
    wanted = frozenset(map(str, endpoint.types))
    for limit in (_LEAP, 1) if wanted else (1,):
        try:
            page = events(session, endpoint.community_id, cursor, limit, scopes, now)
        except (CursorGone, CursorUnknown):
            place = latest(session, endpoint.community_id)
            return News(place, _resync(endpoint.community_id, cursor, place, now))
        found = [one for one in page.events if not wanted or one["type"] in wanted]
        if not found:  # nothing on the whole page is for this endpoint
            return News(page.next_cursor) if page.next_cursor != cursor else None
        if limit == 1:
            return News(page.next_cursor, found[0])
    return None


def endpoints_behind(session: Session, now: datetime) -> Iterator[str]:
    """The endpoints of living platforms that something waits for and nobody tells just now."""
    is_alive = or_(Platform.expires_at.is_(None), Platform.expires_at > now)
    rows = session.execute(
        select(Endpoint, Platform)
        .join(Platform, Platform.id == Endpoint.platform_id)
        .where(Endpoint.state == "active", is_alive)
        .order_by(Endpoint.id)
    ).all()
    for endpoint, platform in rows:
        if is_due(endpoint, now) and _is_behind(session, endpoint, platform):
            yield endpoint.id


def _is_behind(session: Session, endpoint: Endpoint, platform: Platform) -> bool:
    try:
        return has_news(session, endpoint.community_id, endpoint.cursor, _scopes(platform))
    except (CursorGone, CursorUnknown):
        return True


def _scopes(platform: Platform) -> frozenset[str]:
    return frozenset(map(str, platform.scopes))


def _resync(community_id: str, cursor: str, latest: str, now: datetime) -> Json:
    """Its id follows from the place that is lost, so that it stays the same however often it is sent."""
    return {
        "specversion": SPEC,
        "id": f"resync.{cursor}",
        "source": f"urn:tingjian:{community_id}",
        "type": RESYNC,
        "subject": community_id,
        "time": now.isoformat(),
        "datacontenttype": "application/json",
        "data": {"cursor": latest},
    }
