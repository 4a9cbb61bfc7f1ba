"""Calls to a community's duty phone: somebody may be in danger; repeated until one is taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import setting
from sync.people import find_or_create_number, normalise_number, person_at
from sync.placing.policy import DUTY_PHONE
from sync.placing.rules import DANGER
from sync.placing.wishes import callable_number, wish
from sync.records.alerts import UNTAKEN
from sync.records.tables import Alert, Opinion, PlacedCall

MOST_TOLD = 3
"""Alerts told in one call: more are not kept in mind, and a call of its own follows for them."""


@dataclass(frozen=True)
class Told:
    """What the duty phone is told of an alert: the kind of danger and a receipt; no word, no number."""

    opinion_id: str
    danger: str
    receipt: str


def wish_danger(
    session: Session, archive: Archive, community_id: str, opinion_id: str, now: datetime
) -> bool:
    """Let the duty phone be called for an alert, at any hour; False where the community has set none.

    The legal ground is not consent: PIPL 13(4), to protect somebody's life in an emergency. The number is
    that of the community's own staff, who agreed to be on duty.
    """
    number = callable_number(session, archive, community_id, duty_phone(session, community_id))
    if number is None:
        return False
    person = person_at(session, archive, community_id, number)
    return wish(session, community_id, number.id, person.id, DANGER, opinion_id, now, first_at=now)


def duty_phone(session: Session, community_id: str) -> str:
    """The number that is called, "" where there is none."""
    return str(setting(session, community_id, DUTY_PHONE) or "")


def point_to_duty(session: Session, archive: Archive, placed: PlacedCall) -> str:
    """Let a wish lead to whoever is on duty now; why there is nobody, "" where there is somebody."""
    e164 = normalise_number(duty_phone(session, placed.community_id))
    if e164 is None:
        return "no_duty_phone"
    number = find_or_create_number(session, archive, placed.community_id, e164)
    if number.id != placed.number_id:
        placed.number_id = number.id
        placed.person_id = person_at(session, archive, placed.community_id, number).id
    return ""


def told_now(session: Session, community_id: str, first: str) -> Sequence[Told]:
    """What a call that was answered tells: the alert it is about, then the oldest others that are open."""
    rows = session.execute(
        select(Alert.opinion_id, Alert.danger, Opinion.receipt)
        .join(Opinion, Opinion.id == Alert.opinion_id)
        .where(UNTAKEN, Alert.community_id == community_id)
        .order_by(Alert.opinion_id != first, Alert.raised_at, Alert.opinion_id)
        .limit(MOST_TOLD)
    )
    return [Told(opinion_id, danger, receipt or "") for opinion_id, danger, receipt in rows]
