"""People at the desk: their passwords, their roles, and patience with wrong passwords that runs out."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.roles import ROLES
from sync.records.tables import Audit, Staff, new_id

SHORTEST_PASSWORD = 10

FAILURES_PER_NAME = 5
FAILURES_PER_ADDRESS = 20
WINDOW = timedelta(minutes=15)

_FAILED = "sign_in_failed"
_HASHER = PasswordHasher()
# Checked when the name is unknown, so that the answer takes as long as for a known one.
_NOBODY = _HASHER.hash("nobody has this password")


class StaffError(Exception):
    """What was asked of the staff list cannot be done; the message says why."""


def add_staff(
    session: Session, community_id: str, name: str, password: str, role: str = "administrator"
) -> Staff:
    """Put one person on the staff list; StaffError for a taken name, a short password or an unknown role."""
    if role not in ROLES:
        raise StaffError(f"角色应为 {'、'.join(ROLES)} · the role should be one of {', '.join(ROLES)}")
    if len(password) < SHORTEST_PASSWORD:
        raise StaffError(
            f"密码至少 {SHORTEST_PASSWORD} 位 · a password has at least {SHORTEST_PASSWORD} characters"
        )
    if session.scalar(select(Staff.id).where(Staff.name == name)):
        raise StaffError(f"已经有人叫 {name} · the name {name} is taken")
    staff = Staff(
        id=new_id("st"),
        community_id=community_id,
        name=name,
        password_hash=_HASHER.hash(password),
        role=role,
        created_at=datetime.now(UTC),
    )
    session.add(staff)
    return staff


def change_password(staff: Staff, password: str) -> None:
    """Give somebody a new password; every session of theirs ends with the old one."""
    if len(password) < SHORTEST_PASSWORD:
        raise StaffError(
            f"密码至少 {SHORTEST_PASSWORD} 位 · a password has at least {SHORTEST_PASSWORD} characters"
        )
    staff.password_hash = _HASHER.hash(password)


def check_password(session: Session, name: str, password: str) -> Staff | None:
    """The person of that name, if the password is theirs and they are not disabled; equally long if not."""
    staff = session.scalar(select(Staff).where(Staff.name == name, Staff.disabled_at.is_(None)))
    try:
        _HASHER.verify(staff.password_hash if staff else _NOBODY, password)
    except (VerificationError, InvalidHashError):
        return None
    return staff


def marker(staff: Staff) -> str:
    """What a signed-in session remembers: the id, and a mark that changes with the password."""
    return f"{staff.id}:{hashlib.sha256(staff.password_hash.encode()).hexdigest()[:16]}"


def find_marked(session: Session, marked: str) -> Staff | None:
    """The person of a `marker`, unless disabled or with another password since."""
    staff = session.get(Staff, marked.partition(":")[0])
    if staff is None or staff.disabled_at or not hmac.compare_digest(marker(staff), marked):
        return None
    return staff


def is_throttled(session: Session, secret: bytes, name: str, address: str, now: datetime) -> bool:
    """Whether this name or this address has failed too often within the last quarter of an hour."""
    for subject, limit in (
        (_blind(secret, name), FAILURES_PER_NAME),
        (_blind(secret, address), FAILURES_PER_ADDRESS),
    ):
        failures = select(func.count()).where(
            Audit.act == _FAILED,
            Audit.subject == subject,
            Audit.at > now - WINDOW,
            Audit.community_id.is_(None),
        )
        if (session.scalar(failures) or 0) >= limit:
            return True
    return False


def note_failure(session: Session, secret: bytes, name: str, address: str, now: datetime) -> None:
    """Remember one failed sign-in, without the name or the address themselves."""
    for subject in (_blind(secret, name), _blind(secret, address)):
        session.add(
            Audit(
                community_id=None,
                at=now,
                actor="nobody",
                act=_FAILED,
                subject=subject,
                reason=None,
                details={},
            )
        )


def _blind(secret: bytes, text: str) -> str:
    return hmac.new(secret, text.strip().lower().encode(), hashlib.sha256).hexdigest()[:32]
