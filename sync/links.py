"""Two people who are one: said by a code heard on one side and typed on the other, or by an attested number.

From then on they have one ballot a topic and one reaction an opinion. A topic counts people by the links that
stood at its close: what is made or undone later changes no result that was final, and a ballot that comes in
late is judged as if it had come in time. Links never join two seats of one telephone.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from sync.answers import recount_reactions
from sync.archive import Archive
from sync.community_settings import audit
from sync.counted import derive
from sync.errors import RecordsError
from sync.pending import Batch
from sync.records.tables import Audit, Capture, Community, Link, LinkCode, Person, Topic, new_id
from sync.recount import recount
from sync.upsert import insert_or_ignore

DIGITS = 6
CODE_MINUTES = 10
CODES_AN_HOUR = 5  # a person
WRONG_AN_HOUR = 5  # a person who types
COMMUNITY_WRONG_AN_HOUR = 60  # against a million codes, of which a handful is alive
_GIVEN, _TRIED, _RIGHT = "link_code_given", "link_code_tried", "link_code_right"
_HOUR = timedelta(hours=1)

Refusal = Literal["unknown", "same_person", "two_seats", "erased"]
How = Literal["code", "attested"]


def issue_code(session: Session, archive: Archive, person_id: str, now: datetime) -> str | None:
    """Six digits that stand for this person for ten minutes; an earlier code of theirs is void.

    None where they have had too many within the hour. Only a keyed HMAC of the code is kept.
    """
    community_id = session.get_one(Person, person_id).community_id
    if _lately(session, community_id, _GIVEN, now, person_id) >= CODES_AN_HOUR:
        return None
    session.execute(
        delete(LinkCode).where(
            LinkCode.community_id == community_id,
            or_(LinkCode.person_id == person_id, LinkCode.expires_at <= now),
        )
    )
    _note(session, community_id, _GIVEN, now, person_id)
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        is_ours = insert_or_ignore(
            session,
            LinkCode,
            ("digest",),
            digest=_digest(archive, community_id, code),
            community_id=community_id,
            person_id=person_id,
            expires_at=now + timedelta(minutes=CODE_MINUTES),
        )
        if is_ours:  # nobody else's code that is alive
            return code


def note_try(session: Session, community_id: str, person_id: str, now: datetime) -> bool:
    """Write down that somebody is about to type a code; False where too many were wrong within the hour.

    Commit it before the code is looked at: a try that breaks off has been used up all the same.
    """
    theirs, everybodys = _wrong(session, community_id, now, person_id), _wrong(session, community_id, now)
    if theirs >= WRONG_AN_HOUR or everybodys >= COMMUNITY_WRONG_AN_HOUR:
        return False
    _note(session, community_id, _TRIED, now, person_id)
    return True


def redeem_code(
    session: Session,
    archive: Archive,
    community_id: str,
    person_id: str,
    code: str,
    now: datetime,
    made_by: str = "phone",
) -> Link | Refusal:
    """Link whoever typed a code with whoever heard it, or say why not. It is spent then; `note_try` first."""
    digest = _digest(archive, community_id, code)
    row = session.get(LinkCode, digest, with_for_update=True)
    if row is None or row.expires_at <= now:
        return "unknown"
    other_id = row.person_id
    if other_id == person_id:
        return "same_person"
    linked = join(session, archive, (person_id, other_id), "code", made_by, now)
    if isinstance(linked, Link):
        session.delete(row)
        _note(session, community_id, _RIGHT, now, person_id)
    return linked


def join(
    session: Session, archive: Archive, people: tuple[str, str], how: How, made_by: str, now: datetime
) -> Link | Refusal:
    """Make two people one and recount what is open; the link that stands already where there is one."""
    community_id = session.get_one(Person, people[0]).community_id
    _hold(session, community_id)
    if refusal := _refusal(session, people):
        return refusal
    one, other = sorted(people)
    known = select(Link).where(Link.person_id == one, Link.other_id == other, Link.undone_at.is_(None))
    if found := session.scalar(known):
        return found
    link = Link(
        id=new_id("lnk"),
        community_id=community_id,
        person_id=one,
        other_id=other,
        how=how,
        made_by=made_by,
        made_at=now,
    )
    session.add(link)
    session.flush()
    audit(session, community_id, made_by, "link_made", link.id, how=how)
    _recount(session, archive, link, now)
    return link


def undo_link(session: Session, archive: Archive, link_id: str, actor: str, now: datetime) -> Link:
    """Let two people be two again and recount what is open; undone once is undone.

    Raises RecordsError where there is no such link.
    """
    link = session.get(Link, link_id)
    if link is None:
        raise RecordsError("no such link")
    _hold(session, link.community_id)
    session.refresh(link, with_for_update=True)
    if link.undone_at is None:
        link.undone_at, link.undone_by = now, actor
        session.flush()
        audit(session, link.community_id, actor, "link_undone", link.id)
        _recount(session, archive, link, now)
    return link


def links_of(session: Session, person_id: str) -> list[Link]:
    """The links of a person that stand, oldest first."""
    ends = or_(Link.person_id == person_id, Link.other_id == person_id)
    stand = select(Link).where(ends, Link.undone_at.is_(None))
    return list(session.scalars(stand.order_by(Link.made_at, Link.id)))


def earlier_names(session: Session, person_id: str) -> list[str]:
    """Who is linked to this person by an attested number: what their account was before it was told."""
    attested = [link for link in links_of(session, person_id) if link.how == "attested"]
    others = {one for link in attested for one in (link.person_id, link.other_id)} - {person_id}
    unnumbered = select(Person.id).where(Person.id.in_(others), Person.number_id.is_(None))
    return list(session.scalars(unnumbered.order_by(Person.id)))


def forget_links(session: Session, archive: Archive, person_id: str, actor: str, now: datetime) -> None:
    """Undo a person's links, then forget that there were any, with their codes."""
    for link in links_of(session, person_id):
        undo_link(session, archive, link.id, actor, now)
    ends = or_(Link.person_id == person_id, Link.other_id == person_id)
    session.execute(delete(Link).where(ends))
    session.execute(delete(LinkCode).where(LinkCode.person_id == person_id))
    session.flush()


