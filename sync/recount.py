"""All ballots of a topic derived anew from its captures: after a change of its rules, the roster, a link."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, true
from sqlalchemy.orm import Session

from sync import merge
from sync.archive import Archive
from sync.ballots import ballot_id, cast, judge, rules_of, stand, voters_on
from sync.counted import derive, linked_in, people_of
from sync.pending import COLUMNS, Batch, Pending, givers
from sync.records.tables import Ballot, Capture, Topic

_PAGE = 2_000
_FOR_GOOD = ("clock_ahead", "erased", "typed_by_mistake")  # refused whatever the topic says


def recount(
    session: Session, archive: Archive, topic_id: str, now: datetime, voters: Collection[str] | None = None
) -> int:
    """Derive the ballots of a topic, or only those of `voters`, from its history; how many are others now.

    Nothing is settled on this topic meanwhile: its row is held until the transaction ends.
    """
    topic = session.get(Topic, topic_id, with_for_update=True)
    if topic is None:
        return 0
    batch = Batch(session, archive, now, topics={topic.id: topic})
    rules, casts = rules_of(topic), dict[str, list[merge.Ballot]]()
    theirs = true() if voters is None else Capture.person_id.in_(people_of(session, topic, rules, voters))
    for page in _history(session, topic_id, theirs):
        batch.people = givers(session, {capture.person_id for capture in page})
        people = voters_on(batch, topic, page)
        for capture in page:
            batch.outcomes[capture.id] = outcome = judge(capture, topic, rules)
            ballot = cast(capture, rules, people[capture.person_id]) if outcome[0] == "merged" else None
            if ballot is not None and (voters is None or ballot.voter_id in voters):
                row_id = ballot_id(topic_id, ballot.voter_id)
                casts[row_id] = list(merge.merge_ballots(casts.get(row_id, ()), [ballot], rules))
        batch.write_outcomes(page)
    _strike(batch, topic, casts, true() if voters is None else Ballot.voter_id.in_(voters))
    stand(batch, casts, dict.fromkeys(casts, topic_id), {topic_id: rules}, is_recount=True)
    changed = len(batch.changes)
    batch.finish([])
    return changed


def recount_homes(session: Session, archive: Archive, community_id: str, now: datetime) -> int:
    """Recount the open topics that count households, after people moved on the roster; ballots changed."""
    derive(session, linked_in(session, community_id))
    open_topics = select(Topic).where(Topic.community_id == community_id, Topic.state.in_(["open", "paused"]))
    by_home = [topic.id for topic in session.scalars(open_topics.order_by(Topic.id)) if _counts_homes(topic)]
    return sum(recount(session, archive, topic_id, now) for topic_id in by_home)


def _counts_homes(topic: Topic) -> bool:
    return rules_of(topic).counts == "households"


def _history(session: Session, topic_id: str, theirs: ColumnElement[bool]) -> Iterator[list[Pending]]:
    """The ballots ever settled on a topic, page by page."""
    seen = 0
    while True:
        rows = session.execute(
            select(*COLUMNS)
            .where(Capture.topic_id == topic_id, Capture.kind == "ballot", Capture.id > seen, theirs)
            .where(Capture.state.in_(["merged", "early", "late", "refused"]))
            .where(or_(Capture.problem.is_(None), Capture.problem.not_in(_FOR_GOOD)))
            .order_by(Capture.id)
            .limit(_PAGE)
        ).all()
        if not rows:
            return
        seen = rows[-1].id
        yield [Pending(*row) for row in rows]


def _strike(batch: Batch, topic: Topic, casts: Collection[str], which: ColumnElement[bool]) -> None:
    """Remove the ballots that no capture carries any more."""
    existing = set(batch.session.scalars(select(Ballot.id).where(Ballot.topic_id == topic.id, which)))
    for row_id in sorted(existing - set(casts)):
        batch.session.connection().execute(delete(Ballot).where(Ballot.id == row_id))
        batch.changed("ballot", row_id, topic.community_id, "deleted", topic_id=topic.id)
