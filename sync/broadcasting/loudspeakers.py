"""The list of loudspeakers: where each hangs, how it is reached, whether it may be used."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from sync.acting import Actor, DeskError, NotThere
from sync.archive import Archive
from sync.community_settings import audit
from sync.records.tables import Loudspeaker, new_id

KINDS = ("mqtt", "sip", "callin", "multicast", "files", "certified")
STATES = ("active", "paused", "removed")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "mqtt": (),
    "sip": ("uri",),
    "callin": ("number",),
    "multicast": ("group", "port"),
    "files": (),
    "certified": (),
}
"""What the address of each kind must say."""

_LONGEST = 40


def add_loudspeaker(
    session: Session,
    archive: Archive,
    actor: Actor,
    name: str,
    kind: str,
    now: datetime,
    address: Mapping[str, Any] | None = None,
    place: str = "",
    area: str = "",
    groups: Sequence[str] = (),
    volume: int = 60,
    secret: str = "",
) -> tuple[str, str]:
    """A new loudspeaker: its id, and its secret, which is made up where none is given (shown this once).

    A name that was removed before is taken up again, with another secret. Raises DeskError.
    """
    if kind not in KINDS:
        raise DeskError("there is no such kind of loudspeaker", "no_such_kind")
    reached = dict(address or {})
    if missing := [one for one in NEEDED[kind] if not reached.get(one)]:
        raise DeskError(f"its address lacks {', '.join(missing)}", "address_incomplete")
    title = _bounded(name)
    known = select(Loudspeaker).where(
        Loudspeaker.community_id == actor.community_id, Loudspeaker.name == title
    )
    row = session.scalar(known.with_for_update())
    if row is not None and row.state != "removed":
        raise DeskError("there is one of that name", "name_taken")
    if row is None:
        row = Loudspeaker(id=new_id("ls"), community_id=actor.community_id, name=title, created_at=now)
        session.add(row)
    row.kind, row.address, row.state, row.presence = kind, reached, "active", "unknown"
    row.place, row.area, row.groups = place.strip()[:200], area.strip()[:_LONGEST], _groups(groups)
    row.volume, row.problem = _volume(volume), None
    shown = _seal(session, archive, row, secret or secrets.token_urlsafe(18))
    session.flush()
    audit(session, actor.community_id, actor.id, "loudspeaker.added", row.id, kind=kind)
    return row.id, shown


def change_loudspeaker(
    session: Session,
    actor: Actor,
    loudspeaker_id: str,
    place: str | None = None,
    area: str | None = None,
    groups: Sequence[str] | None = None,
    volume: int | None = None,
    address: Mapping[str, Any] | None = None,
) -> None:
    """Change what is given. Raises DeskError, NotThere."""
    row = _ours(session, actor, loudspeaker_id)
    row.place = row.place if place is None else place.strip()[:200]
    row.area = row.area if area is None else area.strip()[:_LONGEST]
    row.groups = row.groups if groups is None else _groups(groups)
    row.volume = row.volume if volume is None else _volume(volume)
    if address is not None:
        if missing := [one for one in NEEDED[row.kind] if not address.get(one)]:
            raise DeskError(f"its address lacks {', '.join(missing)}", "address_incomplete")
        row.address = dict(address)
    audit(session, actor.community_id, actor.id, "loudspeaker.changed", row.id)


def set_loudspeaker_state(session: Session, actor: Actor, loudspeaker_id: str, state: str) -> None:
    """`active`, `paused` (left out for now) or `removed`. What it plays now goes on."""
    row = _ours(session, actor, loudspeaker_id)
    if state not in STATES:
        raise DeskError("active, paused or removed", "no_such_state")
    row.state = state
    audit(session, actor.community_id, actor.id, f"loudspeaker.{state}", row.id)


def change_secret(
    session: Session, archive: Archive, actor: Actor, loudspeaker_id: str, secret: str = ""
) -> str:
    """Another secret, shown this once; the old one is void as soon as the broker or line is told."""
    row = _ours(session, actor, loudspeaker_id)
    shown = _seal(session, archive, row, secret or secrets.token_urlsafe(18))
    audit(session, actor.community_id, actor.id, "loudspeaker.secret_changed", row.id)
    return shown


def loudspeakers_of(
    session: Session, community_id: str, states: Sequence[str] = ("active", "paused")
) -> Sequence[Loudspeaker]:
    """A community's loudspeakers, by area and name."""
    return session.scalars(
        select(Loudspeaker)
        .where(Loudspeaker.community_id == community_id, Loudspeaker.state.in_(states))
        .order_by(Loudspeaker.area, Loudspeaker.name)
    ).all()


def secret_of(session: Session, archive: Archive, loudspeaker: Loudspeaker) -> str:
    """Its password or PIN in the clear; "" where it has none. Raises KeyDestroyed, KeyringUnreadable."""
    if loudspeaker.key_id is None or loudspeaker.sealed_secret is None:
        return ""
    about = _about(loudspeaker)
    return archive.keyring.unseal(session, loudspeaker.key_id, loudspeaker.sealed_secret, about).decode()


def _seal(session: Session, archive: Archive, row: Loudspeaker, secret: str) -> str:
    row.key_id, row.sealed_secret = archive.keyring.seal_anew(session, secret.encode(), _about(row))
    return secret


def _about(row: Loudspeaker) -> str:
    return f"loudspeaker:{row.id}"


def _ours(session: Session, actor: Actor, loudspeaker_id: str) -> Loudspeaker:
    row = session.get(Loudspeaker, loudspeaker_id, with_for_update=True)
    if row is None or row.community_id != actor.community_id:
        raise NotThere("there is no such loudspeaker", "not_there")
    return row


def _groups(groups: Sequence[str]) -> list[str]:
    return sorted({one.strip()[:_LONGEST] for one in groups if one.strip()})


def _volume(volume: int) -> int:
    if not 0 <= volume <= 100:
        raise DeskError("0 to 100", "volume_out_of_range")
    return volume


def _bounded(name: str) -> str:
    title = " ".join(name.split())
    if not title:
        raise DeskError("it needs a name", "nothing_said")
    if len(title) > _LONGEST:
        raise DeskError(f"at most {_LONGEST} characters", "too_long", _LONGEST)
    return title
