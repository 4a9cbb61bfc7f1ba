"""A platform's endpoints: added, their secrets exchanged, paused, resumed, taken away; each act audited."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.community_settings import audit
from sync.errors import RecordsError
from sync.records.tables import Delivery, Endpoint, Platform, new_id
from sync.webhooks.addresses import Reach, look_up

FEED = "changes:read"
OVERLAP = timedelta(hours=24)  # how long the old secret signs beside the new one
_SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64
_TYPE = re.compile(r"cn\.tingjian\.[a-z]+\.[a-z]+")


def add_endpoint(
    session: Session,
    archive: Archive,
    platform: Platform,
    url: str,
    types: Iterable[str],
    cursor: str,
    reach: Reach,
    actor: str,
    now: datetime,
) -> tuple[Endpoint, str]:
    """A new endpoint that is told of everything behind `cursor`, and its secret, which is shown this once.

    Raises Unreachable for an address that no webhook may go to, RecordsError for a type there is none of.
    """
    if FEED not in platform.scopes:
        raise RecordsError(f"a platform is told of changes only with the scope {FEED}")
    wanted = sorted(set(types))
    if unknown := [one for one in wanted if not _TYPE.fullmatch(one)]:
        raise RecordsError(f"no such event type: {', '.join(unknown)}")
    look_up(url, reach)
    endpoint_id, secret = new_id("we"), _new_secret()
    key_id, sealed = archive.keyring.seal_anew(session, secret.encode(), _about(endpoint_id))
    endpoint = Endpoint(
        id=endpoint_id,
        platform_id=platform.id,
        community_id=platform.community_id,
        url=url,
        types=wanted,
        key_id=key_id,
        sealed_secret=sealed,
        cursor=cursor,
        created_at=now,
        state_at=now,
    )
    session.add(endpoint)
    audit(session, platform.community_id, actor, "webhook_added", endpoint_id, platform=platform.id)
    session.flush()
    return endpoint, secret


def exchange_secret(session: Session, archive: Archive, endpoint: Endpoint, actor: str, now: datetime) -> str:
    """A new secret, shown this once. The old one signs beside it for `OVERLAP`; one older still no longer."""
    secret = _new_secret()
    endpoint.sealed_old_secret, endpoint.old_secret_until = endpoint.sealed_secret, now + OVERLAP
    endpoint.sealed_secret = archive.keyring.seal(
        session, endpoint.key_id, secret.encode(), _about(endpoint.id)
    )
    audit(session, endpoint.community_id, actor, "webhook_secret_exchanged", endpoint.id)
    return secret


def secrets_of(session: Session, archive: Archive, endpoint: Endpoint, now: datetime) -> list[str]:
    """The secrets that sign at this moment, the newest first. Raises KeyDestroyed, KeyringUnreadable."""
    sealed = [endpoint.sealed_secret]
    until = endpoint.old_secret_until
    if endpoint.sealed_old_secret is not None and until is not None and now < until:
        sealed.append(endpoint.sealed_old_secret)
    about = _about(endpoint.id)
    return [archive.keyring.unseal(session, endpoint.key_id, one, about).decode() for one in sealed]


def pause(session: Session, endpoint: Endpoint, actor: str, now: datetime, state: str = "paused") -> None:
    """Tell it nothing from now on; its place in the feed is kept."""
    endpoint.state, endpoint.state_at = state, now
    endpoint.held_by = endpoint.next_try_at = None
    audit(session, endpoint.community_id, actor, f"webhook_{state}", endpoint.id)


def resume(session: Session, endpoint: Endpoint, actor: str, now: datetime) -> None:
    """Go on from where it was left; what fell out of the feed meanwhile is said as one event."""
    endpoint.state, endpoint.state_at = "active", now
    endpoint.tries, endpoint.failing_since, endpoint.problem = 0, None, None
    endpoint.held_by = endpoint.next_try_at = None
    audit(session, endpoint.community_id, actor, "webhook_resumed", endpoint.id)


def remove(session: Session, archive: Archive, endpoint: Endpoint, actor: str) -> None:
    """Forget it with its secrets and its log."""
    audit(session, endpoint.community_id, actor, "webhook_removed", endpoint.id)
    session.execute(delete(Delivery).where(Delivery.endpoint_id == endpoint.id))
    archive.keyring.destroy(session, endpoint.key_id)
    session.delete(endpoint)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _about(endpoint_id: str) -> str:
    return f"webhook:{endpoint_id}"
