"""Who has agreed to be called by us, and who is still to be asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from sync.records.tables import Consent

CALL_BACK = "call_back"
"""The purpose of the consent to be called."""

ASK_AGAIN = timedelta(days=90)
"""A no is a no for so long; then somebody may have changed their mind."""


def has_agreed(person_id: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """Whether what a person said last about being called was yes, and was not withdrawn since."""
    latest = (
        select(case((Consent.withdrawn_at.is_(None), Consent.answer), else_="withdrawn"))
        .where(Consent.person_id == person_id, Consent.purpose == CALL_BACK)
        .order_by(Consent.given_at.desc(), Consent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return latest == "pressed"


def is_to_be_asked(session: Session, people: Sequence[str], now: datetime) -> bool:
    """Whether nobody at a telephone has said yes to being called, or no of late."""
    if not people:
        return True
    rows = session.execute(
        select(Consent.person_id, Consent.answer, Consent.given_at, Consent.withdrawn_at)
        .where(Consent.person_id.in_(people), Consent.purpose == CALL_BACK)
        .order_by(Consent.given_at, Consent.id)
    )
    latest = {person_id: (answer, given, withdrawn) for person_id, answer, given, withdrawn in rows}
    return all(_may_be_asked_again(*one, now) for one in latest.values())


def _may_be_asked_again(answer: str, given: datetime, withdrawn: datetime | None, now: datetime) -> bool:
    is_no = answer != "pressed" or withdrawn is not None
    return is_no and (withdrawn or given) < now - ASK_AGAIN
