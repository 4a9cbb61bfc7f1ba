"""The delivery log: what came of the last tries, kept for a month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.records.tables import Delivery
from sync.webhooks.sending import Sent

KEPT = timedelta(days=30)
_BATCH = 1000


def logged(endpoint_id: str, event: Mapping[str, Any], sent: Sent, sent_at: datetime) -> Delivery:
    """One try as the log keeps it."""
    return Delivery(
        endpoint_id=endpoint_id,
        event_id=event["id"],
        type=event["type"],
        subject=event["subject"],
        sent_at=sent_at,
        status=sent.status,
        problem=sent.problem,
        milliseconds=sent.milliseconds,
    )


def latest(session: Session, endpoint_id: str, most: int = 20) -> Sequence[Delivery]:
    """The last tries to tell one endpoint, newest first."""
    tries = select(Delivery).where(Delivery.endpoint_id == endpoint_id)
    return session.scalars(tries.order_by(Delivery.id.desc()).limit(most)).all()


def prune_log(archive: Archive, now: datetime) -> int:
    """Delete tries older than `KEPT`, in short transactions; how many."""
    pruned = 0
    old = select(Delivery.id).where(Delivery.sent_at < now - KEPT).order_by(Delivery.id).limit(_BATCH)
    while True:
        with archive.database.read() as session:
            ids = session.scalars(old).all()
        if not ids:
            return pruned
        with archive.database.begin() as session:
            session.execute(delete(Delivery).where(Delivery.id.in_(ids)))
        pruned += len(ids)
