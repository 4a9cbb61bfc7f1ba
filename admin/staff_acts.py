"""What administrators do to the staff list: add, another role, disable, a new password; each act audited."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.roles import ROLES
from admin.staff import add_staff, change_password
from sync.community_settings import audit
from sync.desk import Actor, ChangedMeanwhile, DeskError, NotThere
from sync.records.tables import Staff

_ADMINISTRATOR = "administrator"


def everybody(session: Session, community_id: str) -> Sequence[Staff]:
    """The staff list of a community, by name; who is disabled comes last."""
    mine = select(Staff).where(Staff.community_id == community_id)
    return session.scalars(mine.order_by(Staff.disabled_at.is_not(None), Staff.name)).all()


def hire(session: Session, actor: Actor, name: str, role: str) -> tuple[Staff, str]:
    """Somebody new and their first password, which is shown this once. Raises StaffError."""
    password = _password()
    staff = add_staff(session, actor.community_id, name.strip(), password, role)
    session.flush()
    audit(session, actor.community_id, actor.id, "staff.added", staff.id, role=role)
    return staff, password


def change_role(session: Session, actor: Actor, staff_id: str, role: str, before: str) -> None:
    """Give somebody another role than `before`. DeskError for oneself and for the last administrator."""
    staff = _other(session, actor, staff_id)
    if role not in ROLES:
        raise NotThere("there is no such role", "not_there")
    if staff.role != before:
        raise ChangedMeanwhile("somebody else has just changed it", "changed_meanwhile")
    if role != staff.role:
        staff.role = role
        audit(session, actor.community_id, actor.id, "staff.role_changed", staff.id, role=role)


def disable(session: Session, actor: Actor, staff_id: str, now: datetime) -> None:
    """Let somebody in no more; their open pages end, too."""
    staff = _other(session, actor, staff_id)
    if staff.disabled_at is None:
        staff.disabled_at = now
        audit(session, actor.community_id, actor.id, "staff.disabled", staff.id)


def enable(session: Session, actor: Actor, staff_id: str) -> None:
    """Let somebody in again."""
    staff = _of(session, actor, staff_id)
    if staff.disabled_at is not None:
        staff.disabled_at = None
        audit(session, actor.community_id, actor.id, "staff.enabled", staff.id)


def reset(session: Session, actor: Actor, staff_id: str) -> str:
    """A new password, shown this once; whoever is signed in with the old one is out."""
    staff, password = _of(session, actor, staff_id), _password()
    change_password(staff, password)
    audit(session, actor.community_id, actor.id, "staff.password_reset", staff.id)
    return password


def _of(session: Session, actor: Actor, staff_id: str) -> Staff:
    staff = session.get(Staff, staff_id, with_for_update=True)
    if staff is None or staff.community_id != actor.community_id:
        raise NotThere("there is no such person", "not_there")
    return staff


def _other(session: Session, actor: Actor, staff_id: str) -> Staff:
    """Somebody else, without whom there is still an administrator."""
    staff = _of(session, actor, staff_id)
    if staff.id == actor.id:
        raise DeskError("nobody takes their own role away", "not_oneself")
    others = select(func.count()).where(
        Staff.community_id == actor.community_id,
        Staff.role == _ADMINISTRATOR,
        Staff.disabled_at.is_(None),
        Staff.id != staff.id,
    )
    if staff.role == _ADMINISTRATOR and not session.scalar(others):
        raise DeskError("somebody has to administer", "last_administrator")
    return staff


def _password() -> str:
    return secrets.token_urlsafe(12)
