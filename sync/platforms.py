"""Online services that read and write the records: their keys, kept as hashes only, and what each may do."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.community_settings import audit
from sync.errors import RecordsError
from sync.records.tables import Audit, Platform, new_id

LINK = "links:write"
SCOPES = {
    "feedback:read": "opinions with counts and replies; their redacted words once approved",
    "feedback:unreviewed": "the redacted words of opinions that nobody has reviewed yet, too",
    "audio:read": "the sound of opinions whose speakers agreed to be heard, bleeped",
    "topics:read": "topics with what they count to",
    "changes:read": "the feed and webhooks, as far as the other scopes let it read",
    "topics:write": "bring topics, and change those it brought",
    "progress:write": "say what became of topics it brought",
    "feedback:write": "bring what residents wrote, and take it back for them",
    "ballots:write": "bring ballots",
    "reactions:write": "bring what residents think of each other's opinions",
    "replies:write": "answer feedback that it brought, or that is about a topic it brought",
    "numbers:attest": "vouch for the telephone numbers and homes of its accounts",
    LINK: "link its accounts to who calls by phone, with a code heard there, and undo that",
}
_KEY_PREFIX = "tjk_"


def add_platform(
    session: Session,
    community_id: str,
    name: str,
    scopes: Iterable[str],
    expires_at: datetime | None = None,
    actor: str = "system",
) -> tuple[Platform, str]:
    """A new platform and its key, which is shown this once. RecordsError for a scope there is none of."""
    asked = _known_scopes(scopes)
    key = _KEY_PREFIX + secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    platform = Platform(
        id=new_id("pf"),
        community_id=community_id,
        name=name,
        key_hash=hash_of(key),
        scopes=asked,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(platform)
    session.add(
        Audit(
            community_id=community_id,
            at=now,
            actor=actor,
            act="platform.added",
            subject=platform.id,
            details={"scopes": asked},
        )
    )
    session.flush()
    return platform, key


def exchange_key(session: Session, platform: Platform, actor: str) -> str:
    """A new key, shown this once; the old one is void. What the platform brought and owns stays its own."""
    key = _KEY_PREFIX + secrets.token_urlsafe(32)
    platform.key_hash = hash_of(key)
    audit(session, platform.community_id, actor, "platform.key_exchanged", platform.id)
    return key


def change_scopes(session: Session, platform: Platform, scopes: Iterable[str], actor: str) -> None:
    """Let its key do this and no more, from its next request on. RecordsError for an unknown scope."""
    asked = _known_scopes(scopes)
    if asked != platform.scopes:
        platform.scopes = asked
        audit(session, platform.community_id, actor, "platform.scopes_changed", platform.id, scopes=asked)


def end_platform(session: Session, platform: Platform, now: datetime, actor: str) -> None:
    """Its key is void from now on, and it is told nothing more; what it brought stays."""
    platform.expires_at = min(platform.expires_at or now, now)
    audit(session, platform.community_id, actor, "platform.ended", platform.id)


def platform_with(session: Session, key: str, now: datetime) -> Platform | None:
    """The platform a key belongs to; None for an unknown or expired one."""
    platform = session.scalar(select(Platform).where(Platform.key_hash == hash_of(key)))
    if platform is None or (platform.expires_at is not None and platform.expires_at <= now):
        return None
    return platform


def _known_scopes(scopes: Iterable[str]) -> list[str]:
    asked = sorted(set(scopes))
    if unknown := [scope for scope in asked if scope not in SCOPES]:
        raise RecordsError(f"no such scope: {', '.join(unknown)}")
    return asked


def hash_of(key: str) -> str:
    """SHA-256 in hex: enough for a key of 256 random bits, which no dictionary holds."""
    return hashlib.sha256(key.encode()).hexdigest()
