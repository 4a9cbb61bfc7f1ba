"""Whether a wish to be called still stands when its moment has come."""

from __future__ import annotations

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from sync.placing.consents import has_agreed
from sync.placing.rules import DANGER, MISSED, REPLY, REQUEST
from sync.records.tables import Alert, Opinion, Person, PlacedCall, Reply, Request


def no_longer_wanted(session: Session, placed: PlacedCall) -> str:
    """Why a wish that still waits is not to be fulfilled any more; '' when it is."""
    if placed.number_id is None:
        return "erased"
    if placed.reason == MISSED:
        return _has_rung_again(session, placed) or _was_reached_since(session, placed)
    if placed.reason == REQUEST:
        request = session.get(Request, placed.about)
        return "settled" if request is None or request.settled_at else ""
    if placed.reason == DANGER:
        return _is_taken(session, placed)
    return _reply_is_told(session, placed) if placed.reason == REPLY else "unknown"


def _has_rung_again(session: Session, placed: PlacedCall) -> str:
    """They rang once more: that later wish stands for this one."""
    later = exists().where(
        PlacedCall.number_id == placed.number_id,
        PlacedCall.reason == MISSED,
        PlacedCall.made_at > placed.made_at,
    )
    return "rang_again" if session.scalar(select(later)) else ""


def _was_reached_since(session: Session, placed: PlacedCall) -> str:
    """Another of this number's wishes was fulfilled, after they rang for this one."""
    since = exists().where(
        PlacedCall.number_id == placed.number_id,
        PlacedCall.id != placed.id,
        PlacedCall.reason.in_((MISSED, REQUEST)),
        PlacedCall.state == "reached",
        PlacedCall.settled_at > placed.made_at,
    )
    return "reached_meanwhile" if session.scalar(select(since)) else ""


def _is_taken(session: Session, placed: PlacedCall) -> str:
    """Somebody sees to it, or its speaker has taken the words back."""
    alert = session.get(Alert, placed.about)
    if alert is None:
        return "taken_back"
    return "taken" if alert.taken_at is not None else ""


def _reply_is_told(session: Session, placed: PlacedCall) -> str:
    reply = session.get(Reply, placed.about)
    if reply is None or not reply.spoken:
        return "taken_back"
    if reply.heard_at is not None:
        return "heard"
    newer = exists().where(Reply.opinion_id == reply.opinion_id, Reply.published_at > reply.published_at)
    if session.scalar(select(newer)):
        return "newer_reply"
    opinion = session.get_one(Opinion, reply.opinion_id)
    agreed = select(Person.id).where(Person.id == opinion.person_id, has_agreed(Person.id))
    return "" if session.scalar(agreed) else "consent_withdrawn"