def forget_codes(session: Session, now: datetime) -> None:
    """Delete the codes that are too old."""
    session.execute(delete(LinkCode).where(LinkCode.expires_at <= now))


def _hold(session: Session, community_id: str) -> None:
    """Nothing is settled in this community, and nobody else linked, until the transaction ends."""
    held = select(Community.id).where(Community.id == community_id)
    session.execute(held.with_for_update(key_share=True))


def _refusal(session: Session, people: tuple[str, str]) -> Refusal | None:
    """Why these two can't be one. Those at two seats of a telephone have said that they are two."""
    rows = session.scalars(
        select(Person).where(Person.id.in_(people)).order_by(Person.id).with_for_update(key_share=True)
    ).all()
    if len(rows) < len(people):
        return "same_person"
    if any(row.erased_at is not None for row in rows) or len({row.community_id for row in rows}) > 1:
        return "erased"
    linked = [row.root_id for row in rows if row.root_id is not None]
    all_of_them = select(Person.id, Person.number_id).where(
        or_(Person.id.in_(people), Person.root_id.in_(linked)), Person.number_id.is_not(None)
    )
    numbers = [row.number_id for row in session.execute(all_of_them)]
    return "two_seats" if len(numbers) > len(set(numbers)) else None


def _recount(session: Session, archive: Archive, link: Link, now: datetime) -> None:
    voters = derive(session, (link.person_id, link.other_id))
    people = set(
        session.scalars(select(Person.id).where(or_(Person.id.in_(voters), Person.root_id.in_(voters))))
    )
    voted = select(Capture.topic_id).where(Capture.person_id.in_(people), Capture.kind == "ballot")
    is_open = (
        Topic.state.not_in(["closed", "decided"]),
        or_(Topic.closes_at.is_(None), Topic.closes_at > now),
    )
    for topic_id in session.scalars(select(Topic.id).where(Topic.id.in_(voted), *is_open).order_by(Topic.id)):
        recount(session, archive, topic_id, now, voters)
    batch = Batch(session, archive, now)
    recount_reactions(batch, people)
    batch.finish([])


def _digest(archive: Archive, community_id: str, code: str) -> str:
    return archive.keyring.digest(f"link/{community_id}", code)


def _note(session: Session, community_id: str, act: str, now: datetime, person_id: str) -> None:
    session.add(Audit(community_id=community_id, at=now, actor=person_id, act=act, subject="link"))
    session.flush()


def _wrong(session: Session, community_id: str, now: datetime, person_id: str | None = None) -> int:
    tried, right = (_lately(session, community_id, act, now, person_id) for act in (_TRIED, _RIGHT))
    return tried - right


def _lately(
    session: Session, community_id: str, act: str, now: datetime, person_id: str | None = None
) -> int:
    lately = select(func.count(Audit.id)).where(
        Audit.community_id == community_id, Audit.at > now - _HOUR, Audit.act == act
    )
    if person_id is not None:
        lately = lately.where(Audit.actor == person_id)
    return session.scalar(lately) or 0
