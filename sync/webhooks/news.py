"""What an endpoint is to be told next: the feed's events behind its own place in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sync.changes import Cursor, after
from sync.leases import is_due
from sync.records.tables import Endpoint, Platform


@dataclass(frozen=True)
class News:
    """One CloudEvent, and the place in the feed behind it."""

    event: dict[str, Any]
    cursor: str

    @property
    def id(self) -> str:
        """The event's id: the webhook's, too, however often it is sent."""
        return str(self.event["id"])

    @property
    def type(self) -> str:
        """`cn.tingjian.<record>.<act>`."""
        return str(self.event["type"])

    @property
    def subject(self) -> str:
        """The id of the record it is about."""
        return str(self.event["subject"])


def news_behind(session: Session, endpoint_id: str, cursor: str, limit: int) -> list[News]:
    """The next events for an endpoint, oldest first."""
    endpoint = session.get_one(Endpoint, endpoint_id)
    xact, _, number = cursor.partition(".")
    return [
        News(
            {
                "specversion": "1.0",
                "id": f"{change.xact}.{change.id}",
                "source": f"/communities/{change.community_id}",
                "type": f"cn.tingjian.{change.record}.{change.act}",
                "subject": change.record_id,
                "time": change.changed_at.isoformat(),
            },
            f"{change.xact}.{change.id}",
        )
        for change in after(session, endpoint.community_id, Cursor(int(xact), int(number)), limit)
    ]


def endpoints_behind(session: Session, now: datetime) -> Iterator[str]:
    """The endpoints of living platforms that something waits for and nobody tells just now."""
    rows = session.scalars(
        select(Endpoint)
        .join(Platform, Platform.id == Endpoint.platform_id)
        .where(Endpoint.state == "active", or_(Platform.expires_at.is_(None), Platform.expires_at > now))
        .order_by(Endpoint.id)
    ).all()
    for endpoint in rows:
        if is_due(endpoint, now) and news_behind(session, endpoint.id, endpoint.cursor, 1):
            yield endpoint.id
