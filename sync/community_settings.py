"""Settings of a community: an audited table, read by name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from sync.records.tables import Audit, Setting

KEEP_MONTHS, DEFAULT_KEEP_MONTHS = "keep_months", 12
KEEP_CHANGES_DAYS, DEFAULT_KEEP_CHANGES_DAYS = "keep_changes_days", 400  # how far back the feed goes
PROMISED_BEFORE = "keep_months_before"  # (until when, how many months) of every earlier notice


def setting(session: Session, community_id: str, name: str, default: Any = None) -> Any:
    """The value a community has set, or `default`."""
    found = session.get(Setting, (community_id, name))
    return default if found is None else found.value


def change_setting(session: Session, community_id: str, name: str, value: Any, actor: str) -> None:
    """Set a value (anything JSON can hold). The audit says who changed which setting, never to what.

    Of `keep_months` the earlier values stay known: who spoke under a notice is owed what that notice said.
    """
    now = datetime.now(UTC)
    found = session.get(Setting, (community_id, name))
    if found is not None and found.value == value:
        return
    if name == KEEP_MONTHS:
        promised = setting(session, community_id, KEEP_MONTHS) or DEFAULT_KEEP_MONTHS
        before = setting(session, community_id, PROMISED_BEFORE, [])
        _write(session, community_id, PROMISED_BEFORE, [*before, [now.isoformat(), promised]], actor, now)
    _write(session, community_id, name, value, actor, now)
    audit(session, community_id, actor, "setting_changed", name)


def _write(session: Session, community_id: str, name: str, value: Any, actor: str, now: datetime) -> None:
    found = session.get(Setting, (community_id, name))
    if found is None:
        found = Setting(community_id=community_id, name=name, value=value)
        session.add(found)
    found.value, found.changed_at, found.changed_by = value, now, actor


def audit(
    session: Session,
    community_id: str | None,
    actor: str,
    act: str,
    subject: str,
    reason: str | None = None,
    **details: Any,
) -> None:
    """Write down who did what to which record and why, in the transaction that does it."""
    session.add(
        Audit(
            community_id=community_id,
            at=datetime.now(UTC),
            actor=actor,
            act=act,
            subject=subject,
            reason=reason,
            details=details,
        )
    )
