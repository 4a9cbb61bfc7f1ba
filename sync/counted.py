"""As whom linked people count, now or when a topic closed: derived from the links that stood then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from sync.merge import Rules, common_home, roots, stood_at
from sync.pending import Giver, givers
from sync.records.tables import Link, Person, Topic


def counted_at(
    session: Session, community_id: str, moment: datetime, people: Mapping[str, Giver]
) -> Mapping[str, Giver]:
    """The same people with root and home as the links stood at `moment`, which lies in the past."""
    later = or_(Link.made_at >= moment, Link.undone_at >= moment)
    if not people or not session.scalar(
        select(Link.id).where(Link.community_id == community_id, later).limit(1)
    ):
        return people
    found = _counted(session, _linked(session, people, moment))
    alone = {one.id: replace(one, root_id=None, home_id=None) for one in people.values()}
    return {one: found.get(one, alone[one]) for one in people}


def derive(session: Session, person_ids: Collection[str]) -> set[str]:
    """Write root and home of these people, and of all they are linked to, as the links stand now.

    Gives all as whom, and all as whose home, anybody of them counted before or counts now.
    """
    links = _linked(session, person_ids, None)
    touched = {one for link in links for one in link} | set(person_ids)
    before = givers(session, touched)
    after = {one.id: replace(one, root_id=None, home_id=None) for one in before.values()}
    after |= _counted(session, links)
    for one in sorted(after):
        if (after[one].root_id, after[one].home_id) != (before[one].root_id, before[one].home_id):
            columns = {"root_id": after[one].root_id, "home_id": after[one].home_id}
            session.execute(update(Person).where(Person.id == one).values(**columns))
    homes = Rules(counts="households")
    everybody = [*before.values(), *after.values()]
    return {one.root for one in everybody} | {one.voter(homes) for one in everybody}


def linked_in(session: Session, community_id: str) -> list[str]:
    """Everybody of a community who is linked to somebody."""
    linked = select(Person.id).where(Person.community_id == community_id, Person.root_id.is_not(None))
    return list(session.scalars(linked))


def people_of(session: Session, topic: Topic, rules: Rules, voters: Collection[str]) -> list[str]:
    """Everybody who may count as one of these voters on a topic."""
    as_whom = [Person.id, Person.root_id]
    if rules.counts == "households":
        as_whom += [Person.household_id, Person.number_id, Person.home_id]
    query = select(Person.id).where(
        Person.community_id == topic.community_id, or_(*(column.in_(voters) for column in as_whom))
    )
    return list(session.scalars(query))


def _linked(session: Session, person_ids: Collection[str], moment: datetime | None) -> set[tuple[str, str]]:
    """The links of a moment (None: of now) that lead from these people to others, and on from those."""
    found, known, fresh = set[tuple[str, str]](), set(person_ids), set(person_ids)
    columns = (Link.person_id, Link.other_id, Link.made_at, Link.undone_at)
    while fresh:
        at = or_(Link.person_id.in_(fresh), Link.other_id.in_(fresh))
        for one, other, made_at, undone_at in session.execute(select(*columns).where(at)):
            if stood_at(made_at, undone_at, moment):
                found.add((one, other))
        fresh = {one for link in found for one in link} - known
        known |= fresh
    return found


def _counted(session: Session, links: Collection[tuple[str, str]]) -> dict[str, Giver]:
    """Everybody linked, with their root and their home."""
    root_of = roots(links)
    people = givers(session, root_of.keys())
    members: dict[str, list[Giver]] = defaultdict(list)
    for one in people.values():
        members[root_of[one.id]].append(one)
    homes = {
        root: common_home((one.id, one.number_id, one.household_id) for one in together)
        for root, together in members.items()
    }
    return {
        one.id: replace(one, root_id=root_of[one.id], home_id=homes[root_of[one.id]])
        for one in people.values()
    }
