"""Alerts of danger: raised in the transaction that writes the words, open until somebody takes them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.changes import note
from sync.community_settings import audit, setting
from sync.pending import Batch, Pending
from sync.placing.dangers import wish_danger
from sync.placing.rules import DANGER
from sync.records.alerts import UNTAKEN
from sync.records.placed import OPEN
from sync.records.tables import Alert, Call, Opinion, OpinionRecording, PlacedCall, Recording
from sync.shown.changed import URGENT
from sync.upsert import insert_or_ignore

if TYPE_CHECKING:  # its dictionaries are large, and most who import this never hear of danger
    from speech.urgency import Danger

LOG = logging.getLogger("tingjian.alerts")
URGENT_EVENTS = "urgent_events"
"""The setting by which platforms are told of danger by an event of its own, on unless switched off."""
PHONE = "phone"
MOST_COUNTED = 100
TOO_LONG = timedelta(minutes=10)
"""Who waits so long to be heard may be in danger, and nobody knows."""
_MOST_OPEN = 50


@dataclass(frozen=True)
class OpenAlert:
    """An alert that nobody has taken: the opinion, its receipt, and how often the duty phone was called."""

    opinion_id: str
    danger: str
    receipt: str
    said_at: datetime
    raised_at: datetime
    calls: int


def raise_alert(session: Session, archive: Archive, opinion: Opinion, danger: Danger, now: datetime) -> None:
    """Somebody may be in danger: the desk shows it, the duty phone is called, platforms are told. Once."""
    is_new = insert_or_ignore(
        session,
        Alert,
        ("opinion_id",),
        opinion_id=opinion.id,
        community_id=opinion.community_id,
        danger=danger.label,
        confidence=danger.confidence,
        said_at=_hung_up_at(session, opinion.id) or opinion.said_at,
        raised_at=now,
        taken_at=None,
        taken_by=None,
    )
    if not is_new:
        return
    LOG.warning("opinion %s: an alert is raised", opinion.id)
    if setting(session, opinion.community_id, URGENT_EVENTS, True):
        note(session, "opinion", opinion.id, opinion.community_id, URGENT, now)
    wish_danger(session, archive, opinion.community_id, opinion.id, now)


def open_alerts(session: Session, community_id: str) -> Sequence[OpenAlert]:
    """Alerts that nobody has taken yet, the oldest first."""
    is_its_call = and_(PlacedCall.reason == DANGER, PlacedCall.about == Alert.opinion_id)
    tries = func.coalesce(PlacedCall.tries, 0)
    rows = session.execute(
        select(Alert.opinion_id, Alert.danger, Opinion.receipt, Alert.said_at, Alert.raised_at, tries)
        .join(Opinion, Opinion.id == Alert.opinion_id)
        .outerjoin(PlacedCall, is_its_call)
        .where(UNTAKEN, Alert.community_id == community_id)
        .order_by(Alert.raised_at, Alert.opinion_id)
        .limit(_MOST_OPEN)
    )
    return [
        OpenAlert(one, danger, receipt or "", said_at, raised_at, calls)
        for one, danger, receipt, said_at, raised_at, calls in rows
    ]


def is_untaken(session: Session, opinion_id: str) -> bool:
    """Whether there is an alert of this opinion that nobody has taken."""
    alert = select(Alert.opinion_id).where(UNTAKEN, Alert.opinion_id == opinion_id)
    return session.scalar(alert) is not None


def unheard(session: Session, community_id: str, now: datetime) -> int:
    """How many opinions have waited TOO_LONG for their words; counted to MOST_COUNTED."""
    late = select(Opinion.id).where(
        Opinion.community_id == community_id, Opinion.state == "waiting", Opinion.said_at < now - TOO_LONG
    )
    return session.scalar(select(func.count()).select_from(late.limit(MOST_COUNTED).subquery())) or 0


def take_alert(session: Session, opinion_id: str, community_id: str, by: str, now: datetime) -> bool | None:
    """Somebody sees to it: nobody is called for it any more. False where it is taken, None for none such."""
    alert = session.get(Alert, opinion_id, with_for_update=True)
    if alert is None or alert.community_id != community_id:
        return None
    if alert.taken_at is not None:
        return False
    alert.taken_at, alert.taken_by = now, by
    called = update(PlacedCall).where(OPEN, PlacedCall.reason == DANGER, PlacedCall.about == opinion_id)
    session.execute(called.values(state="reached", settled_at=now, problem=None))
    audit(session, community_id, by, "alert_taken", opinion_id)
    return True


def apply_taken(batch: Batch, captures: Iterable[Pending]) -> None:
    """A key was pressed at the duty phone: what was told there is taken."""
    for capture in captures:
        told = capture.payload.get("alerts")
        if not isinstance(told, list):
            batch.refused(capture, "malformed")
            continue
        for opinion_id in map(str, told):
            take_alert(batch.session, opinion_id, capture.community_id, PHONE, capture.cast_at)
        batch.merged(capture)


def _hung_up_at(session: Session, opinion_id: str) -> datetime | None:
    """When the call ended in which it was said."""
    return session.scalar(
        select(func.max(Call.ended_at))
        .join(Recording, Recording.call_id == Call.id)
        .join(OpinionRecording, OpinionRecording.recording_id == Recording.id)
        .where(OpinionRecording.opinion_id == opinion_id)
    )
