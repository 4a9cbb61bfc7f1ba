"""Links that platforms make: a code heard on the phone, typed into an account; and how they are undone."""

from __future__ import annotations

from sqlalchemy.orm import Session

from sync.accounts import voice_of
from sync.api.asked import Asked, Json
from sync.api.problems import Problem
from sync.links import Refusal, note_try, redeem_code, undo_link
from sync.records.tables import Link

_LOCKED = {"Retry-After": "3600"}
_REFUSALS: dict[Refusal, tuple[int, str]] = {
    "unknown": (404, "code: no such code, or it is older than ten minutes"),
    "same_person": (409, "the account and whoever heard the code are one person already"),
    "two_seats": (409, "the account would make one of two people who share a telephone"),
    "erased": (409, "whoever heard the code, or the account, was erased"),
}


def make_link(session: Session, asked: Asked) -> Json | Problem:
    """Make one person of an account and of whoever heard the code on the phone.

    Open topics are counted anew at once. Problem 404 for a wrong code, 429 after too many of them, 409 where
    the two can't be one. A refused code is given back, not raised: the try stays written down.
    """
    caller, given = asked.caller, asked.given
    voice = voice_of(session, asked.archive, caller.id, caller.community_id, given["account"], None)
    if not note_try(session, caller.community_id, voice.person_id, asked.now):
        raise Problem(429, "too many wrong codes within the hour", _LOCKED)
    linked = redeem_code(
        session, asked.archive, caller.community_id, voice.person_id, given["code"], asked.now, caller.id
    )
    if isinstance(linked, Link):
        return _shown(linked)
    return Problem(*_REFUSALS[linked])


def break_link(session: Session, asked: Asked) -> Json:
    """Undo a link that this platform has made; both count alone again. Problem 404 for any other."""
    link = session.get(Link, asked.record_id)
    if link is None or link.made_by != asked.caller.id or link.community_id != asked.caller.community_id:
        raise Problem(404, "no such link")
    return _shown(undo_link(session, asked.archive, link.id, asked.caller.id, asked.now))


def _shown(link: Link) -> Json:
    undone_at = link.undone_at.isoformat() if link.undone_at else None
    return {"id": link.id, "how": link.how, "made_at": link.made_at.isoformat(), "undone_at": undone_at}
