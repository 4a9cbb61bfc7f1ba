"""A person's own rights at the desk: found by number or receipt, a consent withdrawn, everything erased."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from sync.archive import Archive
from sync.changes import note
from sync.community_settings import audit
from sync.desk import Actor, DeskError, NotThere
from sync.erase import delete_erased_sound, withdraw_opinion
from sync.matters import OPEN
from sync.people import find_number, normalise_number
from sync.prepared import Prepared
from sync.receipts import is_wellformed
from sync.records.tables import (
    Account,
    Base,
    Call,
    Capture,
    Consent,
    Link,
    Opinion,
    Person,
    Reaction,
    Recording,
    Request,
    Resident,
)
from sync.unsaid import heard_as, unsay

LONGEST_REASON = 200
RECORDING, WORDS, VOICE, CALL_BACK = "recording", "neighbours_words", "neighbours_voice", "call_back"
PURPOSES = (RECORDING, WORDS, VOICE, CALL_BACK)


def _count(table: type[Base], *where: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(table).where(*where)


_WHO: ColumnElement[str] = bindparam("person")
_WHICH: Mapping[str, Select[int]] = {
    "opinions": _count(
        Opinion, Opinion.person_id == _WHO, or_(*(Opinion.state == one for one in sorted(OPEN)))
    ),
    "recordings": _count(Recording, Recording.person_id == _WHO, Recording.state == "stored"),
    "ballots": _count(Capture, Capture.person_id == _WHO, Capture.kind == "ballot"),
    "reactions": _count(Reaction, Reaction.person_id == _WHO),
    "calls": _count(Call, Call.person_id == _WHO),
    "requests": _count(Request, Request.person_id == _WHO),
    "accounts": _count(Account, Account.person_id == _WHO),
    "links": _count(Link, or_(Link.person_id == _WHO, Link.other_id == _WHO), Link.undone_at.is_(None)),
    "roster": _count(Resident, Resident.number_id == bindparam("number"), Resident.seat == bindparam("seat")),
}
_KINDS = tuple(_WHICH)
_COUNTS = Prepared(select(*(query.scalar_subquery().label(name) for name, query in _WHICH.items())))


@dataclass(frozen=True)
class Kept:
    """How much is kept of one person. `roster` counts the residents at their number and seat."""

    person_id: str
    seat: int
    has_number: bool
    is_erased: bool
    opinions: int
    recordings: int
    ballots: int
    reactions: int
    calls: int
    requests: int
    accounts: int
    links: int
    roster: int
    consents: Sequence[Consent]


def demanded(reason: str) -> str:
    """The reason, trimmed. DeskError where there is none."""
    if not reason.strip():
        raise DeskError("this needs a reason", "privacy_reason_needed")
    return reason.strip()[:LONGEST_REASON]


def find(session: Session, archive: Archive, actor: Actor, asked: str, reason: str) -> list[str]:
    """The people behind a telephone number (matched by digest) or a receipt; looking is written down.

    DeskError: `privacy_reason_needed`, `nobody_found`.
    """
    why = demanded(reason)
    people, about = _of_receipt(session, actor, asked), "receipt"
    if people is None:
        people, about = _of_number(session, archive, actor, asked), "number"
    if not people:
        raise DeskError("nobody is known by this", "nobody_found")
    for person_id in people:
        audit(session, actor.community_id, actor.id, "person.found", person_id, why, by=about)
    return people


def kept_of(session: Session, community_id: str, person_id: str) -> Kept:
    """What is kept of somebody. NotThere in another community."""
    person = person_of(session, community_id, person_id)
    consents = select(Consent).where(Consent.person_id == person_id).order_by(Consent.given_at, Consent.id)
    about = {"person": person.id, "number": person.number_id or "", "seat": person.seat}
    return Kept(
        person_id=person_id,
        seat=person.seat,
        has_number=person.number_id is not None,
        is_erased=person.erased_at is not None,
        **dict(zip(_KINDS, _COUNTS.rows(session.connection(), about)[0], strict=True)),
        consents=session.scalars(consents).all(),
    )


def person_of(session: Session, community_id: str, person_id: str) -> Person:
    """A person of this community. Raises NotThere."""
    person = session.get(Person, person_id)
    if person is None or person.community_id != community_id:
        raise NotThere("there is no such person", "not_there")
    return person


def withdraw(archive: Archive, actor: Actor, person_id: str, purpose: str, reason: str, now: datetime) -> int:
    """Take back a consent for somebody, and what rested on it; how many consents that were.

    `recording`: all their words and sound are deleted. `neighbours_words`, `neighbours_voice`: nobody hears
    them any more (who withdraws the voice alone is still read aloud where they agreed to that). `call_back`:
    who waits is called no more.
    """
    why = demanded(reason)
    if purpose not in PURPOSES:
        raise NotThere("there is no such purpose", "not_there")
    with archive.database.begin() as session:
        person_of(session, actor.community_id, person_id)
        mine = (Consent.person_id == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None))
        withdrawn = session.scalars(select(Consent).where(*mine).with_for_update()).all()
        for consent in withdrawn:
            consent.withdrawn_at = now
        if purpose in (WORDS, VOICE):
            _silence(session, actor, person_id, purpose, now)
        if purpose == CALL_BACK:
            waiting = (Request.person_id == person_id, Request.settled_at.is_(None))
            session.execute(update(Request).where(*waiting).values(settled_at=now, reason=""))
        audit(session, actor.community_id, actor.id, "consent.withdrawn", person_id, why, purpose=purpose)
        spoken = select(Opinion.id).where(Opinion.person_id == person_id, Opinion.state.in_(OPEN))
        taken_back = session.scalars(spoken).all() if purpose == RECORDING else []
        if purpose == RECORDING:  # also what no opinion holds: said again, or on its way
            sound = update(Recording).where(Recording.person_id == person_id, Recording.state != "erased")
            session.execute(sound.values(state="erased", held_by=None, next_try_at=None))
    for opinion_id in taken_back:
        withdraw_opinion(archive, opinion_id, actor.id, why)
    delete_erased_sound(archive)
    return len(withdrawn)


def _silence(session: Session, actor: Actor, person_id: str, purpose: str, now: datetime) -> None:
    """Let neighbours hear their opinions no more, or no more in their own voice."""
    still_read = purpose == VOICE and _agrees(session, person_id, WORDS)
    heard = select(Opinion).where(Opinion.person_id == person_id, Opinion.state.in_(OPEN))
    which = ("voice",) if purpose == VOICE else ("voice", "words")
    for opinion in session.scalars(heard.where(Opinion.release.in_(which)).with_for_update()):
        before, opinion.release = heard_as(opinion), "words" if still_read else "none"
        if before != "none":
            unsay(session, opinion.community_id, now)
        opinion.version += 1
        details = {"state": opinion.state, "release": opinion.release}
        note(session, "opinion", opinion.id, opinion.community_id, "updated", now, **details)
        audit(session, actor.community_id, actor.id, "opinion.silenced", opinion.id)


def _agrees(session: Session, person_id: str, purpose: str) -> bool:
    standing = select(Consent.id).where(
        Consent.person_id == person_id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None),
        Consent.answer != "refused",
    )  # fmt: skip
    return session.scalar(standing.limit(1)) is not None


def _of_receipt(session: Session, actor: Actor, asked: str) -> list[str] | None:
    """Whose receipt this is; None where it is none."""
    digits = "".join(character for character in asked if character.isdecimal())
    if not is_wellformed(digits):
        return None
    mine = select(Opinion.person_id).where(
        Opinion.community_id == actor.community_id, Opinion.receipt == digits
    )
    return list(session.scalars(mine)) or None


def _of_number(session: Session, archive: Archive, actor: Actor, asked: str) -> list[str]:
    e164 = normalise_number(asked)
    number = find_number(session, archive, actor.community_id, e164) if e164 else None
    if number is None:
        return []
    there = select(Person.id).where(Person.number_id == number.id, Person.erased_at.is_(None))
    return list(session.scalars(there.order_by(Person.seat)))
